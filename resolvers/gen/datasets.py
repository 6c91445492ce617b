"""Datasets: logical sets of tables of one data source, each with a place in the permissions."""

from dataclasses import dataclass
from uuid import UUID

from loaders.errors import BadInput, Conflict
from loaders.openfga.parents import dataset_parent
from loaders.tables.axion_gen.catalog import Dataset
from loaders.tables.uuid7 import uuid7
from resolvers.context import Context
from resolvers.gen.data_sources import administered
from resolvers.gen.granting import granting


@dataclass(frozen=True, slots=True)
class DatasetCreate:
    """`remote_schema=None` is the data source's default, `table_names=None` all tables of the schema."""

    data_source_id: UUID
    name: str
    description: str | None = None
    dataset_group_id: UUID | None = None
    remote_schema: str | None = None
    table_names: tuple[str, ...] | None = None


async def create_dataset(context: Context, input_: DatasetCreate) -> Dataset:
    """For who administers the data source. The tables need not exist yet.

    `NotFound` for a data source the subject may not see, `Conflict` when it has a dataset of that name.
    """
    data_source = await administered(context, input_.data_source_id)
    if not input_.name.strip():
        raise BadInput("`name` must not be empty.")
    if input_.remote_schema == "" or (input_.table_names is not None and not all(input_.table_names)):
        raise BadInput("A schema or table name must not be empty; leave it out instead.")
    row = Dataset(
        id=uuid7(),
        data_source_id=input_.data_source_id,
        dataset_group_id=input_.dataset_group_id,
        name=input_.name,
        description=input_.description,
        remote_schema=input_.remote_schema,
        table_names=None if input_.table_names is None else list(dict.fromkeys(input_.table_names)),
    )
    try:
        async with granting(context) as change:
            change.within.session.add(row)
            await change.within.session.flush()
            await change.note(writes=[dataset_parent(row.id, datasource=data_source)])
    except Conflict:
        raise Conflict(f"The data source has a dataset named {input_.name!r} already. Choose another name.") from None
    return row
