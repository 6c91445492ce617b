"""Conditions on the rows of remote tables (`GenRowFilter`), whose columns are known only at run time."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from struct import pack, unpack
from typing import Any

from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.value import decode_value
from loaders.errors import BadInput
from loaders.read import And, Col, Compare, Not, Op, Or, Predicate
from resolvers.gen.rows import column_of

_FINER = re.compile(r"[.,][0-9]{6}([0-9]*?[1-9])0*(?![0-9])")
"""Digits of a second beyond microseconds."""
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
