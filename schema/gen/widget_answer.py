"""The answer of a widget, and how it was computed."""

from typing import Annotated, Any
from uuid import UUID

import orjson
import strawberry

from loaders.openfga import names
from resolvers.context import Context
from resolvers.gen.narrowing import Reason, Source
from resolvers.gen.widgets import Answered, QueryResult, Widget, answer_widget
from resolvers.permissions.fields import OnObject
from schema.gen.filter_words import GenFilterOperator
from schema.gen.zones import checked_zone
from schema.mapping.enums import described_enum
from schema.mapping.splice import Row
from schema.scalars import JSON, BigInt, bigint

Info = strawberry.Info[Context, None]

GenFilterSource = described_enum(
    Source,
    "GenFilterSource",
    "Where a filter comes from.",
    {Source.DASHBOARD: "The dashboard; its readers set the value.", Source.TABLE: "The remote table."},
)
GenIgnoredReason = described_enum(
    Reason,
    "GenIgnoredReason",
    "Why a filter was not applied.",
    {
        Reason.NO_VALUE: "The filter has no value.",
        Reason.NO_SUCH_COLUMN: "The table has no column of that name.",
        Reason.OTHER_WIDGETS: "The filter is for other widgets.",
        Reason.NARROWED_ALREADY: "Its default is not needed, because the column is filtered already.",
    },
)


@strawberry.input(description="A value for a filter of the dashboard, instead of its default.")
class GenFilterValue:
    name: str = strawberry.field(description="Name of the filter.")
    value: JSON | None = strawberry.field(
        description="Its value: a list for `in`, a pair for `between`; null for none.", default=None
    )


@strawberry.type(description="A filter that was applied to an answer.")
class GenAppliedFilter:
    source: GenFilterSource = strawberry.field(description="Where the filter comes from.")  # type: ignore[valid-type]
    name: str | None = strawberry.field(description="Name of the dashboard's filter; filters of tables have none.")
    column: str = strawberry.field(description="The column that was compared.")
    operator: GenFilterOperator = strawberry.field(description="The operator of the comparison.")
    value: JSON = strawberry.field(description="The value it was compared with.")
    is_default: bool = strawberry.field(description="Whether the value is the filter's default.")


@strawberry.type(description="A filter that was not applied to an answer.")
class GenIgnoredFilter:
    source: GenFilterSource = strawberry.field(description="Where the filter comes from.")  # type: ignore[valid-type]
    name: str | None = strawberry.field(description="Name of the dashboard's filter; filters of tables have none.")
    column: str = strawberry.field(description="The column it would have compared.")
    reason: GenIgnoredReason = strawberry.field(description="Why it was not applied.")  # type: ignore[valid-type]


@strawberry.type(description="A column of a widget's answer.")
class GenAnswerColumn:
    name: str = strawberry.field(description="Name of the value in each row.")
    kind: str = strawberry.field(description="Kind of its values, such as `integer`, `text` or `timestamp`.")


def _administered(answer: "GenWidgetAnswer") -> str:
    return names.dataset(answer.dataset_id)


async def _sql(answer: strawberry.Parent["GenWidgetAnswer"]) -> list[str] | None:
    return answer.sent


@strawberry.type(description="The answer of a widget's query, and how it was computed.")
class GenWidgetAnswer:
    dataset_id: strawberry.Private[UUID]
    sent: strawberry.Private[list[str] | None]
    asked: bool = strawberry.field(
        description="False if no filter of `touchedBy` applies to the widget: keep the previous answer."
    )
    columns: list[GenAnswerColumn] | None = strawberry.field(description="The columns of the rows, in order.")
    rows: list[JSON] | None = strawberry.field(description="The rows or groups, as objects.")
    row_count: int | None = strawberry.field(description="The number of rows.")
    truncated: bool | None = strawberry.field(description="Whether the query has more rows than its limit.")
    sql: list[str] | None = strawberry.field(
        resolver=_sql,
        metadata={"guard": OnObject("can_admin", _administered)},
        description="The statements as they were sent; values are bound as parameters. They name the tables as the "
        "data source does. For administrators of the dataset.",
    )
    bytes: BigInt | None = strawberry.field(description="Bytes the store sent.")
    ms: float | None = strawberry.field(description="Milliseconds the store took.")
    data_source: str = strawberry.field(description="The data source that was queried, `datasource:{rowId}`.")
    engine: str | None = strawberry.field(description="The connector of the data source, such as `clickhouse`.")
    time_zone: str = strawberry.field(description="The time zone of its buckets.")
    applied_filters: list[GenAppliedFilter] = strawberry.field(description="The filters that were applied.")
    ignored_filters: list[GenIgnoredFilter] = strawberry.field(
        description="The filters that were not applied, and why."
    )


async def widget_answer(
    row: strawberry.Parent[Row],
    info: Info,
    filters: Annotated[
        list[GenFilterValue] | None,
        strawberry.argument(
            description="Values of the dashboard's filters. Filters left out have their default value."
        ),
    ] = None,
    touched_by: Annotated[
        list[str] | None,
        strawberry.argument(
            description="Run the query only if one of these dashboard filters, by name, applies to the widget."
        ),
    ] = None,
    time_zone: Annotated[
        str | None, strawberry.argument(description="IANA time zone of its buckets; the dashboard's by default.")
    ] = None,
) -> GenWidgetAnswer | None:
    query = row.required("query")
    if query is None:
        return None
    if time_zone is not None:
        checked_zone(time_zone)
    widget = Widget(
        UUID(row.required("id")),
        UUID(row.required("dashboard_id")),
        UUID(row.required("dataset_id")),
        row.required("table_name"),
        query,
    )
    given = {each.name: each.value for each in filters or ()}
    answered = await answer_widget(info.context, widget, given=given, touched_by=touched_by, time_zone=time_zone)
    return _shown(answered, widget.dataset_id)


def _shown(answered: Answered, dataset_id: UUID) -> GenWidgetAnswer:
    applied = [
        GenAppliedFilter(
            source=each.source,
            name=each.name,
            column=each.column,
            operator=GenFilterOperator(each.operator),
            value=each.value,
            is_default=each.is_default,
        )
        for each in answered.applied
    ]
    ignored = [
        GenIgnoredFilter(source=each.source, name=each.name, column=each.column, reason=each.reason)
        for each in answered.ignored
    ]
    return GenWidgetAnswer(
        dataset_id=dataset_id,
        asked=answered.ran is not None,
        **_of_run(answered.ran),
        data_source=answered.store,
        engine=answered.engine,
        time_zone=answered.time_zone,
        applied_filters=applied,
        ignored_filters=ignored,
    )


def _of_run(ran: QueryResult | None) -> dict[str, Any]:
    if ran is None:
        return dict.fromkeys(("columns", "rows", "row_count", "truncated", "sent", "bytes", "ms"))
    return {
        "columns": [GenAnswerColumn(name=each.name, kind=each.kind.value) for each in ran.columns],
        "rows": orjson.Fragment(orjson.dumps(ran.rows)),
        "row_count": len(ran.rows),
        "truncated": ran.truncated,
        "sent": list(ran.sql),
        "bytes": bigint(ran.usage.bytes),
        "ms": ran.usage.ms,
    }
