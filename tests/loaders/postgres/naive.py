"""A naive interpreter of nested reads over rows in memory: the oracle of the Postgres compiler.

A cursor is answered as the key of its row, since its text is the store's own affair.
"""

from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from loaders.description import Kind, Table
from loaders.encode.node_id import encode_node_id
from loaders.expression import expression_type, measure_type
from loaders.read import (
    Aggregate,
    And,
    Bucket,
    Col,
    Computed,
    ConnectionPart,
    CountOf,
    EdgePart,
    Edges,
    Exists,
    Expression,
    Field,
    Figures,
    GroupOrder,
    Having,
    Join,
    Literal,
    Measure,
    NodeId,
    Nodes,
    Not,
    Or,
    PageInfo,
    PageInfoPart,
    Predicate,
    Read,
    Related,
    SortKey,
    Through,
    TotalCount,
    figure,
)
from tests.loaders.buckets import bucket_of
from tests.loaders.columnar.naive import Row, holds, ordered, own_value
from tests.loaders.measures import in_order, measured
from tests.loaders.postgres.rows import json_of, sort_key

Data = dict[str, list[Row]]


def answer(read: Read, data: Data, join: Join | None = None, outer: Row | None = None) -> Any:
    rows = matching(read, data, join, outer)
    if read.connection is None:
        return _object(read.fields, read.table, rows[0], data) if rows else None
    shown = _page(rows, read)
    return {name: _part(part, read, rows, shown, data) for name, part in read.connection.entries}


def matching(read: Read, data: Data, join: Join | None = None, outer: Row | None = None) -> list[Row]:
    """The rows of the whole match in order."""
    rows = data[read.table.name]
    if join is not None and outer is not None:
        rows = _joined(join, outer, data)
    found = [row for row in rows if read.where is None or holds(_settled(read.where, row, data), row, sort_key)]
    return ordered(found, replace(read, where=None), sort_key, partial(_sorted_by, data=data))


def _sorted_by(key: SortKey, row: Row, data: Data) -> object:
    match key:
        case Through(join, by, where):
            rows = matching(Read(join.target, where=where), data, join, row)
            return _sorted_by(by, rows[0], data) if rows else None
        case CountOf(join, where):
            return len(matching(Read(join.target, where=where), data, join, row))
        case _:
            return own_value(key, row)


def _joined(join: Join, outer: Row, data: Data) -> list[Row]:
    pairs = list(zip(join.local, join.remote, strict=True))
    return [
        row
        for row in data[join.target.name]
        if all(outer[own] is not None and outer[own] == row[far] for own, far in pairs)
    ]


def _settled(predicate: Predicate, row: Row, data: Data) -> Predicate:
    """Every `Exists` replaced by what it is for this row."""
    match predicate:
        case And(terms):
            return And(tuple(_settled(term, row, data) for term in terms))
        case Or(terms):
            return Or(tuple(_settled(term, row, data) for term in terms))
        case Not(term):
            return Not(_settled(term, row, data))
        case Exists(join, where):
            far = _joined(join, row, data)
            found = any(where is None or holds(_settled(where, each, data), each, sort_key) for each in far)
            return And(()) if found else Or(())
        case _:
            return predicate


def _page(rows: list[Row], read: Read) -> list[Row]:
    limit = read.page.limit
    if limit is None:
        return rows
    return rows[max(len(rows) - limit, 0) :] if read.page.backward else rows[:limit]


def _part(part: ConnectionPart, read: Read, rows: list[Row], shown: list[Row], data: Data) -> Any:
    match part:
        case Literal(value):
            return value
        case TotalCount():
            return len(rows)
        case Nodes(fields):
            return [_object(fields, read.table, row, data) for row in shown]
        case Edges(entries):
            return [{name: _edge(entry, read.table, row, data) for name, entry in entries} for row in shown]
        case PageInfo(entries):
            more = len(rows) > len(shown)
            values = {
                PageInfoPart.HAS_NEXT_PAGE: more and not read.page.backward,
                PageInfoPart.HAS_PREVIOUS_PAGE: more and read.page.backward,
                PageInfoPart.START_CURSOR: _place(shown[0], read.table) if shown else None,
                PageInfoPart.END_CURSOR: _place(shown[-1], read.table) if shown else None,
            }
            return {name: e.value if isinstance(e, Literal) else values[e] for name, e in entries}
        case Aggregate():
            return _groups(part, read.table, rows)


def _edge(entry: EdgePart | Literal | Nodes, table: Table, row: Row, data: Data) -> Any:
    match entry:
        case Nodes(fields):
            return _object(fields, table, row, data)
        case Literal(value):
            return value
        case _:
            return _place(row, table)


def _place(row: Row, table: Table) -> list[str]:
    return [str(row[name]) for name in table.key]


def _object(fields: tuple[Field, ...], table: Table, row: Row, data: Data) -> dict[str, Any]:
    return {field.key: _output(field, table, row, data) for field in fields}


def _output(field: Field, table: Table, row: Row, data: Data) -> Any:
    match field.output:
        case Literal(value):
            return value
        case NodeId(type_name, columns):
            return encode_node_id(type_name, [str(row[name]) for name in columns])
        case Computed(Col(name)):
            return json_of(row[name], table.column(name).type)
        case Related(join, read):
            return answer(read, data, join, row)
        case output:
            raise TypeError(output)


def _groups(aggregate: Aggregate, table: Table, rows: list[Row]) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(_group_key(row, group) for group in aggregate.group_by), []).append(row)
    if not aggregate.group_by:
        groups.setdefault((), [])
    having = aggregate.having
    if having is not None:
        groups = {
            values: rows for values, rows in groups.items() if holds(having.where, _held(having, rows, table), sort_key)
        }
    ordered_keys = sorted(groups, key=lambda values: [(v is None, None if v is None else sort_key(v)) for v in values])
    for term in reversed(aggregate.order):
        by = {values: _order_value(term, aggregate, values, groups[values]) for values in ordered_keys}
        ordered_keys = in_order(ordered_keys, by, term, sort_key)
    return [
        {name: _entry(entry, aggregate, values, groups[values], table) for name, entry in aggregate.entries}
        for values in (ordered_keys[: aggregate.limit] if aggregate.group_by else ordered_keys)
    ]


def _order_value(term: GroupOrder, aggregate: Aggregate, values: tuple[Any, ...], rows: list[Row]) -> Any:
    return _value(term.by, rows) if isinstance(term.by, Measure) else values[aggregate.group_by.index(term.by)]


def _held(having: Having, rows: list[Row], table: Table) -> Row:
    values = {
        figure(n): (_value(measure, rows), measure_type(measure, table)) for n, measure in enumerate(having.measures)
    }
    return {
        name: Decimal(value) if value is not None and type_.kind is Kind.NUMERIC else value
        for name, (value, type_) in values.items()
    }


def _group_key(row: Row, expression: Expression) -> Any:
    if isinstance(expression, Bucket):
        return bucket_of(row[expression.column], expression)
    assert isinstance(expression, Col)
    value = row[expression.name]
    return None if isinstance(value, float) and value != value else value


def _entry(
    entry: Expression | Measure | Literal | Figures,
    aggregate: Aggregate,
    values: tuple[Any, ...],
    rows: list[Row],
    table: Table,
) -> Any:
    match entry:
        case Literal(value):
            return value
        case Figures(below):
            return {name: _entry(each, aggregate, values, rows, table) for name, each in below}
        case Measure():
            return json_of(_value(entry, rows), measure_type(entry, table))
        case group:
            return json_of(values[aggregate.group_by.index(group)], expression_type(group, table))


def _value(measure: Measure, rows: list[Row]) -> Any:
    if measure.expression is None:
        return len(rows)
    assert isinstance(measure.expression, Col)
    name = measure.expression.name
    return measured(measure, [row[name] for row in rows if row[name] is not None], sort_key)
