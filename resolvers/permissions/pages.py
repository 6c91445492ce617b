"""Fills pages for callers who may see too many objects to list: keys are read ahead in the order of the page and
checked.

The guard of the page becomes the set of visible objects among its next rows, so everything after it works as for other
callers. Keys are read until the page is full or the list ends; objects that were found hidden are not read again. The
rows that were read ahead tell whether more follow, and cursors are unaffected.

As many objects are checked as keys were requested, however many were found. Otherwise the time of an empty page would
tell whether a hidden row matches its filter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from loaders.encode.cursor import decode_cursor
from loaders.openfga.client import MAX_CHECKS
from loaders.order import cursor_form
from loaders.read import (
    Aggregate,
    Col,
    Computed,
    Connection,
    ConnectionPart,
    EdgePart,
    Edges,
    Field,
    Literal,
    Nodes,
    Not,
    Page,
    PageInfo,
    PageInfoPart,
    Read,
    Related,
    TotalCount,
    conjunction,
)
from resolvers.permissions.guards import Guard, Visible, WithFields
from resolvers.permissions.reached import Rows, felt
from resolvers.permissions.restrict import by_visibility
from resolvers.permissions.verdicts import Only, Verdicts

_ROUNDS = 4
MOST = 1_050
"""Keys that are read ahead at once: for 1,000 rows, whether one follows, and what OpenFGA's last call still takes."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The objects whose rows the page shows. `more`: visible rows follow it."""

    seen: Only
    more: bool


def page_guard(read: Read, guard: Guard) -> Visible | None:
    """The guard of the rows of the read, if nothing else in it depends on who sees its table."""
    rows = guard.rows if isinstance(guard, WithFields) else guard
    if not isinstance(rows, Visible) or not read.table.key:
        return None
    if read.connection is not None and any(isinstance(part, Aggregate) for _, part in read.connection.entries):
        return None
    elsewhere = felt(read)
    return None if read.table in elsewhere or rows.holder(read.table) in elsewhere else rows


def counts(read: Read) -> bool:
    """Whether the read asks for the number of all rows, which a page cannot tell."""
    return read.connection is not None and any(isinstance(part, TotalCount) for _, part in read.connection.entries)


async def filled(read: Read, guard: Visible, *, verdicts: Verdicts, rows: Rows) -> Filled | None:
    """`read` is guarded except for the rows of its own table. None if the page is not full after some rounds."""
    limit = cast(int, read.page.limit)
    seen: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    calls = max(1, round(2 * (limit + 1) / MAX_CHECKS))
    visible, ahead, page = 0, calls * MAX_CHECKS, read.page
    for _ in range(_ROUNDS):
        size = min(ahead, MOST)
        keys = _keys(replace(read, page=replace(page, limit=size)), guard, Only(hidden))
        edges = cast(list[dict[str, Any]], cast(dict[str, Any], await rows(keys))["edges"])
        objects = [_object(edge["node"], guard) for edge in edges]
        met = {object_ for object_ in objects if object_ is not None}
        new = met - seen - hidden
        asked = new | decoys(read, size - len(met))
        granted = new & await verdicts.filter(guard.type, guard.relation, asked)
        seen, hidden = seen | granted, hidden | (new - granted)
        visible += sum(object_ in seen for object_ in objects)
        if len(edges) < size:
            return Filled(Only(seen), visible > limit)
        if visible > limit:
            return Filled(Only(seen), True)
        page, ahead = _further(read, edges, page), ahead * 4
    return None


def decoys(read: Read, count: int) -> frozenset[str]:
    """Ids of objects that do not exist. The same read gets the same ones, so their verdicts are cached like others."""
    seed = hash(repr(read)) & 0xFFFF_FFFF_FFFF_FFFF
    return frozenset(f"nowhere-{seed:x}-{n}" for n in range(count))


def shown(read: Read, found: Filled, *, counted: bool) -> Read:
    """The read with what is known of the page: whether more rows follow, and null for a count that cannot be known."""
    assert read.connection is not None
    side = PageInfoPart.HAS_PREVIOUS_PAGE if read.page.backward else PageInfoPart.HAS_NEXT_PAGE
    entries: list[tuple[str, ConnectionPart]] = []
    for key, part in read.connection.entries:
        if isinstance(part, PageInfo) and found.more:
            known = tuple((name, Literal(True) if each is side else each) for name, each in part.entries)
            entries.append((key, PageInfo(known)))
        elif isinstance(part, TotalCount) and not counted:
            entries.append((key, Literal(None)))
        else:
            entries.append((key, part))
    return replace(read, connection=Connection(tuple(entries)))


def _keys(read: Read, guard: Visible, hidden: Only) -> Read:
    """The cursors and objects of the next rows, except those of objects that are known to be hidden."""
    node = Nodes((_object_field(guard.via, guard.column),))
    skipped = by_visibility(guard, read.table, hidden) if hidden.ids else None
    return replace(
        read,
        where=conjunction((read.where, None if skipped is None else Not(skipped))),
        connection=Connection((("edges", Edges((("cursor", EdgePart.CURSOR), ("node", node)))),)),
    )


def _object_field(via: Sequence[Any], column: str) -> Field:
    if not via:
        return Field("o", Computed(Col(column)))
    join, *further = via
    return Field("o", Related(join, Read(join.target, fields=(_object_field(further, column),))))


def _object(node: Any, guard: Visible) -> str | None:
    for _ in range(len(guard.via) + 1):
        if node is None:
            return None
        node = node["o"]
    return None if node is None else str(node)


def _further(read: Read, edges: Sequence[dict[str, Any]], page: Page) -> Page:
    edge = edges[0] if page.backward else edges[-1]
    bound = decode_cursor(edge["cursor"], cursor_form(read.order, read.table))
    return replace(page, before=bound) if page.backward else replace(page, after=bound)
