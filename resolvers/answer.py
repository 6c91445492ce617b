"""Answers a `Read`: guard, then fetch. Every table-backed read reaches its store through here."""

from collections.abc import Collection
from dataclasses import replace

from loaders.columnar.source import Source
from loaders.description import Table
from loaders.errors import BadInput, CostExceeded
from loaders.failure import Failure
from loaders.fetch import distinct_values, fetch, fetch_tree
from loaders.read import Page, Predicate, Read
from resolvers.context import Context
from resolvers.cost import price
from resolvers.embedding import embedded
from resolvers.permissions.guards import Policies
from resolvers.permissions.reached import Distinct
from resolvers.permissions.station import guard

_MAX_CHECKED = 10_000
"""Objects checked for one table of one answer: 200 calls of OpenFGA."""


async def guarded(read: Read, context: Context, policies: Policies) -> Read:
    """The read restricted to what the caller may see, at every level. Raises `CostExceeded` before anything is
    asked.
    """
    if context.capture is None:  # the reader of a stream sets the pace
        context.budget.spend(price(read))
    return await guard_in(read, context, policies)


async def guard_in(read: Read, context: Context, policies: Policies, *, at_most: int | None = None) -> Read:
    """Guards the read and then replaces texts by vectors, so nothing is embedded for callers who may not ask. The price
    was checked before.
    """

    async def rows(keys: Read) -> object:
        known = await embedded(keys, context.stores.embeddings)
        tree, _ = await fetch_tree(known, stores=context.stores, ledger=context.ledger.aside)
        return tree

    verdicts, distinct = context.verdicts, distinct_of(context)
    found = await guard(read, policies, verdicts=verdicts, distinct=distinct, rows=rows, at_most=at_most)
    return await embedded(found, context.stores.embeddings)


def distinct_of(context: Context) -> Distinct:
    """Raises `CostExceeded` if more objects would have to be checked than one answer may."""

    async def distinct(table: Table, column: str, where: Predicate | None) -> Collection[object]:
        found = await distinct_values(
            table, column, where=where, bound=_MAX_CHECKED, stores=context.stores, ledger=context.ledger.aside
        )
        if found is None:
            message = f"The list is of more than {_MAX_CHECKED} objects, and you may see too many to list them."
            raise CostExceeded(f"{message} Ask for pages of it by themselves, without figures and not below others.")
        return found

    return distinct


def source_of(read: Read, context: Context) -> Source:
    """The columnar store of the read. Raises `BadInput` for Postgres, which cannot stream record batches."""
    source = context.stores.streaming.get(read.table.store)
    if source is None:
        raise BadInput(f"Lists of {read.table.store} are not streamed. Page through them as JSON.")
    return source


async def answer(read: Read, context: Context, policies: Policies) -> tuple[str | None, list[Failure]]:
    """The JSON text of the guarded read (`None`: absent object), and what failed in other stores below it."""
    return await fetch(await guarded(read, context, policies), stores=context.stores, ledger=context.ledger)


async def answer_tree(read: Read, context: Context, policies: Policies) -> tuple[object, list[Failure]]:
    """As `answer`, but as Python values, for answers in which resolvers still have to run."""
    return await fetch_tree(await guarded(read, context, policies), stores=context.stores, ledger=context.ledger)


async def answer_known(read: Read, context: Context, policies: Policies, *, rows: int) -> tuple[object, list[Failure]]:
    """As `answer_tree`, for a connection without a page whose condition matches at most `rows` rows, which is its
    price.
    """
    context.budget.spend(price(replace(read, page=Page(limit=rows))))
    found = await guard_in(read, context, policies, at_most=rows)
    return await fetch_tree(found, stores=context.stores, ledger=context.ledger)
