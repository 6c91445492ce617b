"""Remote tables of a dataset: listed and described by their warehouse, queried in place."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import orjson
import strawberry
from graphql import GraphQLResolveInfo

from loaders.description import Table
from loaders.errors import NotFound
from loaders.read import (
    And,
    Col,
    Compare,
    Connection,
    ConnectionPart,
    Literal,
    Nodes,
    Op,
    Page,
    Read,
    TotalCount,
)
from resolvers.context import Context
from resolvers.gen.answer import answer_grouped, answer_groups, answer_rows, estimate_read, guarded_rows, source_of
from resolvers.gen.group_read import aggregate_read
from resolvers.gen.groups import Groups
from resolvers.gen.row_filter import predicate
from resolvers.gen.rows import fields, order, paged
from resolvers.gen.tables import describe_table, estimate_table, list_tables
from resolvers.permissions.fields import ByRows, FieldGuard
from schema.gen.forecast import shown_estimate
from schema.gen.row import GenColumn
from schema.gen.table_arguments import AGGREGATE, ESTIMATE, ROWS, measure, term, time_buckets
from schema.mapping import types
from schema.mapping.arguments import signature
from schema.mapping.install import document
from schema.mapping.object import OBJECTS
from schema.mapping.page import page_info, page_size
from schema.mapping.roots import run_one
from schema.mapping.splice import Row
from schema.scalars import BigInt, bigint

Info = strawberry.Info[Context, None]


async def _rows(table: "GenTable", info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    context: Context = info.context
    described = await table.described(context)
    max_page = None if context.capture is not None else context.max_page
    limit = page_size({"first": arguments.get("first")}, max_page=max_page)
    shown = fields(described, arguments.get("select"))
    read = Read(
        described,
        connection=_connection(info, shown),
        where=predicate(arguments.get("where"), described),
        order=order(described, [term(each) for each in arguments.get("orderBy") or []]),
        page=Page(limit=limit),
    )
    read = paged(read, tuple(field.key for field in shown), after=arguments.get("after"))
    if context.capture is not None:
        guarded = await guarded_rows(read, table.dataset_id, context)
        context.capture.take(guarded, source_of(described, context))
        return None
    return orjson.Fragment(await answer_rows(read, table.dataset_id, context))


def _connection(info: GraphQLResolveInfo[Any], row: tuple[Any, ...]) -> Connection:
    around = document(info)
    entries: list[tuple[str, ConnectionPart]] = []
    for key, selected in around.collect("GenRowConnection", info.field_nodes).items():
        match selected[0].name.value:
            case "nodes":
                entries.append((key, Nodes(row)))
            case "totalCount":
                entries.append((key, TotalCount()))
            case "pageInfo":
                entries.append((key, page_info(around, selected)))
            case _:
                entries.append((key, Literal("GenRowConnection")))
    return Connection(tuple(entries))


async def _estimate(table: "GenTable", info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    context: Context = info.context
    described = await table.described(context)
    read = Read(
        described,
        connection=Connection((("nodes", Nodes(fields(described, arguments.get("select")))),)),
        where=predicate(arguments.get("where"), described),
        page=Page(limit=arguments.get("first")),
    )
    return shown_estimate(await estimate_read(read, table.dataset_id, context))


async def _aggregate(table: "GenTable", info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    context: Context = info.context
    described = await table.described(context)
    measures = [measure(each) for each in arguments.get("measures") or []]
    if (given := arguments.get("over")) is not None:
        groups = Groups(
            described,
            tuple(arguments.get("groupBy") or ()),
            tuple(measures),
            predicate(arguments.get("where"), described),
            over=time_buckets(given, described),
            limit=arguments.get("first"),
        )
        found = await answer_grouped(groups, table.dataset_id, context)
        return orjson.Fragment(orjson.dumps(found.rows))
    read = aggregate_read(
        described,
        group_by=arguments.get("groupBy") or [],
        measures=measures,
        where=predicate(arguments.get("where"), described),
        limit=arguments.get("first"),
    )
    return orjson.Fragment(await answer_groups(read, table.dataset_id, context))


async def _row_count(table: strawberry.Parent["GenTable"], info: Info) -> BigInt | None:
    if table.known_rows is None:
        estimate = await estimate_table(info.context, table.dataset_id, table.name)
        table.known_rows = None if estimate is None else estimate.rows
    return None if table.known_rows is None else bigint(table.known_rows)


async def _columns(table: strawberry.Parent["GenTable"], info: Info) -> list[GenColumn] | None:
    described = await table.described(info.context)
    return [
        GenColumn(name=c.name, kind=c.type.kind.value, nullable=c.nullable, description=c.description or None)
        for c in described.columns
    ]


def _of_table(type_: str) -> Any:
    """Resolves to the table's row of a catalog type."""

    async def resolve(table: "GenTable", info: GraphQLResolveInfo[Any], _: Mapping[str, Any]) -> Any:
        terms = (Compare(Col("dataset_id"), Op.EQ, table.dataset_id), Compare(Col("table_name"), Op.EQ, table.name))
        return await run_one(OBJECTS[type_], And(terms), info)

    return resolve


TABLES: FieldGuard = ByRows(
    "remote tables with `can_view` on `table:{dataset}/{name}`, asked by whoever lists or describes one"
)


@strawberry.type(description="A table of a remote warehouse, queried in place.")
class GenTable:
    dataset_id: strawberry.Private[UUID]
    known_rows: strawberry.Private[int | None]
    name: str = strawberry.field(description="Name of the table, as the engine has it.")
    row_count = strawberry.field(
        resolver=_row_count,
        metadata={"guard": TABLES},
        description="The number of rows by the engine's metadata; null where counting would require a read.",
    )
    columns = strawberry.field(
        resolver=_columns, metadata={"guard": TABLES}, description="The columns, in the engine's order."
    )
    profile = strawberry.field(
        resolver=signature({}, {}, types.lazy("GenTableProfile") | None),
        metadata={"mapping": _of_table("GenTableProfile"), "guard": TABLES},
        description="The latest profile by `genTableProfileRefresh`; null before the first.",
    )
    profile_schedule = strawberry.field(
        resolver=signature({}, {}, types.lazy("GenTableProfileSchedule") | None),
        metadata={"mapping": _of_table("GenTableProfileSchedule"), "guard": TABLES},
        description="The schedule by which it is profiled; null if there is none.",
    )
    rows = strawberry.field(resolver=ROWS, metadata={"mapping": _rows, "guard": TABLES}, description="Its rows.")
    estimate = strawberry.field(
        resolver=ESTIMATE,
        metadata={"mapping": _estimate, "guard": TABLES},
        description="What reading such rows would scan, as the engine estimates it; nothing is read.",
    )
    aggregate = strawberry.field(
        resolver=AGGREGATE,
        metadata={"mapping": _aggregate, "guard": TABLES},
        description="Aggregates of its rows by group: keys and measures.",
    )

    async def described(self, context: Context) -> Table:
        """Describes the table, once per request. `NotFound` when it does not exist or no longer does."""
        described = await describe_table(context, self.dataset_id, self.name)
        if described is None:
            raise NotFound(f"There is no table {self.name!r} in this dataset.")
        return described


async def dataset_tables(row: strawberry.Parent[Row], info: Info) -> list[GenTable] | None:
    dataset_id = UUID(row.required("id"))
    listed = await list_tables(info.context, dataset_id)
    return [GenTable(dataset_id=dataset_id, known_rows=table.row_count, name=table.name) for table in listed]


async def dataset_table(
    row: strawberry.Parent[Row],
    info: Info,
    name: Annotated[str, strawberry.argument(description="Name of the table, as the engine has it.")],
) -> GenTable | None:
    table = GenTable(dataset_id=UUID(row.required("id")), known_rows=None, name=name)
    try:
        await table.described(info.context)
    except NotFound:
        return None
    return table
