"""A kept `TableQuery` as a read that asks for one row, or group, more than it shows: to see whether there are more."""

from dataclasses import replace
from typing import Any

from loaders.description import Table
from loaders.read import (
    Aggregate,
    Connection,
    Nodes,
    Page,
    PageInfo,
    PageInfoPart,
    Predicate,
    Read,
)
from resolvers.gen.rows import MAX_GROUPS, MeasureOf, aggregate_read, fields, order, predicate
from resolvers.gen.table_query import MAX_ROWS, TableQuery


def own_condition(query: TableQuery, table: Table) -> Predicate | None:
    """The query's `where`."""
    if query.where is None:
        return None
    return predicate(query.where.model_dump(by_alias=True, exclude_unset=True), table)


def limit_of(query: TableQuery) -> int:
    """How many rows, or groups, it shows at most."""
    if query.limit is not None:
        return query.limit
    return MAX_GROUPS if query.grouped else MAX_ROWS


def query_read(query: TableQuery, table: Table, where: Predicate | None) -> Read:
    """The entry `rows` of its answer are the rows or the groups; of groups there is one more than `limit_of`."""
    terms = [(term.column, term.direction == "DESC") for term in query.order_by or ()]
    if query.grouped:
        read = aggregate_read(
            table,
            group_by=query.group_by or [],
            measures=[
                MeasureOf(measure.aggregate, measure.column, measure.key, measure.fraction)
                for measure in query.measures or ()
            ],
            where=where,
            limit=limit_of(query),
            order_by=terms,
        )
        return _one_more(read)
    shown = Nodes(fields(table, query.select))
    more = PageInfo((("more", PageInfoPart.HAS_NEXT_PAGE),))
    return Read(
        table,
        connection=Connection((("rows", shown), ("page", more))),
        where=where,
        order=order(table, terms),
        page=Page(limit=limit_of(query)),
    )


def _one_more(read: Read) -> Read:
    assert read.connection is not None
    ((name, part),) = read.connection.entries
    assert isinstance(part, Aggregate)
    assert part.limit is not None
    return replace(read, connection=Connection(((name, replace(part, limit=part.limit + 1)),)))


def cut(query: TableQuery, answer: dict[str, Any]) -> tuple[list[Any], bool]:
    """The rows to show of the answer of `query_read`, and whether there are more."""
    rows: list[Any] = answer["rows"]
    if query.grouped:
        limit = limit_of(query)
        return rows[:limit], len(rows) > limit
    return rows, bool(answer["page"]["more"])
