"""BigQuery's SQL dialect. Values are bound as named parameters, `@p0`.

`LIKE` always escapes with a backslash. Exact percentiles of groups are refused, because BigQuery has only window
functions and approximations for them.
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery as GoogleSql
from sqlglot.generators.bigquery import BigQueryGenerator as GoogleSqlGenerator

from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Parameter
from loaders.description import ColumnType, Kind
from loaders.errors import BadInput
from loaders.expression import CLOCK_UNITS
from loaders.read import AggregateFunction, Measure, Unit

_PARTS = {unit: "ISOWEEK" if unit is Unit.WEEK else unit.value.upper() for unit in Unit}
_TYPES = {
    Kind.BOOLEAN: "BOOL",
    Kind.INTEGER: "INT64",
    Kind.BIGINT: "INT64",
    Kind.FLOAT: "FLOAT64",
    Kind.NUMERIC: "NUMERIC",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.BYTES: "BYTES",
}
_Value: TypeAlias = str | int | float | Decimal | bool | datetime | date | None
_INT64 = range(-(2**63), 2**63)
_NUMERIC_DIGITS, _NUMERIC_SCALE = 29, 9


class _Generator(GoogleSqlGenerator):
    def attimezone_sql(self, expression: exp.AtTimeZone) -> str:
        """`EXTRACT` takes a zone directly; sqlglot would write a cast to a local time and back."""
        if isinstance(expression.parent, exp.Extract):
            return f"{self.sql(expression, 'this')} AT TIME ZONE {self.sql(expression, 'zone')}"
        return super().attimezone_sql(expression)


class AxionBigQuery(GoogleSql):
    """sqlglot's dialect with the generator above, registered as `axionbigquery`."""

    Generator = _Generator


class BigQuery(Dialect):
    name = "axionbigquery"
    nan_is_greatest = True  # not in BigQuery itself, but in its emulators
    groups_are_sorted_outside = True
    limit_beside_offset = 2**63 - 1

    def placeholder(self, position: int, value: object, column_type: ColumnType) -> tuple[exp.Expr, object]:
        bound = list(value) if isinstance(value, tuple) else value
        return exp.Parameter(this=exp.to_identifier(f"p{position}")), bound

    def json_path(self, column: exp.Expr, path: Sequence[exp.Expr]) -> exp.Expr:
        """Reads JSON columns and records alike. An object or list below the path is returned as its JSON text."""
        found: exp.Expr = exp.Anonymous(this="TO_JSON", expressions=[column])
        for part in path:
            found = exp.Bracket(this=found, expressions=[part])
        text = exp.Anonymous(this="TO_JSON_STRING", expressions=[found.copy()])
        return exp.Coalesce(
            this=exp.Anonymous(this="JSON_VALUE", expressions=[found]),
            expressions=[exp.Nullif(this=text, expression=exp.Literal.string("null"))],
        )

    def cosine_similarity(self, column: exp.Expr, vector: exp.Expr) -> exp.Expr:
        distance = exp.Anonymous(this="COSINE_DISTANCE", expressions=[column, vector])
        return exp.Sub(this=exp.Literal.number(1), expression=distance)

    def digest(self, columns: Sequence[exp.Expr]) -> exp.Expr:
        row = exp.Anonymous(this="STRUCT", expressions=list(columns))
        text = exp.Anonymous(this="TO_JSON_STRING", expressions=[row])
        return exp.Anonymous(this="TO_HEX", expressions=[exp.Anonymous(this="MD5", expressions=[text])])

    def like(self, value: exp.Expr, pattern: exp.Expr, *, ignore_case: bool) -> exp.Expr:
        if ignore_case:
            return exp.Like(this=exp.Lower(this=value), expression=exp.Lower(this=pattern))
        return exp.Like(this=value, expression=pattern)

    def starts_with(self, value: exp.Expr, prefix: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="STARTS_WITH", expressions=[value, prefix])

    def contains_all(self, array: exp.Expr, part: exp.Expr) -> exp.Expr:
        """True when no element of `part` is missing from `array`."""
        wanted = exp.Unnest(expressions=[part], alias=exp.TableAlias(columns=[exp.to_identifier("wanted")]))
        held = exp.In(this=exp.column("wanted"), unnest=exp.Unnest(expressions=[array]))
        return exp.not_(exp.Exists(this=exp.select("1").from_(wanted).where(exp.not_(held))))

    def instant_bucket(self, instant: exp.Expr, unit: Unit, time_zone: exp.Expr, *, before: int = 0) -> exp.Expr:
        """Counts days from noon, so that days of 23 and 25 hours also lead to the next day."""
        if not before:
            return self._bucket(instant, unit, time_zone)
        noon = self.hours_later(self._bucket(instant, Unit.DAY, time_zone), 24 * before + 12)
        monday = self._bucket(noon, Unit.WEEK, time_zone.copy())
        return self._bucket(self.hours_later(monday, 12 - 24 * before), Unit.DAY, time_zone.copy())

    def _bucket(self, instant: exp.Expr, unit: Unit, time_zone: exp.Expr) -> exp.Expr:
        """Hours and minutes are found by subtracting what the local clock shows past them, so that the two equal hours
        of an autumn night stay apart.
        """
        if unit not in CLOCK_UNITS:
            midnight = exp.Anonymous(this="TIMESTAMP_TRUNC", expressions=[instant, exp.var(_PARTS[unit]), time_zone])
            before = self.hours_later(midnight.copy(), -1)  # midnight again, where it occurs twice
            zoned = exp.AtTimeZone(this=before, zone=time_zone.copy())
            is_first = exp.EQ(
                this=exp.Extract(this=exp.var("HOUR"), expression=zoned), expression=exp.Literal.number(0)
            )
            return exp.Case(ifs=[exp.If(this=is_first, true=before.copy())], default=midnight)
        past = {Unit.HOUR: ("MINUTE", "SECOND"), Unit.MINUTE: ("SECOND",)}.get(unit, ())
        start = instant
        for part in past:
            shown = exp.Extract(
                this=exp.var(part), expression=exp.AtTimeZone(this=instant.copy(), zone=time_zone.copy())
            )
            back = exp.Interval(this=shown, unit=exp.var(part))
            start = exp.Anonymous(this="TIMESTAMP_SUB", expressions=[start, back])
        return exp.Anonymous(this="TIMESTAMP_TRUNC", expressions=[start, exp.var("SECOND")])

    def hours_later(self, instant: exp.Expr, hours: int) -> exp.Expr:
        step = exp.Interval(this=exp.Literal.number(hours), unit=exp.var("HOUR"))
        return exp.Anonymous(this="TIMESTAMP_ADD", expressions=[instant, step])

    def days_later(self, date: exp.Expr, days: int) -> exp.Expr:
        """A DATE: adding an interval would give a DATETIME."""
        step = exp.Interval(this=exp.Literal.number(days), unit=exp.var("DAY"))
        return exp.Anonymous(this="DATE_ADD", expressions=[date, step])

    def date_bucket(self, date: exp.Expr, unit: Unit) -> exp.Expr:
        return exp.Anonymous(this="DATE_TRUNC", expressions=[date, exp.var(_PARTS[unit])])

    def measure(self, measure: Measure, value: exp.Expr, column_type: ColumnType) -> exp.Expr:
        match measure.function:
            case AggregateFunction.COUNT:
                return exp.Count(this=value)
            case AggregateFunction.COUNT_DISTINCT:
                return exp.Count(this=exp.Distinct(expressions=[value]))
            case AggregateFunction.AVG:
                return exp.Avg(this=_cast(value, "FLOAT64"))
            case AggregateFunction.MIN:
                return exp.Min(this=value)
            case AggregateFunction.MAX:
                return exp.Max(this=value)
            case AggregateFunction.SUM:
                return exp.Sum(this=_cast(value, "BIGNUMERIC") if column_type.kind is Kind.BIGINT else value)
            case AggregateFunction.STDDEV:
                return exp.Anonymous(this="STDDEV_SAMP", expressions=[_cast(value, "FLOAT64")])
            case AggregateFunction.PERCENTILE:
                raise BadInput("BigQuery has no exact percentiles of groups. Ask for the average, least and greatest.")


BIGQUERY = BigQuery()


def query_parameters(parameters: Sequence[Parameter]) -> list[ArrayQueryParameter | ScalarQueryParameter]:
    """The parameters of a statement as the client's objects."""
    bound: list[ArrayQueryParameter | ScalarQueryParameter] = []
    for parameter in parameters:
        if isinstance(parameter.value, list):
            values = [_plain(value) for value in parameter.value]
            element = parameter.type.element or parameter.type
            spelled = _type_of(values[0], element) if values else _TYPES.get(element.kind, "STRING")
            if all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in values) and values:
                spelled = max((_type_of(value, element) for value in values), key=_WIDTH.index)
            bound.append(ArrayQueryParameter(parameter.name, spelled, values))
        else:
            value = _plain(parameter.value)
            bound.append(ScalarQueryParameter(parameter.name, _type_of(value, parameter.type), value))
    return bound


_WIDTH = ("INT64", "NUMERIC", "BIGNUMERIC")


def _type_of(value: object, column_type: ColumnType) -> str:
    match value:
        case bool():
            return "BOOL"
        case int():
            return "INT64" if value in _INT64 else "BIGNUMERIC"
        case Decimal():
            exponent = value.as_tuple().exponent
            scale = max(-exponent, 0) if isinstance(exponent, int) else 0
            narrow = scale <= _NUMERIC_SCALE and value.adjusted() < _NUMERIC_DIGITS
            return "NUMERIC" if narrow else "BIGNUMERIC"
        case datetime():
            return "TIMESTAMP"
        case date():
            return "DATE"
        case str() if column_type.kind is Kind.TIMESTAMP:  # finer than a datetime: RFC 3339 from a cursor
            return "TIMESTAMP"
        case str():
            return "STRING"
        case _:
            return _TYPES.get(column_type.kind, "STRING")


def _plain(value: object) -> _Value:
    match value:
        case datetime():
            return value.astimezone(UTC)
        case None | str() | int() | float() | Decimal() | date():
            return value
        case bytes():
            return b64encode(value).decode("ascii")
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} is no value of BigQuery")


def _cast(value: exp.Expr, to: str) -> exp.Expr:
    return exp.Cast(this=value, to=exp.DataType.build(to, dialect="bigquery"))
