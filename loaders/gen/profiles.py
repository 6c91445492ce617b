"""Profiles of remote tables: the latest of each (`table_profile_cache`), and all versions.

Each function is one statement unless it says otherwise. `values` are the columns that both tables have, by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.postgres.write import Transaction
from loaders.read import Value
from loaders.tables.axion_gen.profiles import TableProfile, TableProfileVersion
from loaders.tables.uuid7 import uuid7

_newest: Final = cast(sa.Table, TableProfile.__table__)
_versions: Final = cast(sa.Table, TableProfileVersion.__table__)


@dataclass(frozen=True, slots=True)
class Profiled:
    """A table, and the sample values of its latest profile, which are not kept in versions."""

    dataset_id: UUID
    table_name: str
    samples: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Place:
    """`number` is the number of a version. `columns_before` are the columns of the previous version as JSON; None for
    the first.
    """

    number: int
    columns_before: list[Any] | None


async def lock_profile(within: Transaction, profiled: Profiled, values: Mapping[str, Value]) -> UUID:
    """The id of the table's profile, locked until the transaction ends. If there is none, one without a version is
    created with the values.
    """
    row = insert(_newest).values(id=uuid7(), **_columns(profiled), **values, version=0)
    locked = row.on_conflict_do_update(
        index_elements=["dataset_id", "table_name"], set_={"table_name": row.excluded.table_name}
    )
    ((id_,),) = await within.rows(locked.returning(_newest.c.id))
    found: UUID = id_
    return found


async def place_of(within: Transaction, profile_id: UUID, job_id: UUID) -> Place:
    """The place of the version that the job has written or will write. The profile is locked. Two or three
    statements.
    """
    of_profile = _versions.c.profile_id == profile_id
    own = await within.rows(sa.select(_versions.c.version).where(of_profile, _versions.c.job_id == job_id))
    if own:
        number = int(own[0].version)
    else:
        newest = sa.select(sa.func.coalesce(sa.func.max(_versions.c.version), 0)).where(of_profile)
        ((last,),) = await within.rows(newest)
        number = int(last) + 1
    earlier = sa.select(_versions.c.columns).where(of_profile, _versions.c.version < number)
    before = await within.rows(earlier.order_by(_versions.c.version.desc()).limit(1))
    return Place(number, before[0][0] if before else None)


async def put_version(
    within: Transaction, profile_id: UUID, profiled: Profiled, values: Mapping[str, Value], *, job_id: UUID
) -> None:
    """Writes the job's only version."""
    row = insert(_versions).values(
        id=uuid7(),
        profile_id=profile_id,
        dataset_id=profiled.dataset_id,
        table_name=profiled.table_name,
        job_id=job_id,
        **values,
    )
    await within.rows(row.on_conflict_do_update(index_elements=["job_id"], set_=dict(values)))


async def put_newest(within: Transaction, profile_id: UUID, profiled: Profiled, values: Mapping[str, Value]) -> None:
    row = insert(_newest).values(id=profile_id, **_columns(profiled), **values)
    changed = {**values, "sample_values": dict(profiled.samples)}
    await within.rows(row.on_conflict_do_update(index_elements=["id"], set_=changed))


def _columns(profiled: Profiled) -> dict[str, Value]:
    return {
        "dataset_id": profiled.dataset_id,
        "table_name": profiled.table_name,
        "sample_values": dict(profiled.samples),
    }
