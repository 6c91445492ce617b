"""Converts a stored `TableQuery` to the read of its rows, or to its groups."""

from collections.abc import Sequence
from typing import Any

from loaders.description import Table
from loaders.read import Connection, Nodes, Page, PageInfo, PageInfoPart, Predicate, Read, Unit, WeekStart
from resolvers.gen.group_read import MeasureOf
from resolvers.gen.groups import Groups
from resolvers.gen.narrowing import Applied
from resolvers.gen.over import Comparison, Fill, Over, over
from resolvers.gen.row_filter import predicate
from resolvers.gen.rows import Term, fields, order
from resolvers.gen.table_query import MAX_ROWS, TableQuery, TimeBucket
from resolvers.sort_order import sort_order


def own_condition(query: TableQuery, table: Table) -> Predicate | None:
    """The query's `where`."""
    return predicate(None if query.where is None else query.where.given, table)


def query_read(query: TableQuery, table: Table, where: Predicate | None) -> Read:
    """The answer's entry `rows` has the rows, and `page.more` says whether there are more than the limit."""
    shown = Nodes(fields(table, query.select))
    more = PageInfo((("more", PageInfoPart.HAS_NEXT_PAGE),))
    return Read(
        table,
        connection=Connection((("rows", shown), ("page", more))),
        where=where,
        order=order(table, _terms(query)),
        page=Page(limit=MAX_ROWS if query.limit is None else query.limit),
    )


def query_groups(
    query: TableQuery, table: Table, where: Predicate | None, *, time_zone: str, applied: Sequence[Applied]
) -> Groups:
    """Buckets are computed in `time_zone`. Without a range of its own, the bucket takes the range of an applied filter
    on its column.
    """
    return Groups(
        table,
        tuple(query.group_by or ()),
        tuple(
            MeasureOf(measure.aggregate, measure.column, measure.key, measure.fraction)
            for measure in query.measures or ()
        ),
        where,
        over=None if query.over is None else _over(query.over, table, time_zone, applied),
        order_by=tuple(_terms(query)),
        limit=query.limit,
    )


def _over(bucket: TimeBucket, table: Table, time_zone: str, applied: Sequence[Applied]) -> Over:
    first, end = bucket.from_, bucket.to
    if first is None and end is None:
        ranges = (each.range for each in applied if each.column == bucket.column)
        first, end = next((range_ for range_ in ranges if range_ is not None), (None, None))
    return over(
        table,
        bucket.column,
        Unit[bucket.unit],
        time_zone=time_zone,
        week_start=WeekStart[bucket.week_start],
        key=bucket.key,
        first=first,
        end=end,
        fill=None if bucket.fill is None else Fill[bucket.fill],
        compare=None if bucket.compare is None else Comparison[bucket.compare],
    )


def _terms(query: TableQuery) -> list[Term]:
    return [Term(term.column, *sort_order(term.direction)) for term in query.order_by or ()]


def shown_rows(answer: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """The rows of an answer of `query_read`, and whether there are more."""
    return answer["rows"], bool(answer["page"]["more"])
