"""Applies the filters of a dashboard and of a table to one query, and reports each of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from loaders.description import Table
from loaders.errors import BadInput, FilterRequired
from loaders.gen.dashboard import Control
from loaders.read import And, Predicate
from loaders.warehouses.places import TableFilter
from resolvers.gen.required import is_narrowed
from resolvers.gen.row_filter import predicate


class Source(StrEnum):
    """Where the filter comes from."""

    DASHBOARD = "dashboard"
    TABLE = "table"


class Reason(StrEnum):
    """Why a filter was not applied."""

    NO_VALUE = "no_value"
    NO_SUCH_COLUMN = "no_such_column"
    OTHER_WIDGETS = "other_widgets"
    NARROWED_ALREADY = "narrowed_already"


@dataclass(frozen=True, slots=True)
class Applied:
    """A filter that was applied. `name` is the dashboard filter's; filters of tables have none."""

    source: Source
    name: str | None
    column: str
    operator: str
    value: Any
    is_default: bool
    kind: str

    @property
    def range(self) -> tuple[str | None, str | None] | None:
        """The bounds of a time range, the end exclusive; None for other filters."""
        return tuple(self.value) if (self.operator, self.kind) == ("between", "time_range") else None


@dataclass(frozen=True, slots=True)
class Ignored:
    source: Source
    name: str | None
    column: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Narrowed:
    """`touching` are the names of the dashboard filters that affect the query when they have a value."""

    where: Predicate | None
    applied: tuple[Applied, ...]
    ignored: tuple[Ignored, ...]
    touching: frozenset[str]


def narrowed(
    table: Table,
    where: Predicate | None,
    *,
    widget_id: UUID,
    controls: Sequence[Control],
    filters: Sequence[TableFilter],
    given: Mapping[str, Any],
) -> Narrowed:
    """The query's own condition combined with all filters that apply. `filters` are the table's.

    A value in `given` replaces the default; null and an empty list mean no value. A table filter's default applies
    unless something else filters its column in the required way. `FilterRequired` when a required filter has no value;
    `BadInput` for a name that no control has, and for a value that does not fit its column.
    """
    require_known_names(controls, given)
    terms = [] if where is None else [where]
    applied: list[Applied] = []
    ignored: list[Ignored] = []
    touching: set[str] = set()
    for control in controls:
        column = target(control, widget_id)
        reason = Reason.OTHER_WIDGETS if column is None else None
        if column is not None and not table.has_column(column):
            reason = Reason.NO_SUCH_COLUMN
        if reason is None:
            touching.add(control.name)
        if column is None or reason is not None:
            ignored.append(Ignored(Source.DASHBOARD, control.name, column or control.column, reason or Reason.NO_VALUE))
            continue
        value = value_of(control, given)
        if value is None:
            if control.is_required:
                raise FilterRequired(f"The dashboard's filter {control.name!r} needs a value. Nothing was asked.")
            ignored.append(Ignored(Source.DASHBOARD, control.name, column, Reason.NO_VALUE))
            continue
        terms.append(condition(column, control.kind, control.operator, value, table))
        is_default = control.name not in given
        applied.append(
            Applied(Source.DASHBOARD, control.name, column, control.operator, value, is_default, control.kind)
        )
    for filter_ in filters:
        reason = _of_table(filter_, terms, table)
        if reason is None:
            terms.append(condition(filter_.column, filter_.kind, filter_.operator, filter_.default, table))
            applied.append(
                Applied(Source.TABLE, None, filter_.column, filter_.operator, filter_.default, True, filter_.kind)
            )
        else:
            ignored.append(Ignored(Source.TABLE, None, filter_.column, reason))
    return Narrowed(And(tuple(terms)) if terms else None, tuple(applied), tuple(ignored), frozenset(touching))


def require_known_names(controls: Sequence[Control], given: Iterable[str]) -> None:
    """`BadInput` for the name of a filter that does not exist."""
    if unknown := set(given) - {control.name for control in controls}:
        known = ", ".join(control.name for control in controls) or "none"
        raise BadInput(f"The dashboard has no filter {min(unknown)!r}. Its filters: {known}.")


def target(control: Control, widget_id: UUID) -> str | None:
    """The column of the widget's table that the filter compares; None when the filter is for other widgets."""
    if control.targets is None:
        return control.column
    return next((column for widget, column in control.targets if widget == widget_id), None)


def value_of(control: Control, given: Mapping[str, Any]) -> Any:
    """The given value, or else the default; None when there is neither."""
    value = given.get(control.name, control.default)
    return None if value == [] or value == [None, None] else value


def condition(column: str, kind: str, operator: str, value: Any, table: Table) -> Predicate:
    """The condition of a filter with this operator on the column.

    `between` takes a pair and includes both ends, except for a `time_range`, whose end is exclusive. An end that is
    null is open.
    """
    if operator != "between":
        return predicate({"column": column, operator: value}, table) or And(())
    if not isinstance(value, list) or len(value) != 2:
        raise BadInput(f"The filter on {column!r} takes a pair: from and to.")
    upper = "lt" if kind == "time_range" else "lte"
    ends = {name: end for name, end in zip(("gte", upper), value, strict=True) if end is not None}
    return predicate({"column": column, **ends}, table) or And(())


def _of_table(filter_: TableFilter, terms: Sequence[Predicate], table: Table) -> Reason | None:
    if not table.has_column(filter_.column):
        return Reason.NO_SUCH_COLUMN
    if is_narrowed(And(tuple(terms)), filter_):
        return Reason.NARROWED_ALREADY
    return Reason.NO_VALUE if filter_.default in (None, []) else None
