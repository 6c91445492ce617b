"""One page of rows in order. A cursor stands for its row, which need not be in the list any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.differential.oracle.filters import admits
from tests.differential.oracle.orders import Nearness, ordered, spelled
from tests.differential.oracle.shown import Cursor, Order
from tests.differential.oracle.world import World
from tests.differential.oracle.wrong import wrong
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
    near: Nearness | None
    order: Order


def page(
    rows: list[Row], type_: str, arguments: Mapping[str, Any], world: World, cursors: Mapping[str, Cursor]
) -> Page:
    """Of `rows`, those that `where` admits, in order, and cut."""
    limit, backward = _limit(arguments)
    near = _nearness(arguments.get("nearest"))
    order = spelled(arguments.get("orderBy"), near, type_, world)
    matching = [
        row
        for row in rows
        if admits(arguments.get("where"), row, type_, world) is True and (near is None or near.of(row) is not None)
    ]
    after, before = (_place(arguments.get(name), cursors, type_, order, world) for name in ("after", "before"))
    marked = matching + [row for row in (after, before) if row is not None and row not in matching]
    in_order = ordered(marked, arguments.get("orderBy"), near, type_, world)
    start = in_order.index(after) + 1 if after is not None else 0
    end = in_order.index(before) if before is not None else len(in_order)
    between = [row for row in in_order[start:end] if row in matching]
    shown = between[max(len(between) - limit, 0) :] if backward else between[:limit]
    more = len(between) > limit
    return Page(
        type_,
        [row for row in in_order if row in matching],
        shown,
        has_next=before is not None if backward else more,
        has_previous=more if backward else after is not None,
        near=near,
        order=order,
    )


def cursor(of: Page, row: Row, world: World) -> Cursor:
    return Cursor(of.type, world.place(of.type, row), of.order)


def _nearness(nearest: Mapping[str, Any] | None) -> Nearness | None:
    if nearest is None:
        return None
    ((column, sought),) = nearest.items()
    return Nearness(column, tuple(sought["vector"]))


def _place(text: str | None, cursors: Mapping[str, Cursor], type_: str, order: Order, world: World) -> Row | None:
    if text is None:
        return None
    found = cursors.get(text)
    if found is None or (found.type, found.order) != (type_, order):
        raise wrong("the cursor of no list, or of another", "INVALID_CURSOR")
    return next(row for row in world.rows[type_] if world.place(type_, row) == found.place)


def _limit(arguments: Mapping[str, Any]) -> tuple[int, bool]:
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise wrong("first and last")
    limit = first if first is not None else last if last is not None else _DEFAULT
    if limit < 0:
        raise wrong("a page of fewer rows than none")
    if limit > _MOST:
        raise wrong("too large a page", "PAGE_TOO_LARGE")
    return limit, last is not None
