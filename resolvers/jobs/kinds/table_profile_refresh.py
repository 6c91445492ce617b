"""Job kind `table_profile_refresh`: columns, figures and sample values of a remote table, into `table_profile_cache`.

Arguments `{datasetId, tableName}`; result `{rowCount, columns}`. The job sees what the user who started it sees.
"""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from loaders.errors import NotFound
from loaders.jobs.job import JsonObject
from loaders.tables.axion_gen.catalog import TableProfile
from loaders.tables.uuid7 import uuid7
from resolvers.gen.granting import STORE
from resolvers.gen.tables import describe_table
from resolvers.jobs.kinds.kind import JobContext
from resolvers.jobs.kinds.profile import Profile, profile
from resolvers.jobs.kinds.unhurried import Unhurried

NAME = "table_profile_refresh"


def arguments_of(dataset_id: UUID, table_name: str) -> JsonObject:
    return {"datasetId": str(dataset_id), "tableName": table_name}


async def run(job: JobContext, arguments: JsonObject) -> JsonObject:
    dataset_id, name = UUID(str(arguments["datasetId"])), str(arguments["tableName"])
    context = job.context
    table = await describe_table(context, dataset_id, name)
    if table is None:
        raise NotFound(f"The dataset has no table {name!r}, or you may not see it.")
    source = Unhurried(context.stores.warehouses.opened[table.store])
    found = await profile(table, source, ledger=context.ledger, report=job.report)
    await _write(job, dataset_id, name, found)
    return {"rowCount": found.row_count, "columns": len(found.columns)}


async def _write(job: JobContext, dataset_id: UUID, name: str, found: Profile) -> None:
    """Replaces the profile there was."""
    columns = [
        {"name": column.name, "type": column.type.kind.value, "nullable": column.nullable} for column in found.columns
    ]
    statistics = {
        name: {
            "nullCount": figures.null_count,
            "distinctCount": figures.distinct_count,
            "min": figures.min,
            "max": figures.max,
        }
        for name, figures in found.figures.items()
    }
    values = {
        "columns": columns,
        "row_count": found.row_count,
        "statistics": statistics,
        "sample_values": found.samples,
        "refreshed_at": datetime.now(UTC),
    }
    row = insert(TableProfile).values(id=uuid7(), dataset_id=dataset_id, table_name=name, **values)
    async with job.context.stores.postgres[STORE].transaction() as session:
        await session.execute(row.on_conflict_do_update(index_elements=["dataset_id", "table_name"], set_=values))
