"""Checks a metric's definition against its tables when it is written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog

from loaders.description import Kind
from loaders.errors import BadInput, NotFound, StoreError
from loaders.expression import measure_type, sortable
from loaders.gen.semantic_metrics import MetricRow
from loaders.read import Col, Measure, Value
from resolvers.context import Context
from resolvers.gen.metric_definition import Simple
from resolvers.gen.metric_leaf import TIME, compared_columns, renamed
from resolvers.gen.metric_table import described, metric_table
from resolvers.gen.metric_tree import tree_of
from resolvers.gen.row_filter import predicate
from resolvers.gen.rows import column_of
from resolvers.gen.series import COMPARED

_NUMBERS = frozenset({Kind.INTEGER, Kind.BIGINT, Kind.NUMERIC, Kind.FLOAT})
_log = structlog.get_logger(__name__)


async def check_metric(context: Context, values: Mapping[str, Value]) -> None:
    """Raises `BadInput`, which names the field and the alternatives.

    Metrics it is made of need not exist yet. If its tables cannot be described now, mistakes show when the metric is
    asked, and the log says so: a data source that is down does not keep its metrics from being written.
    """
    row = _row(values)
    if row.name in (TIME, COMPARED):
        message = f"A metric cannot be named {row.name!r}: groups by time have a column of that name. Choose another."
        raise BadInput(message, field="name")
    if row.name in row.dimensions:
        message = f"A dimension has the metric's name {row.name!r}. Give the column another one in `names`."
        raise BadInput(message, field="dimensions")
    dataset_id = UUID(str(values["dataset_id"]))
    if row.kind != "simple":
        await _check_tree(context, dataset_id, row)
        return
    try:
        await _check_columns(context, dataset_id, row, tuple(_texts(values.get("grain"))))
    except StoreError as error:
        _log.warning("metric_not_checked", metric=row.name, store=error.store, code=error.code.value)


def _row(values: Mapping[str, Value]) -> MetricRow:
    table, time = values.get("table_name"), values.get("time_column")
    return MetricRow(
        str(values["name"]),
        0,
        True,
        str(values["kind"]),
        None if table is None else str(table),
        None if time is None else str(time),
        tuple(_texts(values.get("dimensions"))),
        values["definition"],
    )


def _texts(value: Any) -> list[str]:
    return list(value or ())


async def _check_tree(context: Context, dataset_id: UUID, row: MetricRow) -> None:
    metrics = context.gen.metrics
    others = [each for each in await metrics.load(dataset_id) if each.name != row.name]
    metrics.clear(dataset_id)  # so that the read after the write includes it
    with _about("definition"):
        try:
            tree_of(row.name, None, [*others, row])
        except NotFound:
            return  # a part that does not exist yet


async def _check_columns(context: Context, dataset_id: UUID, row: MetricRow, grain: tuple[str, ...]) -> None:
    simple, name, table_name = Simple.model_validate(row.definition), row.name, row.table_name or ""
    with _about("tableName"):
        own = await described(context, dataset_id, name, table_name)
    with _about("grain"):
        for column in grain:
            column_of(own, column)
    with _about("definition"):
        where = None if simple.where is None else renamed(simple.where.given, simple)
        measure = simple.measure
        needed = [*compared_columns(where), *([] if measure.column is None else [measure.column])]
        wide = (await metric_table(context, dataset_id, name, table_name, simple, needed)).table
        predicate(where, wide)
        of = None if measure.column is None else Col(column_of(wide, measure.column).name)
        kind = measure_type(Measure(measure.aggregate, of, measure.fraction), wide).kind
        if kind not in _NUMBERS:
            raise BadInput(f"{measure.function} of {measure.column!r} is {kind}, and a metric is a number.")
        for join in simple.joins or ():
            columns = [join.named(each.key) for each in join.measures or ()]
            columns += [] if columns else [join.named(join.on[0].equals)]
            distinct = simple.model_copy(update={"measure": measure.model_copy(update={"function": "COUNT_DISTINCT"})})
            await metric_table(context, dataset_id, name, table_name, distinct, columns)
    with _about("dimensions"):
        targets = [simple.column(dimension) for dimension in row.dimensions]
        wide = (await metric_table(context, dataset_id, name, table_name, simple, targets)).table
        for target in targets:
            sortable(Col(target), wide)
    if row.time_column is not None:
        with _about("timeColumn"):
            column = simple.column(row.time_column)
            wide = (await metric_table(context, dataset_id, name, table_name, simple, [column])).table
            if (kind := column_of(wide, column).type.kind) not in (Kind.TIMESTAMP, Kind.DATE):
                raise BadInput(f"Column {column!r} is {kind}. Give one of instants or dates.")


@contextmanager
def _about(field: str) -> Iterator[None]:
    """Re-raises errors in this context as errors of this input field."""
    try:
        yield
    except NotFound as error:
        raise BadInput(str(error), field=field) from None
    except BadInput as error:
        error.field = field
        raise
