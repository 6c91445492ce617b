"""Every mutation of the schema: done once under an `Idempotency-Key`, or named here with why not."""

import uuid
from collections.abc import AsyncIterator

import pytest

from loaders.tables.databases import METADATA
from schema.build import build, graphql_schema
from tests.system.actors.conftest import Actors
from tests.system.actors.inputs import FORMS_OF_ADMINS, MUTATIONS, asked_with, input_of
from tests.system.actors.test_mutations import versions
from tests.system.sample import flights_dataset
from tests.system.stores import Direct

EACH_TIME = {
    "genDataSourceTest": "it changes nothing, and tells how it is now",
    "genDatasetMapRefresh": "it notes what is there now",
    "genExternalApiAuthorizeStart": "its answer holds the `state` that connects an account, of which a digest alone is "
    "kept",
    "genExternalApiConnectionTest": "it changes nothing that others see, and tells how it is now",
}
STORES = [store for store, metadata in METADATA.items() if "public.idempotency_keys" in metadata.tables]
PLANT = """
    INSERT INTO idempotency_keys (subject, key, mutation, response_key, input_sha256, row_key)
    SELECT 'demo|admin', $1, name, 'it', repeat('0', 64), '["1"]' FROM unnest($2::text[]) AS given (name)
"""


@pytest.fixture
async def planted(direct: Direct) -> AsyncIterator[str]:
    """A key under which the admin has done every mutation already, each with another input."""
    key = str(uuid.uuid4())
    for store in STORES:
        await direct.postgres(store, PLANT, key, list(MUTATIONS))
    yield key
    for store in STORES:
        await direct.postgres(store, "DELETE FROM idempotency_keys WHERE key = $1", key)


def test_what_is_done_each_time() -> None:
    schema = graphql_schema(build())
    assert schema.mutation_type is not None
    found = {}
    for name, field in schema.mutation_type.fields.items():
        reason = field.extensions["strawberry-definition"].metadata.get("each_time")
        if reason is not None:
            found[name] = reason
    assert found == EACH_TIME


async def test_another_input_under_a_key_is_a_conflict_and_changes_nothing(
    actors: Actors, direct: Direct, planted: str
) -> None:
    """As the key is asked before the row is changed, the inputs need not lead to anything."""
    flights = await flights_dataset(actors.client)
    there = {"datasetId": flights["id"], "tableName": "planes"}
    forms = FORMS_OF_ADMINS | {"genTableProfileRefresh": there}
    before = await versions(direct)
    wrong = {}
    for name in MUTATIONS.keys() - EACH_TIME.keys():
        input_ = input_of(name, actors.south) | forms.get(name, {})
        answer = await asked_with(actors, name, "admin", input_, idempotency_key=planted)
        told = answer.data["it"]
        if told["__typename"] != "Conflict" or "another input" not in told["message"]:
            wrong[name] = told
    assert wrong == {}
    assert await versions(direct) == before
