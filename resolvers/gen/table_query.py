"""A query of a remote table as data: the arguments of `GenTable.rows` or `GenTable.aggregate`, stored in a widget."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from loaders.read import AggregateFunction
from resolvers.gen.group_read import MAX_GROUPS
from resolvers.gen.shapes import Stored, time_zone

MAX_ROWS = 1_000
_OPERATORS = ("eq", "ne", "in_", "not_in", "lt", "lte", "gt", "gte", "is_null", "like", "ilike", "starts_with")

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=255)]
ZoneName = Annotated[str, AfterValidator(time_zone)]
FunctionName = Literal["COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "STDDEV", "PERCENTILE"]


class RowFilter(Stored):
    """A `GenRowFilter`. Whether the column exists and takes the value is checked when the query runs."""

    and_: "list[RowFilter] | None" = Field(default=None, alias="and")
    or_: "list[RowFilter] | None" = Field(default=None, alias="or")
    not_: "RowFilter | None" = Field(default=None, alias="not")
    column: ColumnName | None = None
    eq: JsonValue = None
    ne: JsonValue = None
    in_: list[JsonValue] | None = Field(default=None, alias="in")
    not_in: list[JsonValue] | None = None
    lt: JsonValue = None
    lte: JsonValue = None
    gt: JsonValue = None
    gte: JsonValue = None
    is_null: bool | None = None
    like: str | None = None
    ilike: str | None = None
    starts_with: str | None = None

    @model_validator(mode="after")
    def _compares(self) -> Self:
        if nulls := [name for name in self.model_fields_set if getattr(self, name) is None]:
            raise ValueError(f"`{_alias(nulls[0])}` is null. Leave it out, or use `isNull`")
        compared = self.model_fields_set.intersection(_OPERATORS)
        if bool(compared) != (self.column is not None):
            raise ValueError("an operator needs `column`, and `column` needs an operator")
        return self

    @property
    def given(self) -> dict[str, Any]:
        """The filter in the form that clients write."""
        return self.model_dump(by_alias=True, exclude_unset=True)


def _alias(name: str) -> str:
    alias = RowFilter.model_fields[name].alias
    return alias if alias is not None else name


class RowOrder(Stored):
    """A `GenRowOrder`. For groups, `column` is one of their names."""

    column: ColumnName
    direction: Literal["ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_LAST"] = "ASC"


class Measure(Stored):
    """A `GenMeasure`."""

    function: FunctionName
    column: ColumnName | None = None
    fraction: Annotated[float, Field(ge=0, le=1, strict=False)] | None = None
    as_: ColumnName | None = Field(default=None, alias="as")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.column is None and self.function != "COUNT":
            raise ValueError(f"`{self.function}` needs a column; only `COUNT` goes without")
        if (self.fraction is not None) != (self.function == "PERCENTILE"):
            raise ValueError("`fraction` belongs to `PERCENTILE`, which needs it")
        return self

    @property
    def key(self) -> str:
        """Its name in the answer."""
        return self.as_ or (f"{self.aggregate}_{self.column}" if self.column else str(self.aggregate))

    @property
    def aggregate(self) -> AggregateFunction:
        return AggregateFunction[self.function]


class TimeBucket(Stored):
    """A `GenTimeBucket`. Without a time zone, the dashboard's applies."""

    column: ColumnName
    unit: Literal["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]
    time_zone: ZoneName | None = None
    week_start: Literal["MONDAY", "SUNDAY", "SATURDAY"] = "MONDAY"
    as_: ColumnName | None = Field(default=None, alias="as")
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    fill: Literal["NULL", "ZERO", "PREVIOUS"] | None = None
    compare: Literal["PREVIOUS_PERIOD", "PREVIOUS_YEAR"] | None = None

    @property
    def key(self) -> str:
        """Its name in the answer."""
        return self.as_ or self.column


class TableQuery(Stored):
    """Rows (`select`, by default all columns), or groups (one or more of `measures`, `groupBy` and `over`)."""

    select: Annotated[list[ColumnName], Field(min_length=1, max_length=500)] | None = None
    measures: Annotated[list[Measure], Field(max_length=100)] | None = None
    group_by: Annotated[list[ColumnName], Field(max_length=20)] | None = None
    over: TimeBucket | None = None
    where: RowFilter | None = None
    order_by: Annotated[list[RowOrder], Field(max_length=20)] | None = None
    limit: Annotated[int, Field(ge=0, le=MAX_GROUPS)] | None = None

    @model_validator(mode="after")
    def _rows_or_groups(self) -> Self:
        if self.select is not None and self.grouped:
            raise ValueError("`select` is for rows, `measures`, `groupBy` and `over` are for groups: one or the other")
        if not self.grouped and self.limit is not None and self.limit > MAX_ROWS:
            raise ValueError(f"`limit` of rows is at most {MAX_ROWS}")
        for term in self.order_by or ():
            if self.grouped and term.column not in self.group_names:
                raise ValueError(f"`orderBy` of groups names a column of `groupBy` or a measure, not {term.column!r}")
        return self

    @property
    def group_names(self) -> list[str]:
        """The names of a group's values, in the answer's order."""
        over = [self.over.key] if self.over else []
        return [*over, *(self.group_by or ()), *(measure.key for measure in self.measures or ())]

    @property
    def grouped(self) -> bool:
        return bool(self.measures or self.group_by or self.over)
