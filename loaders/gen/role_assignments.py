"""The assignments of roles to resources: rows of `role_assignments`. Each function is one statement unless it says
otherwise.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.gen.stored import DATA_SOURCES
from loaders.openfga.roles import resource_object
from loaders.postgres.write import Transaction
from loaders.tables.axion_gen.role_assignments import RoleAssignment

_assignments: Final = cast(sa.Table, RoleAssignment.__table__)
_sources: Final = DATA_SOURCES.model


@dataclass(frozen=True, slots=True)
class AssignedResource:
    """`resource_type` is `system`, `datasource`, `dataset` or `table`. The other fields identify a resource of that
    type.
    """

    resource_type: str
    data_source_id: UUID | None = None
    dataset_id: UUID | None = None
    table_name: str | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """`object` is the resource's name in OpenFGA."""

    role_id: int
    object: str


async def assign(within: Transaction, role_id: int, resource: AssignedResource) -> None:
    """Does nothing when it is assigned already."""
    made = insert(_assignments).values(role_id=role_id, **asdict(resource))
    await within.rows(made.on_conflict_do_nothing())


async def unassign(within: Transaction, role_id: int, resource: AssignedResource) -> None:
    """Does nothing when it is not assigned."""
    mine = [_assignments.c[name].is_not_distinct_from(value) for name, value in asdict(resource).items()]
    await within.rows(sa.delete(_assignments).where(_assignments.c.role_id == role_id, *mine))


async def assigned_objects(within: Transaction, role_id: int) -> Sequence[str]:
    """The names in OpenFGA of all resources of a role, locked against renaming until the transaction ends. Two
    statements.
    """
    of_role = _assignments.c.role_id == role_id
    sources = sa.select(_sources.c.id, _sources.c.name).where(
        _sources.c.id.in_(sa.select(_assignments.c.data_source_id).where(of_role))
    )
    kept = await within.rows(sources.with_for_update(read=True, key_share=True))
    named = {row.id: str(row.name) for row in kept}
    chosen = await within.rows(sa.select(_assignments).where(of_role))
    return [_object(row, named.get(row.data_source_id)) for row in chosen]


async def roles_at_data_source(within: Transaction, data_source_id: UUID) -> Sequence[int]:
    """The ids of the roles that are assigned to the data source."""
    chosen = sa.select(_assignments.c.role_id).where(_assignments.c.data_source_id == data_source_id)
    return [row.role_id for row in await within.rows(chosen)]


async def unassign_data_source(within: Transaction, data_source_id: UUID, *, name: str) -> Sequence[Assigned]:
    """Removes the data source from every role, and returns what was assigned."""
    return await _unassign(within, _assignments.c.data_source_id == data_source_id, data_source=name)


async def unassign_dataset(within: Transaction, dataset_id: UUID) -> Sequence[Assigned]:
    """Removes the dataset and its tables from every role, and returns what was assigned."""
    return await _unassign(within, _assignments.c.dataset_id == dataset_id)


async def _unassign(
    within: Transaction, which: sa.ColumnElement[bool], *, data_source: str | None = None
) -> Sequence[Assigned]:
    gone = await within.rows(sa.delete(_assignments).where(which).returning(_assignments))
    return [Assigned(row.role_id, _object(row, data_source)) for row in gone]


def _object(row: sa.Row[Any], data_source: str | None) -> str:
    return resource_object(
        row.resource_type, data_source=data_source, dataset_id=row.dataset_id, table_name=row.table_name
    )
