"""Gen's mutations: data sources, datasets, table profiles."""

from typing import Any

import strawberry
from strawberry import UNSET

from loaders.errors import NotFound
from loaders.openfga import names
from resolvers.context import Context
from resolvers.gen.data_sources import (
    DataSourceCreate,
    DataSourceUpdate,
    administered,
    create_data_source,
    delete_data_source,
    test_data_source,
    update_data_source,
)
from resolvers.gen.datasets import DatasetCreate, create_dataset
from resolvers.gen.tables import describe_table
from resolvers.idempotency import MutationRequest
from resolvers.jobs.kinds.table_profile_refresh import Refresh
from resolvers.jobs.start import start_table_profile_refresh
from resolvers.permissions.fields import OnRow
from resolvers.permissions.guards import Admins
from schema.gen.granted import deleted_payload, granted_payload
from schema.gen.row import GenRowFilter
from schema.mapping.ids import uuid_key
from schema.mapping.mutation import as_json, idempotent_mutation, mutation, sent
from schema.mapping.object import policies
from schema.mapping.payload import make_payload
from schema.mapping.write_inputs import EXPECTED_UPDATED_AT
from schema.scalars import JSON, BigInt, DateTime

GenDataSourceCreatePayload = granted_payload(
    "GenDataSourceCreatePayload", "data_source", "GenDataSource", "A data source was created."
)
GenDataSourceUpdatePayload = granted_payload(
    "GenDataSourceUpdatePayload", "data_source", "GenDataSource", "A data source was changed."
)
GenDataSourceDeletePayload = deleted_payload("GenDataSourceDeletePayload", "GenDataSource")
GenDatasetCreatePayload = granted_payload("GenDatasetCreatePayload", "dataset", "GenDataset", "A dataset was created.")
GenTableProfileRefreshPayload = make_payload(
    "GenTableProfileRefreshPayload", "job", "Job", "The refresh was started in the background."
)


@strawberry.type(description="The data source accepted its credentials.")
class GenDataSourceTestPayload:
    latency_ms: float = strawberry.field(description="Milliseconds to connect, authenticate and find the database.")


@strawberry.input(description="A remote warehouse to be queried in place.")
class GenDataSourceCreateInput:
    name: str = strawberry.field(description="Unique name; permissions refer to it.")
    connector_type: str = strawberry.field(
        description="`bigquery`, `clickhouse`, `flight_sql`, `impala` or `s3_parquet`."
    )
    settings: JSON = strawberry.field(
        description="The connector's settings as one object; those that are credentials are encrypted and never shown."
    )
    description: str | None = strawberry.field(description="What the data source contains.", default=UNSET)


@strawberry.input(description="Changes to a data source; fields left out stay unchanged.")
class GenDataSourceUpdateInput:
    id: strawberry.ID = strawberry.field(description="Global id of the data source.")
    name: str | None = strawberry.field(
        description="Unique name. Permissions refer to it and are moved. For system administrators.", default=UNSET
    )
    settings: JSON | None = strawberry.field(
        description="All settings of the connector, including credentials, replacing the old ones; null keeps those.",
        default=UNSET,
    )
    description: str | None = strawberry.field(
        description="What the data source contains; null removes the description.", default=UNSET
    )
    expected_updated_at: DateTime | None = strawberry.field(description=EXPECTED_UPDATED_AT, default=UNSET)


@strawberry.input(description="Which data source to test.")
class GenDataSourceTestInput:
    id: strawberry.ID = strawberry.field(description="Global id of the data source.")


@strawberry.input(description="Which data source to delete.")
class GenDataSourceDeleteInput:
    id: strawberry.ID = strawberry.field(description="Global id of the data source.")


@strawberry.input(description="A logical set of tables of one data source.")
class GenDatasetCreateInput:
    data_source_id: strawberry.ID = strawberry.field(description="Global id of the data source.")
    name: str = strawberry.field(description="Name, unique within the data source.")
    description: str | None = strawberry.field(description="What the tables are about.", default=UNSET)
    remote_schema: str | None = strawberry.field(
        description="Schema or folder of the tables; the data source's default unless given.", default=UNSET
    )
    table_names: list[str] | None = strawberry.field(
        description="The tables of the dataset; all tables of the schema unless given.", default=UNSET
    )
    dataset_group_id: strawberry.ID | None = strawberry.field(
        description="Global id of the folder it is shown in.", default=UNSET
    )


@strawberry.input(description="Which remote table to profile.")
class GenTableProfileRefreshInput:
    dataset_id: strawberry.ID = strawberry.field(description="Global id of the dataset.")
    table_name: str = strawberry.field(description="Name of the table, as the engine has it.")
    sample_rows: int | None = strawberry.field(
        description="The maximum number of rows to read, in no particular order; 0 reads metadata only. All rows "
        "unless given.",
        default=None,
    )
    where: GenRowFilter | None = strawberry.field(  # type: ignore[valid-type]
        description="Only rows that satisfy this filter, such as those of a partition.", default=None
    )
    exclude_columns: list[str] | None = strawberry.field(
        description="Columns that are not read, in addition to those that curation hides.", default=None
    )
    max_bytes: BigInt | None = strawberry.field(
        description="A refresh that would read more bytes, as the engine estimates, is refused before it reads "
        "(`COST_EXCEEDED`); the gateway's limit unless given.",
        default=None,
    )


async def _create_data_source(context: Context, given: GenDataSourceCreateInput, asked: MutationRequest) -> Any:
    settings: Any = given.settings
    row = await create_data_source(
        context,
        DataSourceCreate(
            name=given.name,
            connector_type=given.connector_type,
            settings=settings,
            description=sent(given.description),
        ),
        asked,
    )
    return GenDataSourceCreatePayload(key=(row.id,), objects=(names.datasource(row.name),))


async def _update_data_source(context: Context, given: GenDataSourceUpdateInput, asked: MutationRequest) -> Any:
    settings: Any = sent(given.settings)
    given_texts = {"name": given.name, "description": given.description}
    patch = {column: text for column, text in given_texts.items() if text is not UNSET}
    update = DataSourceUpdate(uuid_key(given.id, "GenDataSource"), settings, patch, sent(given.expected_updated_at))
    changed = await update_data_source(context, update, asked)
    return GenDataSourceUpdatePayload(key=(changed.id,), objects=changed.objects)


async def _delete_data_source(context: Context, given: GenDataSourceDeleteInput, asked: MutationRequest) -> Any:
    name = await delete_data_source(context, uuid_key(given.id, "GenDataSource"), asked)
    return GenDataSourceDeletePayload(deleted_id=given.id, objects=(names.datasource(name),))


async def _test_data_source(context: Context, given: GenDataSourceTestInput) -> GenDataSourceTestPayload:
    reached = await test_data_source(context, uuid_key(given.id, "GenDataSource"))
    return GenDataSourceTestPayload(latency_ms=reached.ms)


async def _create_dataset(context: Context, given: GenDatasetCreateInput, asked: MutationRequest) -> Any:
    tables, group = sent(given.table_names), sent(given.dataset_group_id)
    row = await create_dataset(
        context,
        DatasetCreate(
            data_source_id=uuid_key(given.data_source_id, "GenDataSource"),
            name=given.name,
            description=sent(given.description),
            remote_schema=sent(given.remote_schema),
            table_names=None if tables is None else tuple(tables),
            dataset_group_id=None if group is None else uuid_key(group, "GenDatasetGroup"),
        ),
        asked,
        policies=policies(),
    )
    return GenDatasetCreatePayload(key=(row.id,), objects=(names.dataset(row.id),))


async def _refresh_profile(context: Context, given: GenTableProfileRefreshInput, asked: MutationRequest) -> Any:
    job = await start_table_profile_refresh(
        context,
        Refresh(
            uuid_key(given.dataset_id, "GenDataset"),
            given.table_name,
            sample_rows=given.sample_rows,
            max_bytes=None if given.max_bytes is None else int(given.max_bytes),
            exclude=tuple(given.exclude_columns or ()),
            where=as_json(given.where),
        ),
        asked=asked,
    )
    return GenTableProfileRefreshPayload(key=(job.id,))


async def _administers(context: Context, given: GenDataSourceUpdateInput | GenDataSourceTestInput) -> None:
    await administered(context, uuid_key(given.id, "GenDataSource"))


async def _administers_source(context: Context, given: GenDatasetCreateInput) -> None:
    await administered(context, uuid_key(given.data_source_id, "GenDataSource"))


async def _sees_table(context: Context, given: GenTableProfileRefreshInput) -> None:
    dataset_id = uuid_key(given.dataset_id, "GenDataset")
    if await describe_table(context, dataset_id, given.table_name) is None:
        raise NotFound(f"The dataset has no table {given.table_name!r}, or you may not see it.")


_ADMINISTERS = OnRow(_administers)
_ADMINISTERS_SOURCE = OnRow(_administers_source)
_SEES_TABLE = OnRow(_sees_table)


@strawberry.type
class GenMutation:
    gen_data_source_create = idempotent_mutation(
        _create_data_source,
        takes=GenDataSourceCreateInput,
        answers=GenDataSourceCreatePayload,
        guard=Admins(),
        description="Adds a data source. For administrators.",
    )
    gen_data_source_update = idempotent_mutation(
        _update_data_source,
        takes=GenDataSourceUpdateInput,
        answers=GenDataSourceUpdatePayload,
        guard=_ADMINISTERS,
        description="Changes a data source; later reads use its new settings. After a rename, permissions "
        "are moved to the new name. For its administrators.",
    )
    gen_data_source_delete = idempotent_mutation(
        _delete_data_source,
        takes=GenDataSourceDeleteInput,
        answers=GenDataSourceDeletePayload,
        guard=Admins(),
        description="Deletes a data source and its permissions; nothing changes on its server. A `Conflict` names the "
        "datasets that must be deleted first. For administrators.",
    )
    gen_data_source_test = mutation(
        _test_data_source,
        takes=GenDataSourceTestInput,
        answers=GenDataSourceTestPayload,
        guard=_ADMINISTERS,
        each_time="it changes nothing, and tells how it is now",
        description="Connects to a data source with its stored credentials. For its administrators.",
    )
    gen_dataset_create = idempotent_mutation(
        _create_dataset,
        takes=GenDatasetCreateInput,
        answers=GenDatasetCreatePayload,
        guard=_ADMINISTERS_SOURCE,
        description="Adds a dataset of tables of a data source. For the data source's administrators.",
    )
    gen_table_profile_refresh = idempotent_mutation(
        _refresh_profile,
        takes=GenTableProfileRefreshInput,
        answers=GenTableProfileRefreshPayload,
        guard=_SEES_TABLE,
        description="Starts a job that profiles a remote table: counts, ranges, samples.",
    )
