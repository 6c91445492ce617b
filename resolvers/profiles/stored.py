"""Stores a profile: as the table's latest, and as a version that is kept."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from loaders.gen.profiles import Profiled, lock_profile, place_of, put_newest, put_version
from loaders.postgres.write import transaction
from resolvers.context import Context
from resolvers.gen.store import STORE
from resolvers.profiles.drift import drift
from resolvers.profiles.result import Profile


async def keep(context: Context, dataset_id: UUID, table_name: str, found: Profile, *, job_id: UUID) -> int:
    """The number of the version. A job that runs again overwrites the version it had written."""
    profiled = Profiled(dataset_id, table_name, {name: list(values) for name, values in found.samples})
    values = _values(found)
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:
        profile_id = await lock_profile(within, profiled, values)
        place = await place_of(within, profile_id, job_id)
        before = place.columns_before
        values |= {"version": place.number, "drift": {} if before is None else drift(before, found.columns).to_json()}
        await put_version(within, profile_id, profiled, values, job_id=job_id)
        await put_newest(within, profile_id, profiled, values)
    return place.number


def _values(found: Profile) -> dict[str, Any]:
    return {
        "columns": found.columns_json(),
        "row_count": found.row_count,
        "byte_count": found.byte_count,
        "basis": found.basis.value,
        "profiled_rows": found.profiled_rows,
        "estimated_bytes": found.estimated_bytes,
        "excluded_columns": list(found.excluded),
        "statistics": {name: figures.to_json() for name, figures in found.figures},
        "refreshed_at": datetime.now(UTC),
    }
