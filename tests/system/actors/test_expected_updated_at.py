"""Every mutation that changes a row with an `updated_at`: as the caller has read it, or not at all."""

from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLUnionType, get_named_type

from schema.mapping.object import OBJECTS
from tests.system.actors.conftest import Actors
from tests.system.actors.inputs import FORMS_OF_ADMINS, MUTATIONS, asked_with, input_of
from tests.system.actors.test_mutations import FOR_ALL, versions
from tests.system.stores import Direct

FIELD = "expectedUpdatedAt"
WITHOUT = {
    "genRoleAssignUser": "the role's own row stays as it is",
    "genRoleUnassignUser": "the role's own row stays as it is",
    "genRoleAssignResource": "the role's own row stays as it is",
    "genRoleUnassignResource": "the role's own row stays as it is",
    "genDatasetMapRefresh": "it notes what is in the bucket, and nothing of the caller's",
    "genExternalApiAuthorizeFinish": "it notes what the API has given, and nothing of the caller's",
}


def _changes_a_row_with_updated_at(name: str) -> bool:
    """By its payload, which has the changed row."""
    result = get_named_type(MUTATIONS[name].type)
    assert isinstance(result, GraphQLUnionType)
    payload = result.types[0]
    assert isinstance(payload, GraphQLObjectType)
    rows = [get_named_type(field.type).name for field in payload.fields.values()]
    return any(row in OBJECTS and OBJECTS[row].table.has_column("updated_at") for row in rows)


def _takes_it(name: str) -> bool:
    return FIELD in get_named_type(MUTATIONS[name].args["input"].type).fields


CHANGING = [name for name in MUTATIONS if _changes_a_row_with_updated_at(name) and not name.endswith("Create")]


def test_each_takes_what_was_read() -> None:
    assert {name for name in CHANGING if not _takes_it(name)} == set(WITHOUT)
    assert len(CHANGING) > 20


@pytest.mark.parametrize("name", [name for name in CHANGING if name not in WITHOUT])
async def test_a_row_that_was_changed_since_is_left_alone(actors: Actors, direct: Direct, name: str) -> None:
    stale: dict[str, Any] = {FIELD: "2001-01-01T00:00:00Z"}
    ended = {"schedule": None} if name == "genTableProfileScheduleSet" else {}
    input_ = input_of(name, actors.south) | FORMS_OF_ADMINS.get(name, {}) | ended | stale
    before = await versions(direct)
    own = FOR_ALL.match(name) and "Schedule" not in name
    answer = await asked_with(actors, name, "analyst" if own else "admin", input_)
    told = answer.data["it"]
    assert (told["__typename"], told.get("field")) == ("Conflict", FIELD), told
    assert await versions(direct) == before
