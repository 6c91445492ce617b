"""Keeping a profile: as the table's newest, and as a version that stays."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from loaders.postgres.client import WriteSession
from loaders.tables.axion_gen.profiles import TableProfile, TableProfileVersion
from loaders.tables.uuid7 import uuid7
from resolvers.context import Context
from resolvers.gen.store import STORE
from resolvers.profiles.drift import drift
from resolvers.profiles.found import Profile


async def keep(context: Context, dataset_id: UUID, table_name: str, found: Profile, *, job_id: UUID) -> int:
    """The number of the version. A job that runs again writes over the version it had written."""
    async with context.stores.postgres[STORE].transaction() as session:
        values = _values(found)
        samples = {name: list(values) for name, values in found.samples}
        row = insert(TableProfile).values(
            id=uuid7(), dataset_id=dataset_id, table_name=table_name, sample_values=samples, **values, version=0
        )
        locked = row.on_conflict_do_update(
            index_elements=["dataset_id", "table_name"], set_={"table_name": row.excluded.table_name}
        )
        profile_id = (await session.execute(locked.returning(TableProfile.id))).scalar_one()
        before, number = await _before(session, profile_id, job_id)
        values |= {"version": number, "drift": {} if before is None else drift(before, found.columns).to_json()}
        version = insert(TableProfileVersion).values(
            id=uuid7(), profile_id=profile_id, dataset_id=dataset_id, table_name=table_name, job_id=job_id, **values
        )
        await session.execute(version.on_conflict_do_update(index_elements=["job_id"], set_=values))
        newest = insert(TableProfile).values(
            id=profile_id, dataset_id=dataset_id, table_name=table_name, sample_values=samples, **values
        )
        await session.execute(
            newest.on_conflict_do_update(index_elements=["id"], set_=values | {"sample_values": samples})
        )
        return number


async def _before(session: WriteSession, profile_id: UUID, job_id: UUID) -> tuple[list[Any] | None, int]:
    """The columns of the version before, and this one's number. The profile's row is locked."""
    versions = TableProfileVersion
    of_profile = versions.profile_id == profile_id
    own = select(versions.version).where(of_profile, versions.job_id == job_id)
    number = (await session.execute(own)).scalar_one_or_none()
    if number is None:
        newest = select(func.coalesce(func.max(versions.version), 0)).where(of_profile)
        number = int((await session.execute(newest)).scalar_one()) + 1
    earlier = (
        select(versions.columns).where(of_profile, versions.version < number).order_by(versions.version.desc()).limit(1)
    )
    columns: Any = (await session.execute(earlier)).scalar_one_or_none()
    return columns, number


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
