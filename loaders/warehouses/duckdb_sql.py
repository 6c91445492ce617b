"""DuckDB's SQL dialect, for Parquet on S3 and for Flight SQL servers that run DuckDB."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlglot import exp

from loaders.columnar.dialect import Dialect
from loaders.description import ColumnType, Kind
from loaders.expression import CLOCK_UNITS, EVENING_H
from loaders.read import AggregateFunction, Measure, Unit

_SUM_TYPES = {Kind.INTEGER: "BIGINT", Kind.BIGINT: "DECIMAL(38, 0)"}


class DuckDB(Dialect):
    """Values are bound as positional parameters, `$1`. Timestamps are bound without a zone, so the session's time zone
    must be UTC.

    To DuckDB NaN is the greatest number; comparisons are written so that it is greater than nothing (IEEE 754).
    """

    name = "duckdb"
    nan_is_greatest = True

    def placeholder(self, position: int, value: object, column_type: ColumnType) -> tuple[exp.Expr, object]:
        node = exp.Parameter(this=exp.Literal.number(position + 1))
        match value:
            case tuple():
                return exp.Cast(this=node, to=_type(column_type)), list(value)
            case datetime():
                return node, value.astimezone(UTC).replace(tzinfo=None)
            case str() if column_type.kind is Kind.TIMESTAMP:  # finer than a datetime: RFC 3339 from a cursor
                to = exp.DataType.build("TIMESTAMP_NS", dialect="duckdb")
                return exp.Cast(this=node, to=to), value.removesuffix("+00:00")
            case _:
                return node, value

    def json_path(self, column: exp.Expr, path: Sequence[exp.Expr]) -> exp.Expr:
        keys = [exp.func("REPLACE", part, exp.Literal.string('"'), exp.Literal.string('\\"')) for part in path]
        quoted = [piece for key in keys for piece in (exp.Literal.string('."'), key, exp.Literal.string('"'))]
        return exp.Anonymous(
            this="json_extract_string",
            expressions=[column, exp.Anonymous(this="concat", expressions=[exp.Literal.string("$"), *quoted])],
        )

    def cosine_similarity(self, column: exp.Expr, vector: exp.Expr) -> exp.Expr:
        to = exp.DataType.build("DOUBLE[]", dialect="duckdb")
        return exp.Anonymous(this="list_cosine_similarity", expressions=[exp.Cast(this=column, to=to), vector])

    def digest(self, columns: Sequence[exp.Expr]) -> exp.Expr:
        row = exp.Anonymous(this="to_json", expressions=[exp.Anonymous(this="row", expressions=list(columns))])
        text = exp.Cast(this=row, to=exp.DataType.build("VARCHAR", dialect="duckdb"))
        return exp.Anonymous(this="md5", expressions=[text])

    def instant_bucket(self, instant: exp.Expr, unit: Unit, time_zone: exp.Expr, *, before: int = 0) -> exp.Expr:
        instant = exp.Cast(this=instant, to=exp.DataType.build("TIMESTAMPTZ", dialect="duckdb"))
        local = exp.Anonymous(this="timezone", expressions=[time_zone, instant])
        start = _truncated(self.days_later(local, before) if before else local, unit)
        if unit in CLOCK_UNITS:  # so that the two equal hours of an autumn night stay apart
            past = exp.paren(exp.Sub(this=local.copy(), expression=start))
            return exp.Sub(this=instant.copy(), expression=past)
        return self._first_of_two(self.days_later(start, -before) if before else start, time_zone)

    def _first_of_two(self, start: exp.Expr, time_zone: exp.Expr) -> exp.Expr:
        """The instant of a local midnight. Where clocks go back over midnight it is the earlier of the two instants,
        while DuckDB's own conversion takes the later.

        It is computed from the evening before, in which clocks did not change, by adding the difference the local clock
        shows.
        """

        def at(local: exp.Expr) -> exp.Expr:
            return exp.Anonymous(this="timezone", expressions=[time_zone.copy(), local])

        early = self.hours_later(at(self.hours_later(start.copy(), -EVENING_H)), EVENING_H)
        is_start = exp.EQ(this=at(early), expression=start.copy())
        return exp.Case(ifs=[exp.If(this=is_start, true=early.copy())], default=at(start.copy()))

    def date_bucket(self, date: exp.Expr, unit: Unit) -> exp.Expr:
        return exp.Cast(this=_truncated(date, unit), to=exp.DataType.build("DATE", dialect="duckdb"))

    def measure(self, measure: Measure, value: exp.Expr, column_type: ColumnType) -> exp.Expr:
        match measure.function:
            case AggregateFunction.COUNT:
                return exp.Count(this=value)
            case AggregateFunction.COUNT_DISTINCT:
                return exp.Count(this=exp.Distinct(expressions=[value]))
            case AggregateFunction.AVG:
                return exp.Avg(this=value)
            case AggregateFunction.MIN:
                return exp.Min(this=value)
            case AggregateFunction.MAX:
                return exp.Max(this=value)
            case AggregateFunction.SUM:
                total = exp.Sum(this=value)
                spelled = _SUM_TYPES.get(column_type.kind)
                return exp.Cast(this=total, to=exp.DataType.build(spelled, dialect="duckdb")) if spelled else total
            case AggregateFunction.STDDEV:
                return exp.Anonymous(this="stddev_samp", expressions=[value])
            case AggregateFunction.PERCENTILE:
                fraction = exp.Literal.number(repr(measure.fraction))  # DuckDB takes no parameter here
                double = exp.Cast(this=value, to=exp.DataType.build("DOUBLE", dialect="duckdb"))
                return exp.Anonymous(this="quantile_cont", expressions=[double, fraction])


def _truncated(value: exp.Expr, unit: Unit) -> exp.Expr:
    return exp.Anonymous(this="date_trunc", expressions=[exp.Literal.string(unit.value), value.copy()])


DUCKDB = DuckDB()

_ELEMENTS = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INTEGER: "BIGINT",
    Kind.BIGINT: "HUGEINT",
    Kind.FLOAT: "DOUBLE",
    Kind.TEXT: "VARCHAR",
    Kind.UUID: "UUID",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.H3: "UBIGINT",
    Kind.NUMERIC: "DECIMAL(38, 9)",
    Kind.BYTES: "BLOB",
}


def _type(column_type: ColumnType) -> exp.DataType:
    kind = column_type.element.kind if column_type.element else Kind.TEXT
    return exp.DataType.build(f"{_ELEMENTS[kind]}[]", dialect="duckdb")
