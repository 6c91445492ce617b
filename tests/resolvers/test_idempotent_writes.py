"""A retried write returns the first answer, whatever happened to the first attempt."""

import asyncio
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from loaders.errors import (
    BadInput,
    Conflict,
    StoreError,
    StoreUnavailable,
)
from loaders.secrets.keyring import Keyring
from resolvers.writes import Create, create
from tests.resolvers.things import NOWHERE, asked, changed, deleted, made, stored
from tests.resolvers.written_database import (
    ENCRYPTION_KEYS,
    KEYRING,
    OURS,
    POLICIES,
    STORE,
    TARGET,
    World,
)
from tests.waiting import until


async def test_a_retry_returns_the_first_answer(world: World) -> None:
    first = await made(world, key="k")
    before = await world.everything()
    assert await made(world, key="k") == first
    assert await world.everything() == before


async def test_a_retried_delete_and_update(world: World) -> None:
    id_ = await made(world)
    read = await stored(world, id_, "updated_at")
    for _ in range(2):
        assert await changed(world, id_, expected=read, name="x", key="u") == (id_,)
    for _ in range(2):
        assert await deleted(world, id_, key="d") == (id_,)


async def test_another_input_under_the_same_key_is_a_conflict(world: World) -> None:
    await made(world, key="k")
    before = await world.everything()
    with pytest.raises(Conflict, match="Idempotency-Key"):
        await made(world, key="k", name="another")
    with pytest.raises(Conflict, match="Idempotency-Key"):
        await made(world, key="k", flag=None)  # null is not the same as left out
    assert await world.everything() == before


async def test_what_is_kept_of_an_input_is_nothing_to_guess_by(world: World) -> None:
    """And it is known again after the encryption keys were rotated."""
    first = await made(world, key="k", name="a password")
    values = {"organization_id": OURS, "name": "a password"}
    (kept,) = await world.direct.fetch("SELECT input_sha256 FROM public.idempotency_keys")
    message = asked("thingCreate", values).message
    assert kept["input_sha256"] == KEYRING.fingerprint(message) != sha256(message).hexdigest()
    rotated = world.as_("admin", key="k", keyring=Keyring(ENCRYPTION_KEYS, current_version=2))
    write = Create(asked("thingCreate", values, ""), values)
    assert await create(rotated, TARGET, write, POLICIES) == (first,)


async def test_keys_are_the_callers_own(world: World) -> None:
    first = await made(world, key="k")
    assert await made(world, user="root", key="k", name="of another user") != first
    assert await made(world, key="k", alias="second", name="of another field") != first


async def test_a_failure_is_not_remembered(world: World) -> None:
    with pytest.raises(BadInput):
        await made(world, key="k", parent_id=NOWHERE)
    assert await world.direct.fetchval("SELECT count(*) FROM idempotency_keys") == 0
    assert await made(world, key="k", name="mended")


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ", "a\nb"])
async def test_keys_that_are_none(world: World, key: str) -> None:
    before = await world.everything()
    with pytest.raises(BadInput, match="Idempotency-Key"):
        await made(world, key=key)
    assert await world.everything() == before


async def test_of_retries_at_once_one_does_the_work(world: World) -> None:
    ids = await asyncio.gather(*(made(world, key="k") for _ in range(5)))
    assert len(set(ids)) == 1
    assert await world.direct.fetchval("SELECT count(*) FROM things") == 1


async def test_a_crash_between_leaves_nothing_and_the_retry_does_the_work(world: World) -> None:
    """The mutation has written its key and waits in front of its row when its connection is killed."""
    blocker = await asyncpg.connect(world.urls.admin)
    try:
        async with _holding(blocker, "LOCK TABLE things IN SHARE ROW EXCLUSIVE MODE"):
            running = asyncio.create_task(made(world, key="k"))
            pid = await _waiting(world)
            await world.direct.execute("SELECT pg_terminate_backend($1)", pid)
            with pytest.raises(StoreError):
                await running
            assert await world.direct.fetchval("SELECT count(*) FROM idempotency_keys") == 0
        id_ = await made(world, key="k")
        assert await made(world, key="k") == id_
        assert await world.direct.fetchval("SELECT count(*) FROM things") == 1
    finally:
        await blocker.close()


async def test_a_retry_waits_for_the_first_and_does_the_work_when_it_fails(world: World) -> None:
    blocker = await asyncpg.connect(world.urls.admin)
    try:
        async with _holding(blocker, "LOCK TABLE things IN SHARE ROW EXCLUSIVE MODE"):
            first = asyncio.create_task(made(world, key="k"))
            pid = await _waiting(world)
            second = asyncio.create_task(made(world, key="k"))
            assert await _waiting(world, besides=pid)
            await world.direct.execute("SELECT pg_terminate_backend($1)", pid)
            with pytest.raises(StoreError):
                await first
        id_ = await second
        assert [row["id"] for row in await world.direct.fetch("SELECT id FROM things")] == [id_]
    finally:
        await blocker.close()


async def test_with_no_connection_left_the_store_is_unavailable(world: World) -> None:
    """Five write at once; who waits longer than for a connection is told to try again."""
    async with AsyncExitStack() as stack:
        for _ in range(5):
            session = await stack.enter_async_context(world.postgres.transaction())
            await session.execute(sa.text("SELECT 1"))
        with pytest.raises(StoreUnavailable):
            await made(world)
    assert await made(world)


async def test_keys_are_forgotten_after_a_day(world: World) -> None:
    first = await made(world, key="k")
    await made(world, key="old", name="old")
    await world.direct.execute("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")
    assert await made(world, key="k", name="new") != first
    assert await world.direct.fetchval("SELECT array_agg(key) FROM idempotency_keys") == ["k"]


async def test_statements_are_in_the_ledger_and_none_is_per_column(world: World) -> None:
    """One per reference, the row itself, and three for the key."""
    id_ = await made(world)
    plain, keyed = world.as_("admin"), world.as_("admin", key="k")
    for context in (plain, keyed):
        values = {"organization_id": OURS, "parent_id": id_, "name": str(uuid4())[:20], "big": 1, "flag": True}
        await create(context, TARGET, Create(asked("thingCreate", values), values), POLICIES)
    assert [context.ledger.stores[STORE].statements for context in (plain, keyed)] == [3, 6]


def _holding(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> Any:
    class Holding:
        async def __aenter__(self) -> None:
            await connection.execute("BEGIN")
            await connection.execute(statement)

        async def __aexit__(self, *_: object) -> None:
            await connection.execute("ROLLBACK")

    return Holding()


async def _waiting(world: World, *, besides: int = 0) -> int:
    """The backend that waits for a lock in this database, as soon as there is one."""
    pids: list[int] = []

    async def waits() -> bool:
        found = await world.direct.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND pid <> $1",
            besides,
        )
        pids[:] = [row["pid"] for row in found]
        return bool(pids)

    await until(waits)
    return pids[0]
