"""Of all ids a subject may see, only those a read asks for by that very column have to be sent to the store.

Pure. The restriction stays in the statement: a shorter list can only hide rows, and hides none that the read asks for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from loaders.read import And, Col, Compare, Never, Op, Read, Slot, Value
from resolvers.permissions.apply import Restriction, touched

Asked: TypeAlias = Mapping[str, tuple[Op, Value]]
"""By column: how and by which value, or slot, all of a table's rows in a read are asked for."""


def asked(read: Read) -> Asked:
    """Of the read's own table. Nothing when the read shows or feels the table in another place too."""
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
    """The restriction of the table whose rows are `asked` for, where `values` are those of the read's slots."""
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
    """Whether the read's own table is touched by more than its root."""
    root = replace(read.table, name="")
    return read.table in touched(replace(read, table=root))
