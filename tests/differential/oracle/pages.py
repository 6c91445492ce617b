"""One page of rows in order. A cursor stands for its row, which need not be in the list any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from tests.differential.oracle.filters import admits
from tests.differential.oracle.orders import ordered
from tests.differential.oracle.shown import Cursor
from tests.differential.oracle.world import World
from tests.differential.rows import Row

_DEFAULT, _MOST = 50, 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """A connection: all rows that match, and those of the page."""

    type: str
    matching: list[Row]
    rows: list[Row]
    has_next: bool
    has_previous: bool


def page(rows: list[Row], type_: str, arguments: Mapping[str, Any], world: World, cursors: Mapping[str, Row]) -> Page:
    """Of `rows`, those that `where` admits, in order, and cut."""
    limit, backward = _limit(arguments)
    order = arguments.get("orderBy")
    matching = [row for row in rows if admits(arguments.get("where"), row, type_, world) is True]
    after, before = (_place(arguments.get(name), cursors) for name in ("after", "before"))
    marked = matching + [row for row in (after, before) if row is not None and row not in matching]
    in_order = ordered(marked, order, type_, world)
    start = in_order.index(after) + 1 if after is not None else 0
    end = in_order.index(before) if before is not None else len(in_order)
    between = [row for row in in_order[start:end] if row in matching]
    shown = between[max(len(between) - limit, 0) :] if backward else between[:limit]
    more = len(between) > limit
    return Page(
        type_,
        ordered(matching, order, type_, world),
        shown,
        has_next=before is not None if backward else more,
        has_previous=more if backward else after is not None,
    )


def cursor(type_: str, row: Row, world: World) -> Cursor:
    return Cursor(type_, world.key(type_, row))


def _place(text: str | None, cursors: Mapping[str, Row]) -> Row | None:
    if text is None:
        return None
    if text not in cursors:
        raise GraphQLError("a cursor that nothing has answered")
    return cursors[text]


def _limit(arguments: Mapping[str, Any]) -> tuple[int, bool]:
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise GraphQLError("first and last")
    limit = first if first is not None else last if last is not None else _DEFAULT
    if not 0 <= limit <= _MOST:
        raise GraphQLError("a page of a size that is none")
    return limit, last is not None
