"""Groups of a remote table, with or without buckets of time: the reads for them, and their rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from loaders.concurrently import concurrently
from loaders.description import Table
from loaders.errors import BadInput, PageTooLarge
from loaders.read import Aggregate, And, Bucket, Connection, Joined, Predicate, Read
from resolvers.gen.answer_columns import AnswerColumn, answer_columns
from resolvers.gen.group_read import MAX_GROUPS, MeasureOf, aggregate_read
from resolvers.gen.over import Over
from resolvers.gen.rows import Term, column_of
from resolvers.gen.series import COMPARED, Shape, series
from resolvers.gen.widened import widened

Run: TypeAlias = Callable[[Read], Awaitable[list[dict[str, Any]]]]
"""Guards and runs a read of `aggregate_read`, and returns its groups."""


@dataclass(frozen=True, slots=True)
class Groups:
    """What `aggregate_read` takes. With `over` filled or compared there is neither an order nor a limit.

    Columns of `joined` are among those of the table.
    """

    table: Table
    group_by: tuple[str, ...]
    measures: tuple[MeasureOf, ...]
    where: Predicate | None
    over: Over | None = None
    order_by: tuple[Term, ...] = ()
    limit: int | None = None
    joined: tuple[Joined, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouped:
    """`truncated` says that there are more groups than the limit."""

    columns: tuple[AnswerColumn, ...]
    rows: list[dict[str, Any]]
    truncated: bool


async def grouped_rows(groups: Groups, run: Run) -> Grouped:
    """One query, or two if ranges are compared. Groups that have to be complete are `PageTooLarge` beyond
    `MAX_GROUPS`.
    """
    over = groups.over
    whole = over is not None and (over.fill is not None or over.compare is not None)
    if whole and (groups.limit is not None or groups.order_by):
        raise BadInput(
            "Groups with filled gaps or a comparison are all answered, in the order of time. Leave limit and order out."
        )
    if over is not None and COMPARED in (over.key, *groups.group_by, *(measure.key for measure in groups.measures)):
        raise BadInput(f"{COMPARED!r} is the name of the earlier range. Set `as` to another one.")
    reads = [_read(groups, over)]
    if over is not None and over.compare is not None:
        earlier = over.earlier()
        reads.append(_read(replace(groups, where=earlier.condition(groups.where)), earlier.range()))
    answers = await concurrently(_ran(run, read) for read in reads)
    columns = answer_columns(reads[0])
    limit = MAX_GROUPS if groups.limit is None else groups.limit
    truncated = any(len(answer) > limit for answer in answers)
    if truncated and whole:
        raise PageTooLarge(f"There are more than {MAX_GROUPS} groups. Take a longer unit, or narrow them.")
    if over is None or not whole:
        return Grouped(columns, answers[0][:limit], truncated)
    kinds = {column.name: column.kind for column in columns}
    shape = Shape(
        column_of(groups.table, over.bucket.column).type,
        tuple(dict.fromkeys(groups.group_by)),
        {measure.key: kinds[measure.key] for measure in groups.measures},
        groups.table.store,
    )
    return Grouped(columns, series(over, shape, *answers), truncated)


async def _ran(run: Run, read: Read) -> list[dict[str, Any]]:
    return await run(read)


def _read(groups: Groups, over: Over | None) -> Read:
    """Requests one group more than are shown, to find out whether there are more."""
    limit = MAX_GROUPS if groups.limit is None else groups.limit
    terms = tuple(term for term in (groups.where, over.range() if over else None) if term is not None)
    buckets: dict[str, Bucket] = {} if over is None else {over.key: over.bucket}
    read = aggregate_read(
        groups.table,
        group_by=groups.group_by,
        measures=groups.measures,
        where=widened(And(terms), groups.joined) if terms else None,
        limit=limit,
        buckets=buckets,
        order_by=groups.order_by,
    )
    assert read.connection is not None
    ((name, part),) = read.connection.entries
    assert isinstance(part, Aggregate)
    connection = Connection(((name, replace(part, limit=limit + 1)),))
    return replace(read, connection=connection, joined=groups.joined)
