"""Reads for callers who may see too many objects to list: candidates are read ahead and checked.

First come the tables that decide which rows a page has, then the page itself, then what is shown of it and below it.
Where a condition, an order or a figure depends on a table, all its objects are checked; otherwise only those that the
page leads to.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from loaders.description import Table
from loaders.errors import CostExceeded
from loaders.read import Connection, Join, Read
from resolvers.permissions.apply import Restriction, apply, touched
from resolvers.permissions.guards import Guard, SignedIn, Visible, WithFields
from resolvers.permissions.pages import MOST, Filled, counts, decoys, filled, page_guard, shown
from resolvers.permissions.reached import Distinct, Reached, Rows, chains
from resolvers.permissions.restrict import by_visibility
from resolvers.permissions.restrictions import Candidates, any_unbounded, checked, restrictions
from resolvers.permissions.verdicts import Only, Verdicts


async def over_fetched(
    read: Read,
    guards: Mapping[Table, Guard],
    *,
    verdicts: Verdicts,
    distinct: Distinct,
    rows: Rows,
    at_most: int | None = None,
) -> Read:
    """As `resolvers.permissions.station.guard`."""
    known = 1 if read.connection is None else at_most
    table, own = read.table, guards[read.table]
    limit = read.page.limit
    bounded = known is not None or (limit is not None and limit < MOST)  # of more rows, all that may be met is checked
    below = dict(chains(read)) if bounded else {}
    again = below.pop(table, ())
    first = {each: guard for each, guard in guards.items() if each not in below}
    later = {each: guard for each, guard in guards.items() if each in below}
    paged = await _paged(read, own, verdicts) if bounded else None
    columns: tuple[str, ...] = ()
    if paged is not None:
        first[table], later[table] = _apart(own, touched(_alone(read))[table])
        below[table] = ((), *again)
        columns = (*_held(paged), *_holders(later[table]))
    found = await _restricted(first, verdicts, everywhere(distinct))
    if paged is not None:
        alone = apply(_alone(read), found)
        if known is not None:
            seen = await _seen(alone, known, paged, verdicts=verdicts, distinct=distinct, rows=rows)
        else:
            read, seen = await _page(read, alone, paged, verdicts=verdicts, distinct=distinct, rows=rows)
        found[table] = replace(found[table], rows=by_visibility(paged, table, seen))
    reached = Reached(apply(_alone(read), found), below, columns=columns, rows=rows, distinct=distinct)
    nested = await _restricted(later, verdicts, reached.candidates)
    if paged is not None:
        rows_ = found[table].rows
        if again:
            met = await checked(table, paged, verdicts, reached.candidates)
            rows_ = by_visibility(paged, table, Only(seen.ids | met.ids))
        nested[table] = Restriction(rows_, found[table].masks + nested[table].masks)
    return apply(read, {**found, **nested})


def everywhere(distinct: Distinct) -> Candidates:
    """The candidates are all objects that a table has."""

    async def candidates(table: Table, via: tuple[Join, ...], column: str) -> Collection[object]:
        return await distinct(via[-1].target if via else table, column, None)

    return candidates


async def _restricted(
    guards: Mapping[Table, Guard], verdicts: Verdicts, candidates: Candidates
) -> dict[Table, Restriction]:
    found = await restrictions(guards, verdicts=verdicts, candidates=candidates)
    return dict(zip(guards, found, strict=True))


async def _paged(read: Read, own: Guard, verdicts: Verdicts) -> Visible | None:
    guard = page_guard(read, own)
    if guard is None or not await any_unbounded([(guard.type, guard.relation)], verdicts):
        return None
    return guard


async def _seen(
    alone: Read, at_most: int, guard: Visible, *, verdicts: Verdicts, distinct: Distinct, rows: Rows
) -> Only:
    """The visible ones among the objects of all rows of a table.

    One more object is asked about than there can be, so that no answer is made of cached verdicts alone.
    """
    reached = Reached(alone, {alone.table: ((),)}, columns=_held(guard), rows=rows, distinct=distinct)
    met = await reached.candidates(alone.table, guard.via, guard.column)
    ids = frozenset(str(id_) for id_ in met if id_ is not None)
    asked = ids | decoys(alone, at_most + 1 - len(ids))
    return Only(ids & await verdicts.filter(guard.type, guard.relation, asked))


async def _page(
    read: Read,
    alone: Read,
    guard: Visible,
    *,
    verdicts: Verdicts,
    distinct: Distinct,
    rows: Rows,
) -> tuple[Read, Only]:
    """The read as it can be shown, and the visible objects of its rows; `alone` contains all of them.

    A page is filled by reading ahead. A count needs all candidates; where there are too many it is null.
    """
    page: Filled | None = None
    counted = False
    if counts(read):
        try:
            page = Filled(await checked(read.table, guard, verdicts, everywhere(distinct)), more=False)
            counted = True
        except CostExceeded:
            counted = False
    if page is None:
        page = await filled(alone, guard, verdicts=verdicts, rows=rows)
    if page is None:
        page = Filled(await checked(read.table, guard, verdicts, everywhere(distinct)), more=False)
    return shown(read, page, counted=counted), page.seen


def _alone(read: Read) -> Read:
    """The same rows, with nothing shown of them."""
    return replace(read, fields=(), connection=None if read.connection is None else Connection(()))


def _apart(guard: Guard, felt: Collection[str]) -> tuple[Guard, Guard]:
    """For a page whose rows are checked one by one: the fields that decide which rows it has, and those that it
    shows.
    """
    rows = SignedIn("the rows of the page are checked one by one")
    if not isinstance(guard, WithFields):
        return rows, rows
    before = tuple(field for field in guard.fields if field[0] in felt)
    after = tuple(field for field in guard.fields if field[0] not in felt)
    return WithFields(rows, before), WithFields(rows, after)


def _held(guard: Visible) -> tuple[str, ...]:
    """Columns of the guarded table that lead to the guard's objects."""
    return guard.via[0].local if guard.via else (guard.column,)


def _holders(guard: Guard) -> tuple[str, ...]:
    return tuple(relation.column for _, relation in guard.fields) if isinstance(guard, WithFields) else ()
