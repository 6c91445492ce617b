r"""The differences between engines, as one object per engine. `Dialect` is standard SQL in terms of sqlglot, which
engines override.

Rules that all engines follow: comparisons are three-valued as in SQL; NaN compares as IEEE 754 defines it (false,
except for `<>`), and sorts and aggregates (MIN, MAX, groups) as null; LIKE knows `%`, `_` and the escape `\`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from loaders.description import ColumnType, Kind
from loaders.read import Measure, Op, Unit

if TYPE_CHECKING:
    from loaders.columnar.binder import Binder

_COMPARISONS: dict[Op, type[exp.Binary]] = {
    Op.EQ: exp.EQ,
    Op.NE: exp.NEQ,
    Op.LT: exp.LT,
    Op.LTE: exp.LTE,
    Op.GT: exp.GT,
    Op.GTE: exp.GTE,
}


class Dialect(ABC):
    """Stateless. `name` is sqlglot's name of the engine's SQL."""

    name: str = ""
    nan_is_greatest = False
    """Whether `>` and `>=` need to be told that NaN is not greater than anything, as IEEE 754 has it."""
    limit_beside_offset: int | None = None
    """Where rows cannot be skipped without a limit: one that is none."""
    groups_are_sorted_outside = False
    """Whether a sort may name only columns of the answer, so that groups need a select around them to be sorted."""

    # -- parameters --

    @abstractmethod
    def placeholder(self, position: int, value: object, column_type: ColumnType) -> tuple[exp.Expr, object]:
        """The placeholder of the parameter, and the value as the client wants it."""

    # -- the row --

    @abstractmethod
    def json_path(self, column: exp.Expr, path: Sequence[exp.Expr]) -> exp.Expr:
        """The text at the path; null if there is nothing, or a JSON null."""

    @abstractmethod
    def cosine_similarity(self, column: exp.Expr, vector: exp.Expr) -> exp.Expr:
        """1 - cosine distance."""

    @abstractmethod
    def digest(self, columns: Sequence[exp.Expr]) -> exp.Expr:
        """A text as `Digest` describes it. Raises `BadInput` if the engine has none for such columns."""

    @abstractmethod
    def instant_bucket(self, instant: exp.Expr, unit: Unit, time_zone: exp.Expr, *, before: int = 0) -> exp.Expr:
        """The first instant of the unit, by the clocks of the zone (loaders/read/expression.py, `Bucket`).

        Weeks begin `before` days before Monday.
        """

    @abstractmethod
    def date_bucket(self, date: exp.Expr, unit: Unit) -> exp.Expr:
        """The first date of the unit, a day or longer."""

    def hours_later(self, instant: exp.Expr, hours: int) -> exp.Expr:
        """The instant that many hours later, or earlier if negative."""
        return _later(instant, hours, "HOUR")

    def days_later(self, date: exp.Expr, days: int) -> exp.Expr:
        """The date, or its midnight."""
        return _later(date, days, "DAY")

    def converted(self, value: exp.Expr, kind: Kind) -> exp.Expr:
        """The value that is shown, of one that the engine holds otherwise (`Held`)."""
        return value

    def projection(self, value: exp.Expr, column_type: ColumnType) -> exp.Expr:
        """What to select so that Arrow can carry the value."""
        return value

    # -- predicates --

    def compare(self, op: Op, left: exp.Expr, right: exp.Expr, kind: Kind) -> exp.Expr:
        compared = _COMPARISONS[op](this=left, expression=right)
        if self.nan_is_greatest and kind is Kind.FLOAT and op in (Op.GT, Op.GTE):
            return exp.paren(exp.and_(compared, exp.not_(exp.IsNan(this=left.copy()))))
        return compared

    def one_of(
        self,
        columns: Sequence[exp.Expr],
        types: Sequence[ColumnType],
        rows: Sequence[tuple[object, ...]],
        binder: "Binder",
    ) -> exp.Expr:
        """`columns` equal one of `rows` (at least one row, no nulls)."""
        bound = [[binder.bind(value, kind) for value, kind in zip(row, types, strict=True)] for row in rows]
        if len(columns) == 1:
            return exp.In(this=columns[0], expressions=[values[0] for values in bound])
        return exp.In(this=exp.Tuple(expressions=list(columns)), expressions=[exp.Tuple(expressions=v) for v in bound])

    def like(self, value: exp.Expr, pattern: exp.Expr, *, ignore_case: bool) -> exp.Expr:
        matches = (exp.ILike if ignore_case else exp.Like)(this=value, expression=pattern)
        return exp.Escape(this=matches, expression=exp.Literal.string("\\"))

    def starts_with(self, value: exp.Expr, prefix: exp.Expr) -> exp.Expr:
        return exp.StartsWith(this=value, expression=prefix)

    def contains_all(self, array: exp.Expr, part: exp.Expr) -> exp.Expr:
        return exp.ArrayContainsAll(this=array, expression=part)

    # -- aggregates and groups --

    @abstractmethod
    def measure(self, measure: Measure, value: exp.Expr, column_type: ColumnType) -> exp.Expr:
        """Null over no rows, except for counts, which are 0. The result fits `measure_type`."""

    def approximate_distinct(self, value: exp.Expr) -> exp.Expr:
        """The approximate number of distinct values, in little memory; 0 over no rows."""
        return exp.ApproxDistinct(this=value)

    def top_per_key(
        self, query: exp.Select, keys: Sequence[exp.Expr], order: Sequence[exp.Expr], limit: int
    ) -> exp.Select:
        """At most `limit` rows for each key, the first ones in `order`."""
        number = exp.Window(
            this=exp.RowNumber(),
            partition_by=[key.copy() for key in keys],
            order=exp.Order(expressions=[term.copy() for term in order]) if order else None,
        )
        query.set("qualify", exp.Qualify(this=exp.LTE(this=number, expression=exp.Literal.number(limit))))
        return query


def _later(value: exp.Expr, count: int, unit: str) -> exp.Expr:
    step = exp.Interval(this=exp.Literal.number(abs(count)), unit=exp.var(unit))
    return (exp.Add if count >= 0 else exp.Sub)(this=exp.paren(value), expression=step)
