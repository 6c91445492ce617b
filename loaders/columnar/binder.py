"""Compiles the expressions of one statement in the dialect of its engine, and collects its parameters."""

from collections.abc import Sequence

from sqlglot import exp

from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Parameter
from loaders.description import ColumnType, Held, Kind, Table
from loaders.errors import BadInput
from loaders.read import (
    AggregateFunction,
    Bucket,
    Col,
    CosineSimilarity,
    Digest,
    Expression,
    Joined,
    JsonPath,
    Masked,
    Measure,
    Slot,
    Unit,
)

ROW = "t"  # the alias of the table that is read
VARIANTS = "n"  # in a joined select, how many different rows a key has


class Binder:
    """The parameters of one statement, and expressions over its rows. Equal expressions become equal SQL."""

    def __init__(self, dialect: Dialect, table: Table, joined: Sequence[Joined] = ()) -> None:
        self.dialect = dialect
        self.table = table
        self.parameters: list[Parameter] = []
        self._nodes: dict[tuple[type, object, ColumnType], exp.Expr] = {}
        self._joined: dict[str, exp.Expr] = {}
        for position, each in enumerate(joined):
            for place, (name, shown) in enumerate(each.columns):
                self._joined[name] = _of_join(position, f"c{place}", shown)
            if each.variants is not None:
                self._joined[each.variants] = _of_join(position, VARIANTS, None)

    def of(self, table: Table) -> "Binder":
        """A binder for a select within the same statement over another table. Its parameters are those of the
        statement.
        """
        within = Binder(self.dialect, table)
        within.parameters, within._nodes = self.parameters, self._nodes
        return within

    def column(self, name: str) -> exp.Expr:
        """The table's column, or the column of a join known by the name."""
        joined = self._joined.get(name)
        if joined is not None:
            return joined.copy()
        for each in self.table.columns:  # a name may also be of a figure of groups, which the table does not have
            if each.name == name and each.type.held is Held.CONVERTED:
                return self.dialect.converted(column(name), each.type.kind)
        return column(name)

    def bind(self, value: object, column_type: ColumnType) -> exp.Expr:
        """The placeholder of a hashable value. Equal values share one, so that equal expressions are equal as SQL."""
        identity = (type(value), value, column_type)
        if identity not in self._nodes:
            position = len(self.parameters)
            self._nodes[identity], bound = self.dialect.placeholder(position, value, column_type)
            self.parameters.append(Parameter(f"p{position}", column_type, bound))
        return self._nodes[identity].copy()

    def expression(self, expression: Expression) -> exp.Expr:
        match expression:
            case Col(name):
                return self.column(name)
            case JsonPath(number=True):
                raise BadInput("Numbers inside JSON are not compared in this store. Compare their text.")
            case JsonPath(name, path):
                text = ColumnType(Kind.TEXT)
                return self.dialect.json_path(self.column(name), [self.bind(part, text) for part in path])
            case CosineSimilarity(name, vector):
                assert isinstance(vector, tuple), "a text stands where its embedding should"
                if not any(vector):
                    raise BadInput("A vector of zeros has no direction. Search by another one.")
                floats = ColumnType(Kind.ARRAY, element=ColumnType(Kind.FLOAT))
                return self.dialect.cosine_similarity(self.column(name), self.bind(vector, floats))
            case Digest(columns):
                return self.dialect.digest([self.column(name) for name in columns])
            case Bucket(name, unit, time_zone, week_start):
                before = week_start.before_monday if unit is Unit.WEEK else 0
                if self.table.column(name).type.kind is Kind.DATE:
                    return self._dates(self.column(name), unit, before)
                zone = self.bind(time_zone, ColumnType(Kind.TEXT))
                return self.dialect.instant_bucket(self.column(name), unit, zone, before=before)
            case Masked(masked, holder, values):
                shown: exp.Expr = exp.false()
                assert not isinstance(values, Slot)
                if values:
                    rows = [(value,) for value in values]
                    shown = self.dialect.one_of([self.column(holder)], [self.table.column(holder).type], rows, self)
                return exp.Case(ifs=[exp.If(this=shown, true=self.expression(masked))])

    def _dates(self, date: exp.Expr, unit: Unit, before: int) -> exp.Expr:
        if not before:
            return self.dialect.date_bucket(date, unit)
        monday = self.dialect.date_bucket(self.dialect.days_later(date, before), Unit.WEEK)
        return self.dialect.date_bucket(self.dialect.days_later(monday, -before), Unit.DAY)

    def sort_key(self, expression: Expression, column_type: ColumnType) -> exp.Expr:
        """The expression in the form it sorts and groups by: NaN as null, so that pages and groups are the same on
        every engine.
        """
        value = self.expression(expression)
        return without_nan(value) if column_type.kind is Kind.FLOAT else value


def without_nan(value: exp.Expr) -> exp.Expr:
    """The float, or null for NaN."""
    return exp.Case(ifs=[exp.If(this=exp.not_(exp.IsNan(this=value)), true=value.copy())])


def column(name: str) -> exp.Column:
    return exp.column(name, ROW, quoted=True)


def join_alias(position: int) -> str:
    return f"j{position}"


def _of_join(position: int, name: str, shown: Expression | Measure | None) -> exp.Expr:
    """A count of what is not there is 0, that of variants (None) too."""
    found: exp.Expr = exp.column(name, join_alias(position), quoted=True)
    counts = (AggregateFunction.COUNT, AggregateFunction.COUNT_DISTINCT)
    if shown is None or (isinstance(shown, Measure) and shown.function in counts):
        found = exp.Coalesce(this=found, expressions=[exp.Literal.number(0)])
    return found
