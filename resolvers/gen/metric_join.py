"""Joins of a simple metric: tables of its dataset whose columns can be its dimensions and filters, as data."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from resolvers.gen.shapes import Stored
from resolvers.gen.table_query import ColumnName, Measure, RowFilter

MetricName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class JoinOn(Stored):
    """`column` of the metric's table, or of the join named in `from`, equals `equals` of the joined table."""

    column: ColumnName
    equals: ColumnName


class MetricJoin(Stored):
    """Columns of `table` are named `{name}.{column}`, and `measures` `{name}.{as}`.

    `ONE_TO_MANY` says that one row of the metric can match many rows of the join: `measures` aggregate those by the
    joined key first. `from` is an earlier join that this one is joined to; by default it is the metric's own table.
    """

    name: MetricName
    table: ColumnName
    on: Annotated[list[JoinOn], Field(min_length=1, max_length=8)]
    cardinality: Literal["MANY_TO_ONE", "ONE_TO_MANY"] = "MANY_TO_ONE"
    from_: MetricName | None = Field(default=None, alias="from")
    where: RowFilter | None = None
    measures: Annotated[list[Measure], Field(min_length=1, max_length=20)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.measures is not None and self.cardinality == "MANY_TO_ONE":
            raise ValueError(f"join {self.name!r} is MANY_TO_ONE: `measures` are for ONE_TO_MANY")
        if twice := _twice([measure.key for measure in self.measures or ()]):
            raise ValueError(f"two `measures` of join {self.name!r} are named {twice!r}. Set `as`")
        return self

    def named(self, column: str) -> str:
        """The metric's name for a column or measure of this join."""
        return f"{self.name}.{column}"

    def measure(self, column: str) -> Measure | None:
        return next((measure for measure in self.measures or () if measure.key == column), None)

    def __str__(self) -> str:
        pairs = ", ".join(f"{pair.column} = {self.table}.{pair.equals}" for pair in self.on)
        return f"{self.name!r} ({pairs})"


def in_order(joins: Sequence[MetricJoin]) -> None:
    """`ValueError` when two joins have the same name, or one is joined to a join that does not come before it."""
    if twice := _twice([join.name for join in joins]):
        raise ValueError(f"two `joins` are named {twice!r}")
    before: dict[str, MetricJoin] = {}
    for join in joins:
        if join.from_ is not None and join.from_ not in before:
            raise ValueError(f"join {join.name!r} comes from {join.from_!r}, which is no join before it")
        if join.from_ is not None and before[join.from_].cardinality == "ONE_TO_MANY":
            raise ValueError(f"join {join.name!r} comes from {join.from_!r}, which is ONE_TO_MANY")
        before[join.name] = join


def _twice(names: Sequence[str]) -> str | None:
    return next((name for name, count in Counter(names).items() if count > 1), None)
