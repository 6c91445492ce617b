"""What the JSON columns of filters hold."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, RootModel

from loaders.read import Value
from resolvers.gen.shapes import Stored, shape
from resolvers.gen.table_query import ColumnName


class FilterTarget(Stored):
    """A widget a filter applies to, and the column it compares there where that has another name."""

    widget_id: Annotated[UUID, Field(strict=False)]
    column: ColumnName | None = None


class FilterTargets(RootModel[Annotated[list[FilterTarget], Field(max_length=200)]]):
    """The widgets a filter applies to."""


FILTER_TARGETS = shape(FilterTargets)


def filter_value(value: Value) -> Value:
    """The `Shape` of a default: what a filter compares with. Whether it is of the column's kind is known when it is
    asked."""
    each = value if isinstance(value, list) else [value]
    if any(isinstance(item, dict | list) for item in each):
        raise ValueError("must be one value, or a list of values")
    return value
