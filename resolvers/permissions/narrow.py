"""Shortens the list of visible ids that is sent to a store to those that the read asks for by the same column.

Pure. The restriction itself stays in the statement: a shorter list can only hide rows, and hides none that the read
asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from loaders.read import And, Col, Compare, Never, Op, Read, Slot, Value
from resolvers.permissions.apply import Restriction, touched

Asked: TypeAlias = Mapping[str, tuple[Op, Value]]
"""By column, the operator and the value or slot by which a read selects all of a table's rows."""


def asked(read: Read) -> Asked:
    """The values by which the read selects rows of its own table, by column. Empty if the read uses the table elsewhere
    too.
    """
    if read.where is None or _again(read):
        return {}
    terms = read.where.terms if isinstance(read.where, And) else (read.where,)
    found: dict[str, tuple[Op, Value]] = {}
    for term in terms:
        match term:
            case Compare(Col(column), (Op.EQ | Op.IN) as op, value):
                found[column] = op, value
    return found


def narrowed(restriction: Restriction, asked: Asked, values: Sequence[Value]) -> Restriction:
    """The restriction of the table whose rows are `asked` for. `values` are those of the slots of the read."""
    match restriction.rows:
        case Compare(Col(column), Op.IN, tuple(ids)) if column in asked:
            op, value = asked[column]
            if isinstance(value, Slot):
                value = values[value.index]
            wanted = set(value) if op is Op.IN and isinstance(value, tuple) else {value}
            sent = tuple(filter(wanted.__contains__, ids))
            return Restriction(Compare(Col(column), Op.IN, sent) if sent else Never(), restriction.masks)
        case _:
            return restriction


def _again(read: Read) -> bool:
    """Whether the table is used elsewhere than at the root of the read."""
    root = replace(read.table, name="")
    return read.table in touched(replace(read, table=root))
