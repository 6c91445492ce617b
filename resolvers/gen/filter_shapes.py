"""What the JSON columns of filters hold."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, RootModel

from resolvers.gen.shapes import Stored, shape
from resolvers.gen.table_query import ColumnName


class FilterTarget(Stored):
    """A widget a filter applies to, and the column it compares there where that has another name."""

    widget_id: Annotated[UUID, Field(strict=False)]
    column: ColumnName | None = None


class FilterTargets(RootModel[Annotated[list[FilterTarget], Field(max_length=200)]]):
    """The widgets a filter applies to."""


FILTER_TARGETS = shape(FilterTargets)
