"""Who may write a row, and that a refusal changes nothing."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from loaders.errors import (
    AxionError,
    BadInput,
    Forbidden,
    NotFound,
    Unauthenticated,
)
from tests.resolvers.things import NOWHERE, changed, deleted, made, stored
from tests.resolvers.written_database import (
    OURS,
    SHARED,
    THEIRS,
    World,
)

Attempt: TypeAlias = Callable[[], Awaitable[object]]

DENIED = {"": Unauthenticated, "member": Forbidden, "stranger": NotFound, "nobody": NotFound}


@pytest.mark.parametrize("user", DENIED)
async def test_who_may_not_write_changes_nothing(world: World, user: str) -> None:
    id_ = await made(world)
    before = await world.everything()
    attempts: list[Attempt] = [
        lambda: changed(world, id_, user=user, name="x"),
        lambda: deleted(world, id_, user=user),
    ]
    for attempt in attempts:
        with pytest.raises(DENIED[user]):
            await attempt()
    assert await world.everything() == before


@pytest.mark.parametrize(
    ("user", "error"), [("", Unauthenticated), ("member", Forbidden), ("stranger", BadInput), ("nobody", BadInput)]
)
async def test_who_may_not_make_makes_nothing(world: World, user: str, error: type[AxionError]) -> None:
    before = await world.everything()
    with pytest.raises(error):
        await made(world, user=user)
    assert await world.everything() == before


async def test_a_hidden_row_answers_as_one_that_is_not_there(world: World) -> None:
    id_ = await made(world)
    said = []
    for each in (id_, NOWHERE):
        with pytest.raises(NotFound) as absent:
            await changed(world, each, user="stranger", name="x")
        said.append(str(absent.value))
        with pytest.raises(NotFound) as absent:
            await deleted(world, each, user="stranger")
        said.append(str(absent.value))
    assert len(set(said)) == 1


async def test_the_new_value_is_guarded_too(world: World) -> None:
    """`half` administers the first organization and sees the second."""
    id_ = await made(world, user="half")
    before = await world.everything()
    with pytest.raises(Forbidden):
        await changed(world, id_, user="half", organization_id=SHARED)
    assert await world.everything() == before
    await changed(world, id_, user="admin", organization_id=SHARED)
    with pytest.raises(Forbidden):
        await changed(world, id_, user="half", organization_id=OURS)
    assert await stored(world, id_, "organization_id") == SHARED


async def test_system_admins_may_write_everywhere(world: World) -> None:
    id_ = await made(world, user="root", organization_id=THEIRS)
    await changed(world, id_, user="root", organization_id=OURS)
    assert await stored(world, id_, "organization_id") == OURS
    await deleted(world, id_, user="root")
