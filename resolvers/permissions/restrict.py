"""Turns a guard and the objects a subject may see into a predicate over the table's rows, or into masks. Pure."""

import re
import uuid
from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce

from loaders.description import Kind, Table
from loaders.read import Col, Compare, Exists, Join, Never, Op, Predicate, Value
from resolvers.permissions.apply import Mask
from resolvers.permissions.guards import Own, Relation, Visible
from resolvers.permissions.verdicts import Everything, Only
from resolvers.subject import Subject

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_KEPT = 64
"""Sets of ids whose values are kept; of a set there is one for as long as its verdict is."""
_BITS = {Kind.INTEGER: 31, Kind.BIGINT: 63}


def by_visibility(guard: Visible, table: Table, visibility: Everything | Only) -> Predicate | None:
    """None if nothing is hidden, Never if nothing is visible, otherwise that the column (through `via`) is among the
    ids.
    """
    if isinstance(visibility, Everything):
        return None
    values = typed(visibility.ids, guard.holder(table), guard.column)
    if not values:
        return Never()
    return _through(guard.via, Compare(Col(guard.column), Op.IN, values))


def masks(
    fields: Iterable[tuple[str, Relation]], table: Table, seen: Mapping[Relation, Everything | Only]
) -> tuple[Mask, ...]:
    """A mask for each field that is not shown in every row. Fields with the same guard share their values."""
    values = {
        relation: typed(visibility.ids, table, relation.column)
        for relation, visibility in seen.items()
        if isinstance(visibility, Only)
    }
    return tuple(Mask(column, relation.column, values[relation]) for column, relation in fields if relation in values)


def by_owner(guard: Own, table: Table, subject: Subject) -> Predicate:
    """The rows of the subject itself; none for a subject without that attribute, who is not yet among the users."""
    mine = subject.id if guard.attribute == "id" else subject.user_id
    values = () if mine is None else typed(frozenset((str(mine),)), table, guard.column)
    return Compare(Col(guard.column), Op.EQ, values[0]) if values else Never()


def typed(ids: frozenset[str], table: Table, column: str) -> tuple[Value, ...]:
    """The ids as values of the column, in a stable order, without those that cannot be such a value and so match no
    row.

    Only canonical forms count: `007` and an upper-case UUID name other objects than `7` and the lower-case UUID.
    """
    kind = table.column(column).type.kind
    if not names_objects(table, column):
        raise TypeError(f"column {table.name}.{column} of type {kind} cannot name an object")
    return _values(ids, kind)


def names_objects(table: Table, column: str) -> bool:
    """Whether values of the column's type can be ids of objects."""
    return table.column(column).type.kind in (Kind.TEXT, Kind.UUID, *_BITS)


@lru_cache(maxsize=_KEPT)
def _values(ids: frozenset[str], kind: Kind) -> tuple[Value, ...]:
    match kind:
        case Kind.TEXT:
            return tuple(sorted(id_ for id_ in ids if "\x00" not in id_))
        case Kind.UUID:
            return tuple(sorted(filter(None, map(_uuid, ids))))
        case _:
            limit = 1 << _BITS[kind]
            numbers = (int(id_) for id_ in ids if _INTEGER.fullmatch(id_))
            return tuple(sorted(number for number in numbers if -limit <= number < limit))


def _uuid(id_: str) -> uuid.UUID | None:
    try:
        value = uuid.UUID(id_)
    except ValueError:
        return None
    return value if str(value) == id_ else None


def _through(via: tuple[Join, ...], predicate: Predicate) -> Predicate:
    return reduce(lambda inner, join: Exists(join, inner), reversed(via), predicate)
