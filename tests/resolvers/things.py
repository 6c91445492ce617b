"""Writes of the table `things`, which has columns of every kind, and what is stored of it.

The input's names for columns are the columns' in capitals here (`TARGET.names`).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from resolvers.idempotency import MutationRequest
from resolvers.writes import Create, Delete, Update, create, delete, update
from tests.resolvers.written_database import (
    OURS,
    POLICIES,
    TARGET,
    World,
)

NOWHERE = UUID(int=7)


def asked(mutation: str, given: object, alias: str | None = None) -> MutationRequest:
    return MutationRequest(mutation, alias or mutation, given)


async def made(world: World, *, user: str = "admin", key: str | None = None, alias: str = "", **values: Any) -> Any:
    values = {"organization_id": OURS, "name": "a thing"} | values
    write = Create(asked("thingCreate", values, alias), values)
    ((id_),) = await create(world.as_(user, key=key), TARGET, write, POLICIES)
    return id_


async def changed(
    world: World,
    id_: object,
    *,
    user: str = "admin",
    expected: datetime | None = None,
    key: str | None = None,
    **patch: Any,
) -> Any:
    write = Update(asked("thingUpdate", [id_, expected, patch]), (id_,), patch, expected)
    return await update(world.as_(user, key=key), TARGET, write, POLICIES)


async def deleted(world: World, id_: object, *, user: str = "admin", key: str | None = None) -> Any:
    return await delete(world.as_(user, key=key), TARGET, Delete(asked("thingDelete", id_), (id_,)), POLICIES)


async def stored(world: World, id_: object, column: str) -> Any:
    return await world.direct.fetchval(f"SELECT {column} FROM things WHERE id = $1", id_)
