"""Several lists of distinct values in one statement, each with its own table and condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlglot import exp

from loaders.columnar.answer import Answer, run
from loaders.columnar.batch_size import apart
from loaders.columnar.binder import ROW, Binder, column
from loaders.columnar.dialect import Dialect
from loaders.columnar.predicate import condition
from loaders.columnar.source import Source
from loaders.columnar.statement import OutputColumn, Statement
from loaders.description import Table
from loaders.encode.text import json_text
from loaders.expression import COUNT, sortable
from loaders.ledger import Ledger
from loaders.read import Col, Predicate


@dataclass(frozen=True, slots=True)
class DistinctList:
    """The first `limit` distinct values of a column, in order, among the rows that match."""

    table: Table
    column: str
    where: Predicate | None
    limit: int


async def read_distinct(lists: Sequence[DistinctList], source: Source, ledger: Ledger) -> list[list[Any]]:
    """The values of each list in their JSON form. Raises `BadInput`, before anything is sent, if a column has no
    order.
    """
    statement = distinct_statement(lists, source.dialect)
    with ledger.room.lent() as lent:
        found = await run(source, statement, ledger, lent)
        return await apart(found.size, lambda: _values(Answer(statement, found), len(lists)))


def _values(answer: Answer, lists: int) -> list[list[Any]]:
    places = answer.integers(0)
    found: list[list[Any]] = []
    for place in range(lists):
        texts = json_text(*answer.column(place + 1)).to_pylist()
        found.append([orjson.loads(text) for of, text in zip(places, texts, strict=True) if of == place])
    return found


def distinct_statement(lists: Sequence[DistinctList], dialect: Dialect) -> Statement:
    """The columns are the position of the list, and one per list, which is null in rows of other lists. Ordered."""
    binder = Binder(dialect, lists[0].table)
    types = [sortable(Col(each.column), each.table) for each in lists]
    columns = (OutputColumn("c0", COUNT), *(OutputColumn(f"c{n}", type_) for n, type_ in enumerate(types, 1)))
    pieces = [_piece(place, len(lists), each, binder.of(each.table)) for place, each in enumerate(lists)]
    rows: exp.Query = pieces[0]
    for piece in pieces[1:]:
        rows = exp.Union(this=rows, expression=piece, distinct=False)
    values = [column("f"), *(column(f"v{place}") for place in range(len(lists)))]
    shown = [dialect.projection(value, output.type) for value, output in zip(values, columns, strict=True)]
    query = exp.Select().from_(exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier(ROW))))
    query = query.select(*(_as(value, output.name) for value, output in zip(shown, columns, strict=True)))
    if dialect.groups_are_sorted_outside:
        values = [column(output.name) for output in columns]
        query = exp.select(*(_as(value, value.name) for value in values)).from_(query.subquery(ROW))
    query = query.order_by(*(_ordered(value) for value in values))
    return Statement(query.sql(dialect=dialect.name, copy=False), tuple(binder.parameters), columns)


def _piece(place: int, count: int, each: DistinctList, binder: Binder) -> exp.Select:
    key = binder.sort_key(Col(each.column), sortable(Col(each.column), each.table))
    source = exp.table_(each.table.name, db=each.table.schema, quoted=True, alias=ROW)
    grouped = exp.select(_as(key, "v")).from_(source).group_by(key.copy())
    if each.where is not None:
        grouped = grouped.where(condition(each.where, each.table, binder))
    value = column("v")
    first = exp.select(_as(value, "v")).from_(grouped.subquery(ROW)).order_by(_ordered(value)).limit(each.limit)
    columns = [value.copy() if of == place else exp.null() for of in range(count)]
    named = (_as(shown, f"v{of}") for of, shown in enumerate(columns))
    return exp.select(_as(exp.Literal.number(place), "f"), *named).from_(first.subquery(ROW))


def _as(value: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(value.copy(), name, quoted=True)


def _ordered(value: exp.Expr) -> exp.Ordered:
    return exp.Ordered(this=value.copy(), desc=False, nulls_first=False)
