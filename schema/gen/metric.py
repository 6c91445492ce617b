"""A semantic metric, queried by its name like an aggregate."""

from collections.abc import Mapping
from typing import Annotated, Any, Optional
from uuid import UUID

import orjson
import strawberry
from graphql import GraphQLResolveInfo

from loaders.openfga import names
from loaders.read import Unit, WeekStart
from resolvers.gen.metric_leaf import MetricTime
from resolvers.gen.metrics import MetricAnswer, answer_metric
from resolvers.gen.over import Comparison, Fill
from resolvers.permissions.fields import OnObject
from schema.gen.row import GenComparison, GenFill, GenRowFilter, GenWeekStart
from schema.gen.table import TABLES
from schema.gen.widget_answer import GenAnswerColumn
from schema.gen.zones import checked_zone
from schema.mapping.aggregate_types import TimeUnit
from schema.mapping.arguments import argument, signature
from schema.mapping.splice import Row
from schema.scalars import JSON, BigInt, bigint


@strawberry.input(description="Buckets of the metric's own time column in a time zone, named `time` in its groups.")
class GenMetricTime:
    unit: TimeUnit = strawberry.field(description="The length of a bucket.")
    time_zone: str = strawberry.field(description="IANA time zone of the buckets.", default="UTC")
    week_start: GenWeekStart = strawberry.field(description="The first day of a week.", default=WeekStart.MONDAY)
    from_: str | None = strawberry.field(name="from", description="Only rows from this moment on.", default=None)
    to: str | None = strawberry.field(description="Only rows before this moment.", default=None)
    fill: GenFill | None = strawberry.field(
        description="How buckets without rows are filled; by default they have no group.", default=None
    )
    compare: GenComparison | None = strawberry.field(
        description="Adds `compared` to each group: the same of an earlier range. Needs `from` and `to`.", default=None
    )


@strawberry.type(description="A version of a metric that an answer was computed from.")
class GenMetricPart:
    name: str = strawberry.field(description="Its name.")
    version: int = strawberry.field(description="Number of the version.")


def _administered(answer: "GenMetricAnswer") -> str:
    return names.dataset(answer.dataset_id)


async def _sql(answer: strawberry.Parent["GenMetricAnswer"]) -> list[str] | None:
    return answer.sent


@strawberry.type(description="A metric's groups, and how they were computed.")
class GenMetricAnswer:
    dataset_id: strawberry.Private[UUID]
    sent: strawberry.Private[list[str]]
    columns: list[GenAnswerColumn] = strawberry.field(description="The columns of the groups, in order.")
    rows: list[JSON] = strawberry.field(description="The groups, as objects.")
    row_count: int = strawberry.field(description="The number of groups.")
    sql: list[str] | None = strawberry.field(
        resolver=_sql,
        metadata={"guard": OnObject("can_admin", _administered)},
        description="The statements as they were sent; values are bound as parameters. They name the tables as the "
        "data source does. For administrators of the dataset.",
    )
    bytes: BigInt = strawberry.field(description="Bytes the store sent.")
    ms: float = strawberry.field(description="Milliseconds the store took, summed over its statements.")
    data_source: str = strawberry.field(description="The data source that was queried, `datasource:{rowId}`.")
    engine: str | None = strawberry.field(description="The connector of the data source, such as `clickhouse`.")
    time_zone: str | None = strawberry.field(description="The time zone of its buckets; null without `time`.")
    parts: list[GenMetricPart] = strawberry.field(
        description="The versions of the metric and of all metrics it is composed of."
    )


async def _groups(metric: "GenMetric", info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    answered = await _answered(metric, info, arguments)
    return orjson.Fragment(orjson.dumps(answered.rows))


async def _answer(metric: "GenMetric", info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> GenMetricAnswer:
    answered = await _answered(metric, info, arguments)
    time = arguments.get("time")
    return GenMetricAnswer(
        columns=[GenAnswerColumn(name=each.name, kind=each.kind.value) for each in answered.columns],
        rows=orjson.Fragment(orjson.dumps(answered.rows)),  # type: ignore[arg-type]  # spliced as it is
        row_count=len(answered.rows),
        dataset_id=metric.dataset_id,
        sent=list(answered.sql),
        bytes=bigint(answered.usage.bytes),
        ms=answered.usage.ms,
        data_source=answered.store,
        engine=info.context.stores.warehouses.engine(answered.store),
        time_zone=None if time is None else time["timeZone"],
        parts=[GenMetricPart(name=name, version=version) for name, version in answered.versions.items()],
    )


async def _answered(metric: "GenMetric", info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> MetricAnswer:
    given = arguments.get("time")
    return await answer_metric(
        info.context,
        metric.dataset_id,
        metric.name,
        version=metric.version,
        dimensions=arguments.get("groupBy") or (),
        time=None if given is None else _time(given),
        where=arguments.get("where"),
    )


def _time(given: Mapping[str, Any]) -> MetricTime:
    fill, compare = given.get("fill"), given.get("compare")
    return MetricTime(
        Unit[_name(given["unit"])],
        checked_zone(given["timeZone"]),
        WeekStart[_name(given["weekStart"])],
        given.get("from"),
        given.get("to"),
        None if fill is None else Fill[_name(fill)],
        None if compare is None else Comparison[_name(compare)],
    )


def _name(given: Any) -> str:
    return str(getattr(given, "name", given))


_ARGUMENTS = {
    "group_by": argument(list[str] | None, "The dimensions to group by; without any, all rows are one group."),
    "time": argument(Optional[GenMetricTime], "Buckets of time as the first key; required for a cumulative metric."),
    "where": argument(Optional[GenRowFilter], "Only rows that satisfy this filter, in every table of the metric."),
}
_AGGREGATE = signature({}, _ARGUMENTS, list[JSON] | None)
_ANSWER = signature({}, _ARGUMENTS, GenMetricAnswer | None)


@strawberry.type(description="A semantic metric of a dataset.")
class GenMetric:
    dataset_id: strawberry.Private[UUID]
    name: str = strawberry.field(description="Its name.")
    version: int | None = strawberry.field(description="The requested version; null means the current one.")
    aggregate = strawberry.field(
        resolver=_AGGREGATE,
        metadata={"mapping": _groups, "guard": TABLES},
        description="Its value for each group, under its name. Composed metrics are computed for each group.",
    )
    answer = strawberry.field(
        resolver=_ANSWER,
        metadata={"mapping": _answer, "guard": TABLES},
        description="The groups of `aggregate`, and how they were computed: SQL, versions, engine, bytes.",
    )


async def dataset_metric(
    row: strawberry.Parent[Row],
    name: Annotated[str, strawberry.argument(description="Name of the metric.")],
    version: Annotated[
        int | None, strawberry.argument(description="Number of the version; the current one by default.")
    ] = None,
) -> GenMetric:
    return GenMetric(dataset_id=UUID(row.required("id")), name=name, version=version)
