"""User-written SQL over a dataset: the checked statement, an estimate of its cost, and its answer."""

from typing import Annotated
from uuid import UUID

import orjson
import strawberry

from resolvers.context import Context
from resolvers.gen.raw_answer import answer_sql, checked_first, stream_sql
from resolvers.gen.raw_sql import RawSql, estimate_sql, read_sql
from resolvers.permissions.fields import ByRows, FieldGuard
from schema.gen.forecast import GenScanEstimate, shown_estimate
from schema.gen.widget_answer import GenAnswerColumn
from schema.mapping.splice import Row
from schema.scalars import JSON, BigInt, bigint

Info = strawberry.Info[Context, None]

RAW: FieldGuard = ByRows(
    "a statement, with `can_query` on its dataset and `can_view` on each of its tables, asked before it is sent"
)


@strawberry.type(description="The answer of an SQL statement, and how it was computed.")
class GenSqlAnswer:
    columns: list[GenAnswerColumn] = strawberry.field(description="The columns of the rows, in order.")
    rows: list[JSON] = strawberry.field(description="The rows, as objects.")
    row_count: int = strawberry.field(description="The number of these rows.")
    truncated: bool = strawberry.field(
        description="Whether the statement has more rows than `first`, or more than 16 MiB of them."
    )
    sql: str = strawberry.field(description="The statement as it was sent.")
    bytes: BigInt = strawberry.field(description="Bytes the store sent.")
    ms: float = strawberry.field(description="Milliseconds the store took.")


async def _estimate(sql: strawberry.Parent["GenSql"], info: Info) -> GenScanEstimate | None:
    return shown_estimate(await estimate_sql(info.context, sql.raw))


async def _answer(
    sql: strawberry.Parent["GenSql"],
    info: Info,
    first: Annotated[
        int | None,
        strawberry.argument(
            description="The maximum number of rows: 1,000 by default and at most, unless as an Arrow stream."
        ),
    ] = None,
) -> GenSqlAnswer | None:
    context = info.context
    if context.capture is not None:
        limit = None if first is None else checked_first(first, default=0, most=None)
        context.capture.take_stream(await stream_sql(context, sql.raw, first=limit))
        return None
    limit = checked_first(first, default=context.max_page, most=context.max_page)
    found = await answer_sql(context, sql.raw, first=limit)
    return GenSqlAnswer(
        columns=[GenAnswerColumn(name=each.name, kind=each.type.kind.value) for each in found.columns],
        rows=orjson.Fragment(found.rows),  # type: ignore[arg-type]  # spliced into the answer as it is
        row_count=found.row_count,
        truncated=found.truncated,
        sql=found.sql,
        bytes=bigint(found.usage.bytes),
        ms=found.usage.ms,
    )


@strawberry.type(description="A checked SQL statement. It is estimated and run only if those fields are selected.")
class GenSql:
    raw: strawberry.Private[RawSql]
    sql: str = strawberry.field(
        description="The statement as generated from its syntax tree, without the limit of `answer`."
    )
    tables: list[str] = strawberry.field(description="The tables of the dataset that it reads.")
    data_source: str = strawberry.field(description="The data source it runs in, `datasource:{rowId}`.")
    engine: str | None = strawberry.field(description="The connector of the data source, such as `clickhouse`.")
    estimate = strawberry.field(
        resolver=_estimate, metadata={"guard": RAW}, description="What it would scan. Selecting this does not run it."
    )
    answer = strawberry.field(resolver=_answer, metadata={"guard": RAW}, description="Runs it, read-only.")


async def dataset_sql(
    row: strawberry.Parent[Row],
    info: Info,
    statement: Annotated[
        str,
        strawberry.argument(
            description="One SELECT in the engine's SQL dialect, which refers to tables of the dataset by name."
        ),
    ],
) -> GenSql | None:
    raw = await read_sql(info.context, UUID(row.required("id")), statement)
    return GenSql(
        raw=raw,
        sql=raw.sql,
        tables=[table.name for table in raw.tables],
        data_source=raw.warehouse.store,
        engine=raw.engine,
    )
