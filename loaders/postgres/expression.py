"""Compiles expressions over a row, and values to compare them with, to SQLAlchemy Core. Values are always bound
parameters.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import TypeEngine

from loaders.description import ColumnType, Kind, Table
from loaders.encode.cursor import StoreText
from loaders.errors import BadInput
from loaders.expression import expression_type
from loaders.postgres.bucket import bucket, rough_bucket
from loaders.postgres.parameter import Unfit, parameter
from loaders.postgres.types import Named, sql_type
from loaders.read import (
    Bucket,
    Col,
    Constants,
    CosineSimilarity,
    Digest,
    Expression,
    JsonPath,
    Masked,
    Slot,
    Value,
    WeekStart,
    Words,
)

NAN = sa.literal_column("'NaN'::float8", sa.Double)
_ENDS = frozenset({datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), date.min, date.max})
_RANGES = {Kind.INTEGER: range(-(2**31), 2**31), Kind.BIGINT: range(-(2**63), 2**63)}


def from_clause(table: Table) -> FromClause:
    """A new alias of the table, so that a table joined to itself is never confused with its outer row."""
    columns = [sa.column(column.name, sql_type(column.type)) for column in table.columns]
    return sa.table(table.name, *columns, schema=table.schema).alias()


def sql_expression(
    expression: Expression, table: Table, source: FromClause, *, rough: bool = False
) -> ColumnElement[Any]:
    """`rough`: buckets in the form that rows are grouped by (loaders/postgres/bucket.py)."""
    match expression:
        case Col(name):
            return source.c[name]
        case JsonPath(column, path, number):
            return _number_at(source.c[column], path) if number else _text_at(source.c[column], path)
        case CosineSimilarity(column, vector):
            return sa.literal_column("1") - cosine_distance(source.c[column], vector)
        case Bucket(week_start=week_start):
            if week_start is not WeekStart.MONDAY:
                raise TypeError("in Postgres weeks start on Monday")
            return (rough_bucket if rough else bucket)(expression, source.c[expression.column])
        case Digest():
            raise TypeError("tables in Postgres have keys, so no ties to break by a digest")
        case Masked(masked, holder, values):
            shown = source.c[holder] == sa.any_(bind_all(values, table.column(holder).type))
            return sa.case((shown, sql_expression(masked, table, source, rough=rough)))


def _text_at(document: ColumnElement[Any], path: tuple[str, ...] | Slot) -> ColumnElement[Any]:
    return document.op("#>>", return_type=sa.Text())(parameter(path, sa.ARRAY(sa.Text), list))


def _number_at(document: ColumnElement[Any], path: tuple[str, ...] | Slot) -> ColumnElement[Any]:
    """The number at a path of a JSON value. Only JSON numbers are cast, so that no document can fail the statement."""
    found = document.op("#>", return_type=Named("jsonb"))(parameter(path, sa.ARRAY(sa.Text), list))
    number = sa.func.jsonb_typeof(found) == sa.literal_column("'number'")
    return sa.case((number, sa.cast(_text_at(document, path), sa.Numeric)))


def sort_key(expression: Expression, table: Table, source: FromClause, *, rough: bool = False) -> ColumnElement[Any]:
    """The expression in the form it sorts and groups by: NaN as null (loaders/expression.py)."""
    value = sql_expression(expression, table, source, rough=rough)
    return sa.func.nullif(value, NAN) if expression_type(expression, table).kind is Kind.FLOAT else value


def cosine_distance(column: ColumnElement[Any], vector: Sequence[float] | Words | Slot) -> ColumnElement[Any]:
    """pgvector's `<=>`, the operator of the HNSW index with `vector_cosine_ops`. Raises `BadInput` for a vector of
    zeros.
    """
    text = parameter(vector, sa.Text(), _vector_text)
    return column.op("<=>", return_type=sa.Double())(sa.cast(text, Named("vector")))


def _vector_text(vector: Any) -> str:
    assert not isinstance(vector, Words), "a text stands where its embedding should"
    if not any(vector):
        raise BadInput("A vector of zeros has no direction. Search by another one.")
    return "[" + ",".join(map(repr, vector)) + "]"


def bind(value: Value, type_: ColumnType) -> ColumnElement[Any]:
    """The value as a parameter to compare with a column of that type. Numbers beyond the range of the type can be
    compared, too.
    """
    if isinstance(value, Slot) and type_.kind not in (Kind.JSON, Kind.GEOMETRY, Kind.VECTOR):
        return parameter(value, sql_type(type_), partial(_usual, type_=type_))
    if _is_end(value):
        return sa.cast(parameter(str(value), sa.Text()), sql_type(type_))
    if isinstance(value, StoreText) or type_.kind in (Kind.JSON, Kind.GEOMETRY, Kind.VECTOR):
        return sa.cast(parameter(value, sa.Text()), sql_type(type_))
    if isinstance(value, tuple):
        return sa.bindparam(None, list(value), sql_type(type_))
    (fitting,), fitting_type = _fitting((value,), type_)
    return sa.bindparam(None, fitting, fitting_type)


def bind_all(values: tuple[Value, ...] | Slot, type_: ColumnType) -> ColumnElement[Any]:
    """The values as one array parameter, or as a constant array if they are `Constants`."""
    if isinstance(values, Slot):
        return parameter(values, sa.ARRAY(sql_type(type_)), partial(_all_usual, type_=type_))
    if isinstance(values, Constants):
        return _constant(values, type_)
    if any(map(_is_end, values)):
        texts = [None if value is None else str(value) for value in values]
        return sa.cast(sa.bindparam(None, texts, sa.ARRAY(sa.Text)), sa.ARRAY(sql_type(type_)))
    fitting, fitting_type = _fitting(values, type_)
    return sa.bindparam(None, list(fitting), sa.ARRAY(fitting_type))


def _constant(values: Constants, type_: ColumnType) -> ColumnElement[Any]:
    """Raises `Unfit` for values that the column cannot hold, and for types whose values are not plain digits."""
    numbers = type_.kind in _RANGES and all(type(each) is int and each in _RANGES[type_.kind] for each in values)
    if not numbers and not (type_.kind is Kind.UUID and all(type(each) is UUID for each in values)):
        raise Unfit
    return sa.cast(sa.literal_column("'{" + ",".join(map(str, values)) + "}'"), sa.ARRAY(sql_type(type_)))


def bind_place(rows: tuple[tuple[Value, ...], ...] | Slot, place: int, type_: ColumnType) -> ColumnElement[Any]:
    """The values at one position of the rows, as one array parameter."""
    if isinstance(rows, Slot):
        return parameter(rows, sa.ARRAY(sql_type(type_)), partial(_usual_at, place=place, type_=type_))
    return bind_all(tuple(row[place] for row in rows), type_)


def _usual_at(rows: Any, place: int, type_: ColumnType) -> list[object]:
    return _all_usual([row[place] for row in rows], type_)


def _is_end(value: Value) -> bool:
    """Whether asyncpg would send the instant or date as an infinity: the first and the last one of Python's
    calendar.
    """
    return isinstance(value, date) and value in _ENDS


def _usual(value: Any, type_: ColumnType) -> object:
    """Converts the value of a slot if it fits the type of the column, for which the statement was compiled."""
    if (
        isinstance(value, StoreText)
        or _is_end(value)
        or (isinstance(value, int) and type_.kind in _RANGES and value not in _RANGES[type_.kind])
    ):
        raise Unfit
    return list(value) if isinstance(value, tuple) else value


def _all_usual(values: Any, type_: ColumnType) -> list[object]:
    """As `_usual` for each value. Types are compared first, since thousands of ids may be sent with every read."""
    if {type(value) for value in values} != {int} or type_.kind not in _RANGES:
        return [_usual(value, type_) for value in values]
    if min(values) not in _RANGES[type_.kind] or max(values) not in _RANGES[type_.kind]:
        raise Unfit
    return list(values)


def _fitting(values: tuple[Value, ...], type_: ColumnType) -> tuple[tuple[Value, ...], TypeEngine[Any]]:
    """Integers beyond the range of the column, bound with a type that holds them."""
    if type_.kind not in _RANGES:
        return values, sql_type(type_)
    numbers = [value for value in values if isinstance(value, int)]
    for kind, range_ in _RANGES.items():
        if kind in (type_.kind, Kind.BIGINT) and all(number in range_ for number in numbers):
            return values, sql_type(ColumnType(kind))
    exact = tuple(Decimal(value) if isinstance(value, int) else value for value in values)
    return exact, sql_type(ColumnType(Kind.NUMERIC))
