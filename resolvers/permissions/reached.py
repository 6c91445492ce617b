"""Finds the candidates below a page: only rows that its own rows lead to, so not all objects of a table have to be
checked.

It is for callers who may see too many objects to list. If the guard's column is the one that rows are joined by, the
row above has its value: `organizations { holds { organization } }` asks nothing more than the page did. Otherwise the
distinct values are read from the rows that the joins reach from the page, without the conditions of nested lists, since
any of these rows may be met.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeAlias, cast

from loaders.description import Table
from loaders.plan import joins
from loaders.read import (
    And,
    Col,
    Compare,
    Computed,
    Connection,
    Exists,
    Field,
    Join,
    Nodes,
    Op,
    Predicate,
    Read,
    Related,
)
from resolvers.permissions.apply import touched
from resolvers.permissions.restrict import names_objects, typed

Rows: TypeAlias = Callable[[Read], Awaitable[object]]
"""The answer of a read as Python values, without a guard: keys are read for the guard station's own eyes."""
Distinct: TypeAlias = Callable[[Table, str, Predicate | None], Awaitable[Collection[object]]]
"""The distinct values of a column, in rows that the predicate admits. Nulls may be among them."""
Chain: TypeAlias = tuple[Join, ...]
NOWHERE = Table("", None, "", ())


def felt(read: Read) -> frozenset[Table]:
    """Tables whose rows decide which rows are shown, here or in nested lists, or in which order: any of their rows may
    matter.
    """
    tables: set[Table] = set()
    for _, level in _levels(read, ()):
        tables |= touched(replace(level, table=NOWHERE, fields=(), connection=None)).keys()
    return frozenset(tables)


def chains(read: Read) -> Mapping[Table, tuple[Chain, ...]]:
    """For each table that is met only as nested rows, the joins that lead to it from the rows of the read."""
    found: dict[Table, list[Chain]] = defaultdict(list)
    for chain, level in _levels(read, ()):
        if chain:
            found[level.table].append(chain)
    anywhere = felt(read)
    return {table: tuple(dict.fromkeys(each)) for table, each in found.items() if table not in anywhere}


class Reached:
    """`page` is guarded except for what is being checked here; its rows are read when they are first needed.

    `columns` are columns of the page that are needed beside those it is joined by.
    """

    def __init__(
        self,
        page: Read,
        chains: Mapping[Table, tuple[Chain, ...]],
        *,
        columns: Iterable[str] = (),
        rows: Rows,
        distinct: Distinct,
    ) -> None:
        joined = (name for each in chains.values() for chain in each for name in (chain[0].local if chain else ()))
        self._columns = tuple(dict.fromkeys((*columns, *joined)))
        self._page = page
        self._chains = chains
        self._rows = rows
        self._distinct = distinct
        self._reading = asyncio.Lock()
        self._values: Mapping[str, frozenset[str]] | None = None

    async def candidates(self, table: Table, via: tuple[Join, ...], column: str) -> Collection[object]:
        """As `resolvers.permissions.restrictions.Candidates`, for the tables of `chains`."""
        found: set[object] = set()
        for chain, name in dict.fromkeys(_shortest((*chain, *via), column) for chain in self._chains[table]):
            values = await self._page_values()
            if not chain:
                found |= values[name]
            elif all(values[each] for each in chain[0].local):
                found.update(await self._distinct(chain[-1].target, name, _reached(chain, values)))
        return found

    async def _page_values(self) -> Mapping[str, frozenset[str]]:
        """The values in the rows of the page of the columns that others are joined by."""
        async with self._reading:
            if self._values is None:
                self._values = await self._read(self._columns)
        return self._values

    async def _read(self, columns: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
        fields = tuple(Field(f"c{place}", Computed(Col(name))) for place, name in enumerate(columns))
        if self._page.connection is None:
            row = await self._rows(replace(self._page, fields=fields))
            shown = [] if row is None else [cast(dict[str, Any], row)]
        else:
            keys = replace(self._page, connection=Connection((("nodes", Nodes(fields)),)))
            shown = cast(dict[str, Any], await self._rows(keys))["nodes"]
        return {
            name: frozenset(str(row[f"c{place}"]) for row in shown if row[f"c{place}"] is not None)
            for place, name in enumerate(columns)
        }


def _levels(read: Read, chain: Chain) -> Iterator[tuple[Chain, Read]]:
    yield chain, read
    for field in (field for _, fields in read.shown() for field in fields):
        if isinstance(field.output, Related):
            yield from _levels(field.output.read, (*chain, field.output.join))


def _shortest(chain: Chain, column: str) -> tuple[Chain, str]:
    """The place nearest to the page whose rows have the values of the guard's column."""
    while chain and column in chain[-1].remote:
        column = chain[-1].local[chain[-1].remote.index(column)]
        chain = chain[:-1]
    return chain, column


def _reached(chain: Chain, values: Mapping[str, frozenset[str]]) -> Predicate | None:
    """Rows of the last table that the chain leads to; None, which is all, where no one statement can follow it."""
    first = chain[0]
    if len(chain) > 1 and not joins(first.target.store):
        return None
    joined = [
        Compare(Col(remote), Op.IN, typed(values[local], first.target, remote))
        for local, remote in zip(first.local, first.remote, strict=True)
        if names_objects(first.target, remote)
    ]
    if not joined or any(join.target.store != first.target.store for join in chain):
        return None
    where: Predicate = And(tuple(joined))
    for before, join in pairwise(chain):
        where = Exists(Join(before.target, join.remote, join.local), where)
    return where
