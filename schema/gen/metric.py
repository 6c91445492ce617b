"""A semantic metric asked by its name, like an aggregate."""

from collections.abc import Mapping
from typing import Annotated, Any, Optional
from uuid import UUID

import orjson
import strawberry
from graphql import GraphQLResolveInfo

from loaders.read import Unit, WeekStart
from resolvers.gen.metrics import MetricTime, metric_groups
from schema.gen.row import GenRowFilter, GenWeekStart
from schema.gen.table import TABLES
from schema.gen.zones import checked_zone
from schema.mapping.aggregate_types import TimeUnit
from schema.mapping.arguments import argument, signature
from schema.mapping.splice import Row
from schema.scalars import JSON


@strawberry.input(description="Buckets of a metric's own column of time, by a zone's clocks; `time` in its groups.")
class GenMetricTime:
    unit: TimeUnit = strawberry.field(description="How long a bucket is.")
    time_zone: str = strawberry.field(description="IANA zone whose clocks count.", default="UTC")
    week_start: GenWeekStart = strawberry.field(description="The first day of a week.", default=WeekStart.MONDAY)
    from_: str | None = strawberry.field(name="from", description="Only rows from this moment on.", default=None)
    to: str | None = strawberry.field(description="Only rows before this moment.", default=None)


async def _groups(metric: "GenMetric", info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    given = arguments.get("time")
    rows = await metric_groups(
        info.context,
        metric.dataset_id,
        metric.name,
        version=metric.version,
        dimensions=arguments.get("groupBy") or (),
        time=None if given is None else _time(given),
        where=arguments.get("where"),
    )
    return orjson.Fragment(orjson.dumps(rows))


def _time(given: Mapping[str, Any]) -> MetricTime:
    return MetricTime(
        Unit[_name(given["unit"])],
        checked_zone(given["timeZone"]),
        WeekStart[_name(given["weekStart"])],
        given.get("from"),
        given.get("to"),
    )


def _name(given: Any) -> str:
    return str(getattr(given, "name", given))


_AGGREGATE = signature(
    {},
    {
        "group_by": argument(list[str] | None, "Its dimensions that make a group; one group of all unless given."),
        "time": argument(Optional[GenMetricTime], "Buckets of its time as the first key; needed by a cumulative one."),
        "where": argument(Optional[GenRowFilter], "Only rows that match, of every table it is made of."),
    },
    list[JSON] | None,
)


@strawberry.type(description="A semantic metric, to be asked by its name.")
class GenMetric:
    dataset_id: strawberry.Private[UUID]
    name: str = strawberry.field(description="Its name.")
    version: int | None = strawberry.field(description="The version asked for; null: as it stands.")
    aggregate = strawberry.field(
        resolver=_AGGREGATE,
        metadata={"mapping": _groups, "guard": TABLES},
        description="Its value in groups, under its name. What is made of several figures is reckoned for each group.",
    )


async def dataset_metric(
    row: strawberry.Parent[Row],
    name: Annotated[str, strawberry.argument(description="Name of the metric.")],
    version: Annotated[
        int | None, strawberry.argument(description="Number of the version; as it stands unless given.")
    ] = None,
) -> GenMetric:
    return GenMetric(dataset_id=UUID(row.required("id")), name=name, version=version)
