"""Changes of a row since it was read, and of one row at the same time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from loaders.errors import (
    Conflict,
)
from tests.resolvers.things import changed, made, stored
from tests.resolvers.written_database import (
    World,
)


async def test_a_change_since_it_was_read_is_a_conflict(world: World) -> None:
    id_ = await made(world)
    read = await stored(world, id_, "updated_at")
    await changed(world, id_, expected=read, name="first")
    before = await world.everything()
    with pytest.raises(Conflict) as stale:
        await changed(world, id_, expected=read, name="second")
    assert stale.value.field == "expectedUpdatedAt"
    assert await world.everything() == before
    await changed(world, id_, expected=await stored(world, id_, "updated_at"), name="second")
    assert await stored(world, id_, "name") == "second"


async def test_of_two_changes_of_what_was_read_exactly_one_wins(world: World) -> None:
    id_ = await made(world)
    read = await stored(world, id_, "updated_at")
    names = [f"name {number}" for number in range(4)]
    results = await asyncio.gather(
        *(changed(world, id_, expected=read, name=name) for name in names), return_exceptions=True
    )
    won = [name for name, result in zip(names, results, strict=True) if result == (id_,)]
    assert len(won) == 1
    assert sum(isinstance(result, Conflict) for result in results) == len(names) - 1
    assert await stored(world, id_, "name") == won[0]


async def test_updated_at_rises_when_the_clock_is_behind(world: World) -> None:
    id_ = await made(world)
    ahead = datetime.now(UTC) + timedelta(days=1)
    await world.direct.execute("UPDATE things SET updated_at = $1", ahead)
    await changed(world, id_, name="x")
    assert await stored(world, id_, "updated_at") == ahead + timedelta(microseconds=1)
