"""Job kind `table_profile_refresh`: profiles a remote table and writes `table_profile_cache` and a new version.

Result `{rowCount, columns, basis, version}`. The job sees what the user who started it sees. Metadata are read first: a
refresh that is refused for its cost, or because the table requires a filter, still keeps them as a version with basis
`metadata`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loaders.columnar.profile import Portion
from loaders.description import Column, Table
from loaders.errors import CostExceeded, FilterRequired, NotFound
from loaders.jobs.job import JsonObject
from loaders.read import Predicate
from loaders.warehouses.base import Estimate
from resolvers.gen.required import require_filters
from resolvers.gen.row_filter import predicate
from resolvers.gen.tables import describe_table, describe_whole, estimate_table
from resolvers.jobs.kinds.background_source import BackgroundSource
from resolvers.jobs.kinds.kind import JobContext
from resolvers.profiles.budget import Budget, afforded
from resolvers.profiles.profile import contents, reads
from resolvers.profiles.result import Basis, Profile
from resolvers.profiles.stored import keep

NAME = "table_profile_refresh"


@dataclass(frozen=True, slots=True)
class Refresh:
    """The options of a refresh. `sample_rows` is the maximum of rows to read: 0 for metadata only, None for all rows.

    `where` is a `GenRowFilter` as JSON. `max_bytes=None` means the gateway's default. Columns in `exclude`, and those
    that curation hides, are not read.
    """

    dataset_id: UUID
    table_name: str
    sample_rows: int | None = None
    max_bytes: int | None = None
    exclude: tuple[str, ...] = ()
    where: Mapping[str, Any] | None = None

    @property
    def lock(self) -> str:
        """The name of the lock that makes refreshes of one table run one after another."""
        return f"{NAME}:{self.dataset_id}/{self.table_name}"

    def to_json(self) -> JsonObject:
        """The arguments of the job."""
        return {"datasetId": str(self.dataset_id), "tableName": self.table_name, **self.options()}

    def options(self) -> JsonObject:
        """The profiling options; those not given are left out."""
        refresh = {
            "sampleRows": self.sample_rows,
            "maxBytes": self.max_bytes,
            "excludeColumns": list(self.exclude) or None,
            "where": self.where,
        }
        return {name: value for name, value in refresh.items() if value is not None}


def refresh_of(arguments: Mapping[str, Any]) -> Refresh:
    return Refresh(
        UUID(str(arguments["datasetId"])),
        str(arguments["tableName"]),
        sample_rows=arguments.get("sampleRows"),
        max_bytes=arguments.get("maxBytes"),
        exclude=tuple(arguments.get("excludeColumns", ())),
        where=arguments.get("where"),
    )


async def run(job: JobContext, arguments: JsonObject, *, max_bytes: int) -> JsonObject:
    refresh = refresh_of(arguments)
    context = job.context
    job.report(0.0, f"{refresh.table_name}: metadata")
    table = await describe_whole(context, refresh.dataset_id, refresh.table_name)
    shown = await describe_table(context, refresh.dataset_id, refresh.table_name)
    estimate = await estimate_table(context, refresh.dataset_id, refresh.table_name)
    if table is None or shown is None or estimate is None:
        raise NotFound(f"The dataset has no table {refresh.table_name!r}, or you may not see it.")
    excluded = tuple(c.name for c in table.columns if not shown.has_column(c.name) or c.name in refresh.exclude)
    found = Profile(table.columns, excluded, Basis.METADATA, estimate.rows, estimate.bytes)
    if refresh.sample_rows != 0 and len(excluded) < len(table.columns):
        budget = Budget(refresh.max_bytes or max_bytes, strict=refresh.max_bytes is not None)
        try:
            found = await _read(job, table, excluded, refresh, estimate, budget)
        except (CostExceeded, FilterRequired):
            await keep(context, refresh.dataset_id, refresh.table_name, found, job_id=job.job.id)
            raise
    version = await keep(context, refresh.dataset_id, refresh.table_name, found, job_id=job.job.id)
    job.report(1.0, f"{refresh.table_name}: {found.row_count} rows, {len(table.columns) - len(excluded)} columns read")
    return {
        "rowCount": found.row_count,
        "columns": len(found.columns),
        "basis": found.basis.value,
        "version": version,
    }


async def _read(
    job: JobContext, table: Table, excluded: tuple[str, ...], refresh: Refresh, estimate: Estimate, budget: Budget
) -> Profile:
    """Raises `CostExceeded`, `FilterRequired` and what is wrong with `where` before anything is read."""
    ledger = job.context.ledger
    warehouse = job.context.stores.warehouses.still_open(table.store)
    columns = [column for column in table.columns if column.name not in excluded]
    where = predicate(refresh.where, _readable(table, columns))
    place = await asyncio.shield(job.context.gen.places.load(refresh.dataset_id))
    require_filters(where, () if place is None else place.filters_of(table.name))
    limit = refresh.sample_rows
    if limit is not None and where is None and estimate.rows is not None and estimate.rows <= limit:
        limit = None
    portion = Portion(table, where, limit)
    estimated = await afforded(warehouse, reads(portion, columns), budget, ledger=ledger)
    rows = estimate.rows if limit is None else limit
    found = await contents(portion, columns, BackgroundSource(warehouse), rows=rows, ledger=ledger, report=job.report)
    basis = _basis(where, limit, found.row_count)
    return Profile(
        table.columns,
        excluded,
        basis,
        found.row_count if basis is Basis.TABLE else estimate.rows,
        estimate.bytes,
        found.row_count,
        estimated,
        found.figures,
        found.samples,
    )


def _readable(table: Table, columns: list[Column]) -> Table:
    """The table with only the columns that a condition may name: one on an excluded column would read it."""
    return Table(table.store, table.schema, table.name, tuple(columns))


def _basis(where: Predicate | None, limit: int | None, rows: int) -> Basis:
    if limit is not None and rows >= limit:
        return Basis.SAMPLE
    return Basis.TABLE if where is None else Basis.PARTITION
