"""The SQL dialect that Impala, Hive and Spark have in common, with the order of nulls always written out.

HiveServer2 binds no parameters. A compiled statement holds placeholders, `:p0`, like those of other dialects;
`with_values` replaces them with literals, written by sqlglot, when it is sent. Exact percentiles are refused, because
Impala has none.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

from sqlglot import TokenType, exp, tokenize
from sqlglot.dialects.hive import Hive
from sqlglot.generators.hive import HiveGenerator

from loaders.columnar.binder import Binder
from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.description import ColumnType, Kind
from loaders.errors import BadInput
from loaders.expression import CLOCK_UNITS
from loaders.read import AggregateFunction, Measure, Unit

_INT64 = range(-(2**63), 2**63)
_PLACE = "axion_place"
_NUMBER = "axion_number"


class _Generator(HiveGenerator):
    def ordered_sql(self, expression: exp.Ordered) -> str:
        """Impala and Spark put nulls at different ends by default."""
        direction = " DESC" if expression.args.get("desc") else " ASC"
        nulls = " NULLS FIRST" if expression.args.get("nulls_first") else " NULLS LAST"
        return f"{self.sql(expression, 'this')}{direction}{nulls}"

    def literal_sql(self, expression: exp.Literal) -> str:
        """Hive and Spark substitute `${variable}` even within string literals: the dollar and the brace are
        kept apart.
        """
        if not expression.is_string or "${" not in expression.name:
            return super().literal_sql(expression)
        first, *rest = expression.name.split("${")
        pieces = [f"{piece}$" if n < len(rest) else piece for n, piece in enumerate([first, *(f"{{{r}" for r in rest)])]
        return (
            f"CONCAT({', '.join(super(_Generator, self).literal_sql(exp.Literal.string(piece)) for piece in pieces)})"
        )

    def isnan_sql(self, expression: exp.IsNan) -> str:
        """The function is called `is_nan` in Impala and `isnan` in Spark. The text of NaN is the same in both except
        for its case.
        """
        return f"LOWER(CAST({self.sql(expression, 'this')} AS STRING)) = 'nan'"


class AxionImpala(Hive):
    """sqlglot's Hive dialect with the generator above, registered as `axionimpala`."""

    Generator = _Generator


class Impala(Dialect):
    name = "axionimpala"
    nan_is_greatest = True
    groups_are_sorted_outside = True

    def placeholder(self, position: int, value: object, column_type: ColumnType) -> tuple[exp.Expr, object]:
        node = exp.Placeholder(this=f"p{position}")
        if isinstance(value, str) and column_type.kind is Kind.TIMESTAMP:  # RFC 3339 from a cursor
            return _cast(node, "TIMESTAMP"), value.removesuffix("+00:00").replace("T", " ")
        return node, value

    def json_path(self, column: exp.Expr, path: Sequence[exp.Expr]) -> exp.Expr:
        raise BadInput("Impala's arrays, maps and structs are shown whole. Select the column without a path.")

    def cosine_similarity(self, column: exp.Expr, vector: exp.Expr) -> exp.Expr:
        raise BadInput("Impala knows no distance of vectors.")

    def digest(self, columns: Sequence[exp.Expr]) -> exp.Expr:
        """Impala's versions share no hash that is wide enough, so the digest is the texts themselves, each after its
        length.
        """
        parts = [_counted(_cast(column, "STRING")) for column in columns]
        return parts[0] if len(parts) == 1 else _call("CONCAT", *parts)

    def one_of(
        self,
        columns: Sequence[exp.Expr],
        types: Sequence[ColumnType],
        rows: Sequence[tuple[object, ...]],
        binder: Binder,
    ) -> exp.Expr:
        if len(columns) == 1:
            return super().one_of(columns, types, rows, binder)
        found = [
            exp.and_(
                *(
                    exp.EQ(this=column.copy(), expression=binder.bind(value, kind))
                    for column, kind, value in zip(columns, types, row, strict=True)
                )
            )
            for row in rows
        ]
        return exp.paren(exp.or_(*found))

    def like(self, value: exp.Expr, pattern: exp.Expr, *, ignore_case: bool) -> exp.Expr:
        """The backslash is the escape character by default."""
        if ignore_case:
            return exp.Like(this=_call("LOWER", value), expression=_call("LOWER", pattern))
        return exp.Like(this=value, expression=pattern)

    def starts_with(self, value: exp.Expr, prefix: exp.Expr) -> exp.Expr:
        start = _call("SUBSTR", value, exp.Literal.number(1), _call("LENGTH", prefix))
        return exp.EQ(this=start, expression=prefix.copy())

    def contains_all(self, array: exp.Expr, part: exp.Expr) -> exp.Expr:
        raise BadInput("Impala's arrays are shown whole, and not compared.")

    def instant_bucket(self, instant: exp.Expr, unit: Unit, time_zone: exp.Expr, *, before: int = 0) -> exp.Expr:
        """Clock units are found by subtracting what the local clock shows past them, so that the two equal hours of an
        autumn night stay apart.

        Impala returns null for a local midnight that does not exist or occurs twice. Such a midnight is found as one
        hour after 23:00 of the evening before, which is the first of two. Spark returns the earlier instant by itself.
        """
        local = _call("FROM_UTC_TIMESTAMP", instant, time_zone)
        if unit not in CLOCK_UNITS:
            shifted = self.days_later(local, before) if before else local
            start = _call("DATE_TRUNC", exp.Literal.string(unit.value), shifted)
            start = self.days_later(start, -before) if before else start
            evening = _call("TO_UTC_TIMESTAMP", self.hours_later(start.copy(), -1), time_zone.copy())
            midnight = _call("TO_UTC_TIMESTAMP", start, time_zone.copy())
            return exp.Coalesce(this=midnight, expressions=[self.hours_later(evening, 1)])
        whole = _call("DATE_TRUNC", exp.Literal.string("second"), instant.copy())
        if unit is Unit.SECOND:
            return whole
        seconds: exp.Expr = exp.Sub(this=_call("UNIX_TIMESTAMP", whole), expression=_call("SECOND", local))
        if unit is Unit.HOUR:
            minutes = exp.Mul(this=_call("MINUTE", local.copy()), expression=exp.Literal.number(60))
            seconds = exp.Sub(this=seconds, expression=minutes)
        return _cast(seconds, "TIMESTAMP")

    def date_bucket(self, date: exp.Expr, unit: Unit) -> exp.Expr:
        start = _call("DATE_TRUNC", exp.Literal.string(unit.value), _cast(date, "TIMESTAMP"))
        return _cast(start, "DATE")

    def measure(self, measure: Measure, value: exp.Expr, column_type: ColumnType) -> exp.Expr:
        match measure.function:
            case AggregateFunction.COUNT:
                return exp.Count(this=value)
            case AggregateFunction.COUNT_DISTINCT:
                return exp.Count(this=exp.Distinct(expressions=[value]))
            case AggregateFunction.AVG:
                return exp.Avg(this=_cast(value, "DOUBLE"))
            case AggregateFunction.MIN:
                return exp.Min(this=value)
            case AggregateFunction.MAX:
                return exp.Max(this=value)
            case AggregateFunction.SUM:
                return exp.Sum(this=_cast(value, "DECIMAL(38, 0)") if column_type.kind is Kind.BIGINT else value)
            case AggregateFunction.STDDEV:
                return _call("STDDEV_SAMP", _cast(value, "DOUBLE"))
            case AggregateFunction.PERCENTILE:
                raise BadInput("Impala has no exact percentiles. Ask for the average, the least and the greatest.")

    def top_per_key(
        self, query: exp.Select, keys: Sequence[exp.Expr], order: Sequence[exp.Expr], limit: int
    ) -> exp.Select:
        """Numbers the rows of each key, and all rows for the order of the answer: there is no `QUALIFY`."""
        names = [selected.alias for selected in query.selects]
        terms = [term.copy() for term in order] or [exp.Ordered(this=exp.null(), desc=False, nulls_first=False)]
        numbered = exp.Window(
            this=exp.RowNumber(), partition_by=[key.copy() for key in keys], order=exp.Order(expressions=terms)
        )
        placed = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=[term.copy() for term in terms]))
        query.set("order", None)
        inner = query.select(
            exp.alias_(numbered, _NUMBER, quoted=True), exp.alias_(placed, _PLACE, quoted=True), copy=False
        )
        shown = [exp.alias_(exp.column(name, "u", quoted=True), name, quoted=True) for name in names]
        kept = exp.LTE(this=exp.column(_NUMBER, "u", quoted=True), expression=exp.Literal.number(limit))
        place = exp.Ordered(this=exp.column(_PLACE, "u", quoted=True), desc=False, nulls_first=False)
        return exp.select(*shown).from_(inner.subquery("u")).where(kept).order_by(place)


IMPALA = Impala()


def with_values(statement: Statement) -> str:
    """The SQL as it is sent. Only tokens that are placeholders are replaced, so a name that looks like one is left
    alone.
    """
    literals = {entry.name: _literal(entry.value).sql(dialect=IMPALA.name) for entry in statement.parameters}
    pieces, end = [], 0
    tokens = tokenize(statement.sql, dialect=IMPALA.name)
    for colon, name in pairwise(tokens):
        if colon.token_type is TokenType.COLON and name.start == colon.end + 1 and name.text in literals:
            pieces += [statement.sql[end : colon.start], literals[name.text]]
            end = name.end + 1
    return "".join([*pieces, statement.sql[end:]])


def _literal(value: object) -> exp.Expr:
    """A literal of the engine's own type for the column, so that comparing does not cast the column."""
    match value:
        case bool():
            return exp.true() if value else exp.false()
        case int() if value in _INT64:
            return exp.Literal.number(value) if value >= 0 else _cast(exp.Literal.string(str(value)), "BIGINT")
        case int():
            return _cast(exp.Literal.string(str(value)), "DECIMAL(38, 0)")
        case float():
            return _cast(exp.Literal.string(repr(value)), "DOUBLE")
        case Decimal():
            exponent = value.as_tuple().exponent
            scale = min(max(-exponent, 0), 38) if isinstance(exponent, int) else 0
            return _cast(exp.Literal.string(format(value, "f")), f"DECIMAL(38, {scale})")
        case datetime():
            text = value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
            return _cast(exp.Literal.string(text), "TIMESTAMP")
        case date():
            return _cast(exp.Literal.string(value.isoformat()), "DATE")
        case bytes():
            return _call("UNHEX", exp.Literal.string(value.hex()))
        case str():
            if "\0" in value:
                raise BadInput("Impala accepts no text that has U+0000 in it.")
            return exp.Literal.string(value)
        case _:
            return exp.Literal.string(str(value))


def _counted(text: exp.Expr) -> exp.Expr:
    length = _cast(_call("LENGTH", text), "STRING")
    counted = _call("CONCAT", length, exp.Literal.string(":"), text.copy())
    return exp.Coalesce(this=counted, expressions=[exp.Literal.string("-")])


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _cast(value: exp.Expr, to: str) -> exp.Expr:
    return exp.Cast(this=value, to=exp.DataType.build(to, dialect="hive"))
