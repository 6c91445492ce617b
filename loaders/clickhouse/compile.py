"""ClickHouse's SQL dialect. Values are bound as server-side parameters, `{p0: Type}`.

In Arrow a `DateTime` arrives as uint32 seconds, which the encoder converts, and an `Enum` as a number, hence `toString`
of all text. UUIDs compare by their second half, in `WHERE` and `ORDER BY` alike, so a cursor is correct as long as
ClickHouse compares it.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlglot import exp

from loaders.clickhouse.bucket import first_date, instant_bucket
from loaders.columnar.binder import Binder
from loaders.columnar.dialect import Dialect
from loaders.description import ColumnType, Kind
from loaders.read import AggregateFunction, Measure, Op, Unit

_TYPES = {
    Kind.BOOLEAN: "Bool",
    Kind.INTEGER: "Int64",
    Kind.FLOAT: "Float64",
    Kind.TEXT: "String",
    Kind.UUID: "UUID",
    Kind.DATE: "Date32",
    Kind.H3: "UInt64",
    Kind.BYTES: "String",
}
_SET_TYPES = frozenset({Kind.BOOLEAN, Kind.INTEGER, Kind.BIGINT, Kind.TEXT, Kind.UUID, Kind.H3})
"""Kinds for which `IN` can take an array parameter. For the others the type of the set would have to equal the column's
exactly.
"""
_DECIMAL_DIGITS = 76
"""One less than the digits of the largest Int256."""
_ORNULL = {AggregateFunction.SUM: "sumOrNull", AggregateFunction.MIN: "minOrNull", AggregateFunction.MAX: "maxOrNull"}


class ClickHouse(Dialect):
    name = "clickhouse"

    def placeholder(self, position: int, value: object, column_type: ColumnType) -> tuple[exp.Expr, object]:
        if column_type.kind is Kind.ARRAY and column_type.element is not None and isinstance(value, tuple):
            types, values = _bound_all(value, column_type.element)
            return _parameter(position, f"Array({types})"), values
        spelled, bound = _bound(value, column_type.kind)
        return _parameter(position, spelled), bound

    def json_path(self, column: exp.Expr, path: Sequence[exp.Expr]) -> exp.Expr:
        return _call("JSONExtract", _call("toString", column), *path, exp.Literal.string("Nullable(String)"))

    def cosine_similarity(self, column: exp.Expr, vector: exp.Expr) -> exp.Expr:
        return exp.Sub(this=exp.Literal.number(1), expression=_call("cosineDistance", column, vector))

    def digest(self, columns: Sequence[exp.Expr]) -> exp.Expr:
        """Of a tuple, because any null argument would make the hash null."""
        return _call("hex", _call("sipHash128", _call("tuple", *columns)))

    def converted(self, value: exp.Expr, kind: Kind) -> exp.Expr:
        return _call("toInt64" if kind is Kind.BIGINT else "toString", value)

    def projection(self, value: exp.Expr, column_type: ColumnType) -> exp.Expr:
        return _call("toString", value) if column_type.kind is Kind.TEXT else value

    def one_of(
        self,
        columns: Sequence[exp.Expr],
        types: Sequence[ColumnType],
        rows: Sequence[tuple[object, ...]],
        binder: Binder,
    ) -> exp.Expr:
        """One array parameter per column, however many values: the primary key and skip indexes still apply.

        Not for numbers of any scale, which are looked up by their digits: a set is of the column's own type, which is
        not known here (an Int256 refuses decimals), and `has` compares each row with each value.
        """
        if len(columns) == 1 and types[0].kind in _SET_TYPES:
            array = ColumnType(Kind.ARRAY, element=types[0])
            return exp.In(this=columns[0], field=binder.bind(tuple(row[0] for row in rows), array))
        if len(columns) == 1 and types[0].kind is Kind.NUMERIC:
            array = ColumnType(Kind.ARRAY, element=ColumnType(Kind.TEXT))
            digits = tuple(dict.fromkeys(_digits(Decimal(str(row[0]))) for row in rows))
            return exp.In(this=_call("toString", columns[0]), field=binder.bind(digits, array))
        if len(columns) == 1:
            array = ColumnType(Kind.ARRAY, element=types[0])
            found = _call("has", binder.bind(tuple(row[0] for row in rows), array), columns[0])
            unknown = exp.and_(exp.Is(this=columns[0].copy(), expression=exp.null()), exp.null())
            return exp.paren(exp.or_(found, unknown))  # `has` alone is false for null
        arrays = [
            binder.bind(values, ColumnType(Kind.ARRAY, element=column_type))
            for values, column_type in zip(zip(*rows, strict=True), types, strict=True)
        ]
        found = exp.In(this=exp.Tuple(expressions=list(columns)), field=_call("arrayZip", *arrays))
        if all(column_type.kind is not Kind.TIMESTAMP for column_type in types):
            return found
        # A set's instants are truncated to the column's precision: the matches of the index are compared exactly again.
        exactly = [
            _call("toDateTime64", column.copy(), exp.Literal.number(6))
            if column_type.kind is Kind.TIMESTAMP
            else column
            for column, column_type in zip(columns, types, strict=True)
        ]
        meant = exp.In(this=exp.Tuple(expressions=exactly), field=_call("arrayZip", *arrays))
        return exp.paren(exp.and_(found, meant))

    def compare(self, op: Op, left: exp.Expr, right: exp.Expr, kind: Kind) -> exp.Expr:
        if op is Op.NE and kind is Kind.TEXT:  # an Enum's `!=` fails for a text that is not one of its values
            return exp.not_(super().compare(Op.EQ, left, right, kind), copy=False)
        return super().compare(op, left, right, kind)

    def like(self, value: exp.Expr, pattern: exp.Expr, *, ignore_case: bool) -> exp.Expr:
        return (exp.ILike if ignore_case else exp.Like)(this=value, expression=pattern)

    def starts_with(self, value: exp.Expr, prefix: exp.Expr) -> exp.Expr:
        return _call("startsWith", value, prefix)

    def contains_all(self, array: exp.Expr, part: exp.Expr) -> exp.Expr:
        return _call("hasAll", array, part)

    def instant_bucket(self, instant: exp.Expr, unit: Unit, time_zone: exp.Expr, *, before: int = 0) -> exp.Expr:
        return instant_bucket(instant, unit, time_zone, before)

    def date_bucket(self, date: exp.Expr, unit: Unit) -> exp.Expr:
        return first_date(_call("toDate32", date), unit)

    def measure(self, measure: Measure, value: exp.Expr, column_type: ColumnType) -> exp.Expr:
        match measure.function:
            case AggregateFunction.COUNT:
                return _call("count", value)
            case AggregateFunction.COUNT_DISTINCT:
                return _call("uniqExact", value)
            case AggregateFunction.AVG if column_type.kind is Kind.BIGINT:  # a sum of floats may be far off
                return _call("avgOrNull", _call("toDecimal128", value, exp.Literal.number(0)))
            case AggregateFunction.AVG:
                return _call("avgOrNull", _call("toFloat64", value))
            case AggregateFunction.SUM if column_type.kind is Kind.BIGINT:
                return _call("sumOrNull", _call("toDecimal128", value, exp.Literal.number(0)))
            case AggregateFunction.STDDEV:
                several = exp.GT(this=_call("count", value.copy()), expression=exp.Literal.number(1))
                return _call("if", several, _call("stddevSampStable", _call("toFloat64", value)), exp.null())
            case AggregateFunction.PERCENTILE:
                fraction = exp.Literal.number(repr(measure.fraction))  # part of the function, so no parameter
                return exp.ParameterizedAgg(
                    this=exp.to_identifier("quantileExactInclusiveOrNull"),
                    expressions=[fraction],
                    params=[_call("toFloat64", value)],
                )
            case function:
                return _call(_ORNULL[function], value)

    def top_per_key(
        self, query: exp.Select, keys: Sequence[exp.Expr], order: Sequence[exp.Expr], limit: int
    ) -> exp.Select:
        by = [key.copy() for key in keys]
        query.set("limit", exp.Limit(expression=exp.Literal.number(limit), expressions=by))
        return query


CLICKHOUSE = ClickHouse()


def _bound(value: object, kind: Kind) -> tuple[str, object]:
    """The parameter's type, and the value as a text that this type parses exactly, independent of the client's
    formatting.
    """
    match value:
        case int() if kind in (Kind.INTEGER, Kind.BIGINT, Kind.NUMERIC) and not isinstance(value, bool):
            return _integer_type(value, value), value
        case Decimal() if value.as_tuple().exponent == 0 and value.adjusted() >= _DECIMAL_DIGITS:
            return "Int256", int(value)
        case Decimal():
            return _decimal_type([value]), value
        case datetime():
            return "DateTime64(6, 'UTC')", _instant(value)
        case date():
            return "Date32", value.isoformat()
        case str() if kind is Kind.TIMESTAMP:  # RFC 3339 from a cursor, finer than a datetime
            return "DateTime64(9, 'UTC')", value.removesuffix("+00:00").replace("T", " ")
        case str():  # a lone surrogate stands for a byte that is not UTF-8 (PEP 383)
            return "String", value if value.isprintable() else _bytes_if_needed(value)
        case _:
            return _TYPES[kind], value


def _instant(value: datetime) -> str:
    """Writes years with four digits, which `strftime` does not do for years before 1000."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _bound_all(values: tuple[object, ...], element: ColumnType) -> tuple[str, list[object]]:
    if element.kind in (Kind.INTEGER, Kind.BIGINT):
        numbers = [value for value in values if isinstance(value, int)]
        return _integer_type(min(numbers, default=0), max(numbers, default=0)), list(values)
    if element.kind is Kind.NUMERIC:
        decimals = [Decimal(str(value)) for value in values]
        return _decimal_type(decimals), list(decimals)
    bound = [_bound(value, element.kind) for value in values]
    types = {spelled for spelled, _ in bound} or {_TYPES.get(element.kind, "DateTime64(6, 'UTC')")}
    return max(types), [value for _, value in bound]  # DateTime64(9) covers DateTime64(6)


def _digits(number: Decimal) -> str:
    """As `toString` has it of a number of any scale: without an exponent, or zeros at the end of its fraction."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _decimal_type(values: list[Decimal]) -> str:
    """The smallest scale that holds all of them. With 38 digits, rescaling the column would overflow silently."""
    scale = max((-exponent for v in values if isinstance(exponent := v.as_tuple().exponent, int)), default=0)
    return f"Decimal({_DECIMAL_DIGITS}, {max(scale, 0)})"


def _integer_type(low: int, high: int) -> str:
    if low >= -(2**63) and high < 2**63:
        return "Int64"
    return "UInt64" if low >= 0 and high < 2**64 else "Int256"


def _bytes_if_needed(text: str) -> str | bytes:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return text


def _parameter(position: int, spelled: str) -> exp.Placeholder:
    return exp.Placeholder(this=f"p{position}", kind=spelled)


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))
