"""Every writable type of Gen: written and read back, hidden from those who may not see it, refused with the field's
name.
"""

from typing import Any

import pytest

from tests.schema.gen.entities import ENTITIES, Entity
from tests.schema.gen.world import World

BY_NAME = {entity.name: entity for entity in ENTITIES}
NODE = "query($id: ID!) { node(id: $id) { id __typename } }"
REFUSED = [(entity, *refused) for entity in ENTITIES for refused in entity.refused]
per_entity = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)


async def given(world: World, entity: Entity) -> dict[str, Any]:
    """The input of a create; what it needs is made."""
    made = {name: await create(world, BY_NAME[name]) for name in entity.needs}
    return {
        key: made[value[1:]] if isinstance(value, str) and value.startswith("$") else value
        for key, value in entity.given.items()
    }


async def create(world: World, entity: Entity, **changes: Any) -> str:
    values = (await given(world, entity)) | changes
    done = await world.do(entity.writer, f"{entity.field}Create", values, f"row: {entity.noun} {{ id }}")
    assert done["__typename"] == f"{entity.name}CreatePayload", done
    id_: str = done["row"]["id"]
    return id_


async def ids(world: World, user: str, entity: Entity) -> list[str]:
    data = await world.ask(user, f"{{ gen {{ {entity.root} {{ totalCount nodes {{ id }} }} }} }}")
    found = [node["id"] for node in data["gen"][entity.root]["nodes"]]
    assert data["gen"][entity.root]["totalCount"] == len(found)
    return found


async def seen(world: World, user: str, id_: str) -> bool:
    return (await world.ask(user, NODE, {"id": id_}))["node"] is not None


def scalars(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if not key.endswith("Id")}


@per_entity
async def test_written_read_changed_and_removed(world: World, entity: Entity) -> None:
    values = await given(world, entity)
    shown = " ".join(scalars({**values, **entity.patch}))
    done = await world.do(entity.writer, f"{entity.field}Create", values, f"row: {entity.noun} {{ id {shown} }}")
    id_ = done["row"]["id"]
    assert {key: done["row"][key] for key in scalars(values)} == scalars(values)
    assert await ids(world, entity.writer, entity) == [id_]

    change = {"id": id_, "patch": entity.patch}
    done = await world.do(entity.writer, f"{entity.field}Update", change, f"row: {entity.noun} {{ id {shown} }}")
    assert done["row"] == {"id": id_, **done["row"], **scalars({**values, **entity.patch})}

    done = await world.do(entity.writer, f"{entity.field}Delete", {"id": id_}, "deletedId")
    assert done["deletedId"] == id_
    assert not await seen(world, entity.writer, id_)


@per_entity
async def test_who_sees_it_and_who_may_write_it(world: World, entity: Entity) -> None:
    id_ = await create(world, entity)
    for user in (entity.writer, *entity.readers):
        assert await seen(world, user, id_), user
        assert await ids(world, user, entity) == [id_], user
    for user in entity.blind:
        assert not await seen(world, user, id_), user
        assert await ids(world, user, entity) == [], user
    for users, failure in ((entity.blind, entity.told), (entity.denied, "NotAllowed")):
        for user in users:
            changed = await world.do(user, f"{entity.field}Update", {"id": id_, "patch": entity.patch})
            deleted = await world.do(user, f"{entity.field}Delete", {"id": id_})
            assert (changed["__typename"], deleted["__typename"]) == (failure, failure), user
    assert await seen(world, entity.writer, id_)


@pytest.mark.parametrize(
    ("entity", "changes", "failure", "field"),
    REFUSED,
    ids=[f"{entity.name}-{'-'.join(map(str, changes.items()))[:40]}" for entity, changes, *_ in REFUSED],
)
async def test_refused(world: World, entity: Entity, changes: dict[str, Any], failure: str, field: str) -> None:
    values = await given(world, entity)
    if failure == "Conflict":
        first = await world.do(entity.writer, f"{entity.field}Create", values | changes)
        assert first["__typename"] == f"{entity.name}CreatePayload", first
    before = await ids(world, "admin", entity)
    done = await world.do(entity.writer, f"{entity.field}Create", values | changes)
    assert (done["__typename"], done.get("field")) == (failure, field), done
    assert await ids(world, "admin", entity) == before


@per_entity
async def test_a_retry_under_its_key_is_done_once(world: World, entity: Entity) -> None:
    values = await given(world, entity)
    again = [
        await world.do(entity.writer, f"{entity.field}Create", values, f"row: {entity.noun} {{ id }}", key="k")
        for _ in range(2)
    ]
    assert again[0] == again[1]
    assert await ids(world, entity.writer, entity) == [again[0]["row"]["id"]]
