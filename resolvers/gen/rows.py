"""Builds reads of remote tables, whose columns are known only at run time, from plain names and values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from struct import pack, unpack
from types import MappingProxyType
from typing import Any, TypeVar

from loaders.columnar.needed import wants_cursors
from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.cursor import decode_cursor
from loaders.encode.value import decode_value
from loaders.errors import BadInput, InvalidCursor, UnknownColumn
from loaders.order import cursor_form, order_of_shown
from loaders.read import (
    Aggregate,
    AggregateFunction,
    And,
    Bucket,
    Col,
    Compare,
    Computed,
    Connection,
    Expression,
    Field,
    Figures,
    GroupOrder,
    Literal,
    Measure,
    Not,
    Op,
    Or,
    OrderBy,
    Predicate,
    Read,
)

E = TypeVar("E")
_FINER = re.compile(r"[.,][0-9]{6}([0-9]*?[1-9])0*(?![0-9])")

MAX_GROUPS = 10_000
_OPERATORS = {
    "eq": Op.EQ,
    "ne": Op.NE,
    "in": Op.IN,
    "notIn": Op.NOT_IN,
    "lt": Op.LT,
    "lte": Op.LTE,
    "gt": Op.GT,
    "gte": Op.GTE,
    "isNull": Op.IS_NULL,
    "like": Op.LIKE,
    "ilike": Op.ILIKE,
    "startsWith": Op.STARTS_WITH,
}
_PATTERNS = (Op.LIKE, Op.ILIKE, Op.STARTS_WITH)


@dataclass(frozen=True, slots=True)
class MeasureOf:
    """One aggregated value. `column=None` is for the count of rows only. `key` is its name in the answer."""

    function: AggregateFunction
    column: str | None
    key: str
    fraction: float | None = None


def column_of(table: Table, name: str) -> Column:
    """The column of that name. `UnknownColumn` lists the existing columns."""
    if not table.has_column(name):
        known = ", ".join(column.name for column in table.columns[:50])
        raise UnknownColumn(f"Table {table.name} has no column {name!r}. Its columns: {known}.")
    return table.column(name)


def fields(table: Table, names: Sequence[str] | None) -> tuple[Field, ...]:
    """The selected columns as output fields with their own names; all columns when `names` is None."""
    chosen = [column.name for column in table.columns] if names is None else list(dict.fromkeys(names))
    if not chosen:
        raise BadInput("`select` is empty. Name at least one column, or leave it out for all.")
    return tuple(Field(name, Computed(Col(column_of(table, name).name))) for name in chosen)


@dataclass(frozen=True, slots=True)
class Term:
    """A sort term, of a column or of a value of groups. Nulls as in `OrderBy`."""

    name: str
    descending: bool = False
    nulls_first: bool | None = None


def order(table: Table, terms: Sequence[Term]) -> tuple[OrderBy, ...]:
    return tuple(OrderBy(Col(column_of(table, t.name).name), t.descending, t.nulls_first) for t in terms)


def paged(read: Read, shown: tuple[str, ...], *, after: str | None) -> Read:
    """The read of a page after the cursor, with cursors for the next page if the read selects any.

    A remote table has no key, so a cursor counts ties among rows whose `shown` columns are equal (`order_of_shown`). A
    read that neither takes nor selects cursors keeps its order, which is cheaper for the engine. `InvalidCursor` for a
    cursor of another list, order or selection of columns.
    """
    if after is None and not (read.connection is not None and wants_cursors(read.connection)):
        return read
    order_by = order_of_shown(read.order, shown, read.table)
    if after is None:
        return replace(read, order=order_by, page=replace(read.page, ties=0))
    *values, ties = decode_cursor(after, cursor_form(order_by, read.table))
    if not isinstance(ties, int) or ties < 1:
        raise InvalidCursor("The cursor is malformed. Pass one exactly as `pageInfo` of the same query had it.")
    return replace(read, order=order_by, page=replace(read.page, after=tuple(values), ties=ties))


def predicate(where: Mapping[str, Any] | None, table: Table) -> Predicate | None:
    """Converts a `GenRowFilter`. `BadInput` when a value does not fit its column, `UnknownColumn` for a column."""
    if where is None:
        return None
    terms: list[Predicate] = []
    for name, nested in where.items():
        if nested is None:
            raise BadInput(f"`{name}` in `where` is null. Leave it out, or use `isNull`.")
        match name:
            case "and":
                terms.append(And(tuple(predicate(term, table) or And(()) for term in nested)))
            case "or":
                terms.append(Or(tuple(predicate(term, table) or And(()) for term in nested)))
            case "not":
                terms.append(Not(predicate(nested, table) or And(())))
    given = {name: value for name, value in where.items() if name in _OPERATORS}
    if given:
        terms += _comparisons(where.get("column"), given, table)
    elif "column" in where:
        raise BadInput(f"Nothing is asked of column {where['column']!r}. Give an operator, such as `eq`.")
    return And(tuple(terms))


def _comparisons(name: str | None, given: Mapping[str, Any], table: Table) -> list[Predicate]:
    if name is None:
        raise BadInput("An operator without `column` compares nothing. Name the column.")
    column = column_of(table, name)
    return [Compare(Col(name), op, _operand(op, value, column)) for op, value in _operators(given)]


def _operators(given: Mapping[str, Any]) -> list[tuple[Op, Any]]:
    return [(_OPERATORS[name], value) for name, value in given.items()]


def _operand(op: Op, value: Any, column: Column) -> Any:
    if value is None:
        raise BadInput(f"A condition on {column.name!r} compares with null. Use `isNull`.")
    if op is Op.IS_NULL:
        return value
    if op in _PATTERNS:
        if column.type.kind is not Kind.TEXT:
            raise BadInput(f"Column {column.name!r} is {column.type.kind}, and text patterns need text.")
        return value
    if op in (Op.IN, Op.NOT_IN):
        return tuple(typed_value(item, column) for item in value)
    return typed_value(value, column)


def typed_value(value: Any, column: Column) -> object:
    """Converts a JSON value to the column's type: numbers and text as in JSON, everything else from its text."""
    type_ = column.type
    try:
        match type_.kind, value:
            case Kind.BOOLEAN, bool():
                return value
            case ((Kind.INTEGER | Kind.BIGINT), int()) if not isinstance(value, bool):
                return decode_value(str(value), type_)
            case Kind.FLOAT, (int() | float()) if not isinstance(value, bool):
                return _single(float(value)) if type_.single else float(value)
            case Kind.NUMERIC, (int() | float()) if not isinstance(value, bool):
                return decode_value(repr(value), type_)
            case Kind.TIMESTAMP, str():
                return decode_value(_instant(value), type_)
            case ((Kind.BOOLEAN | Kind.FLOAT), _):
                raise ValueError
            case _, str():
                return decode_value(value, type_)
            case _:
                raise ValueError
    except (ValueError, OverflowError) as error:  # a float of 400 digits, an instant before year 1 in UTC
        raise BadInput(f"A value for column {column.name!r} is not {_article(type_)}.") from error


def _single(value: float) -> float:
    """Rounds to single precision, in which the column stores the value: 0.1 is another number there."""
    try:
        (nearest,) = unpack("<f", pack("<f", value))
    except OverflowError:
        return value  # beyond the range of single precision
    return float(nearest)


def _instant(text: str) -> str:
    """Converts to UTC with nanoseconds, because Python's datetimes end at microseconds."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError("no zone")
    utc = parsed.astimezone(UTC)
    finer = _FINER.search(text)
    if finer is None:
        return utc.isoformat()
    return f"{utc.replace(tzinfo=None).isoformat(timespec='microseconds')}{finer[1]}+00:00"


def _article(type_: ColumnType) -> str:
    return {Kind.TIMESTAMP: "an RFC 3339 instant with a zone"}.get(type_.kind, f"of kind {type_.kind}")


def aggregate_read(
    table: Table,
    *,
    group_by: Sequence[str],
    measures: Sequence[MeasureOf],
    where: Predicate | None,
    limit: int | None,
    buckets: Mapping[str, Bucket] = MappingProxyType({}),
    order_by: Sequence[Term] = (),
) -> Read:
    """Groups by buckets of time and then columns, with their measures. The answer's only entry is `rows`.

    `buckets` are keyed by their names in the answer, by which `order_by` refers to values; ties are ordered by the
    group's values. Without a `limit`, more than `MAX_GROUPS` groups raise `PageTooLarge` when they are read.
    """
    if not (measures or group_by or buckets):
        raise BadInput("Nothing is aggregated. Give `measures`, `groupBy` or both.")
    if limit is not None and not 0 <= limit <= MAX_GROUPS:
        raise BadInput(f"`first` is {limit}; groups are answered from 0 to {MAX_GROUPS}.")
    keys: dict[str, Expression] = {name: _bucket(bucket, table) for name, bucket in buckets.items()}
    for name in dict.fromkeys(group_by):
        _add(keys, name, Col(column_of(table, name).name))
    entries: dict[str, Expression | Measure | Literal | Figures] = {**keys}
    for measure in measures:
        _add(entries, measure.key, _measure(measure, table))
    terms = tuple(_group_order(term, entries) for term in order_by)
    bound = MAX_GROUPS if limit is None and keys else None
    part = Aggregate(tuple(keys.values()), tuple(entries.items()), limit, bound=bound, order=terms)
    return Read(table, connection=Connection((("rows", part),)), where=where)


def _add(entries: dict[str, E], name: str, entry: E) -> None:
    if name in entries:
        raise BadInput(f"Two values of the answer are named {name!r}. Set `as` to tell them apart.")
    entries[name] = entry


def _bucket(bucket: Bucket, table: Table) -> Bucket:
    kind = column_of(table, bucket.column).type.kind
    if kind not in (Kind.TIMESTAMP, Kind.DATE):
        raise BadInput(f"Column {bucket.column!r} is {kind}, and only instants and dates follow one another in time.")
    return bucket


def _group_order(term: Term, entries: Mapping[str, object]) -> GroupOrder:
    match entries.get(term.name):
        case Measure() | Col() | Bucket() as by:
            return GroupOrder(by, term.descending, term.nulls_first)
        case _:
            raise BadInput(f"`orderBy` names {term.name!r}. Groups have {', '.join(entries)}.")


def _measure(measure: MeasureOf, table: Table) -> Measure:
    if measure.column is None:
        if measure.function is not AggregateFunction.COUNT:
            raise BadInput(f"`{measure.function}` needs a column; only `COUNT` goes without.")
        return Measure(AggregateFunction.COUNT)
    return Measure(measure.function, Col(column_of(table, measure.column).name), measure.fraction)
