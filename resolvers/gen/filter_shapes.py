"""The stored form of the JSON columns of filters."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, RootModel

from loaders.read import Value
from resolvers.gen.shapes import Stored, shape
from resolvers.gen.table_query import ColumnName


class FilterTarget(Stored):
    """A widget that a filter applies to, and the column it filters there when that has another name."""

    widget_id: Annotated[UUID, Field(strict=False)]
    column: ColumnName | None = None


class FilterTargets(RootModel[Annotated[list[FilterTarget], Field(max_length=200)]]):
    """The widgets a filter applies to."""


FILTER_TARGETS = shape(FilterTargets)


def filter_value(value: Value) -> Value:
    """The `Shape` of a filter's default value. Whether it fits the column's kind is checked when the filter is used."""
    each = value if isinstance(value, list) else [value]
    if any(isinstance(item, dict | list) for item in each):
        raise ValueError("must be one value, or a list of values")
    return value
