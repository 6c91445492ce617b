"""Mutations with a resolver of their own, repeated under an `Idempotency-Key`: done once, and answered as at first."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from gateway.settings import Settings
from loaders.encode.node_id import decode_node_id, encode_node_id
from loaders.tables.uuid7 import uuid7
from tests.clickhouse_source import source_settings
from tests.system.client import Client
from tests.system.frail import remove_sources
from tests.system.mutations import mutation
from tests.system.sample import flights_dataset
from tests.system.stores import Direct

NAME = "system-repeated"
PASSWORD = "hunter2 of the repeated"
SOURCE = mutation("genDataSourceCreate", "permissionsPending dataSource { id name description }")
CHANGE = mutation("genDataSourceUpdate", "dataSource { id description }")
DATASET = mutation("genDatasetCreate", "permissionsPending dataset { id name }")
REFRESH = mutation("genTableProfileRefresh", "job { id }")
CANCEL = mutation("jobCancel", "job { id state }")
DELETE = mutation("genDatasetDelete", "deletedId permissionsPending")
DELETE_SOURCE = mutation("genDataSourceDelete", "deletedId permissionsPending")
SCHEDULE = mutation("genTableProfileScheduleSet", "schedule { id updatedAt everyMinutes }")
RESUME = mutation("genTableProfileScheduleResume", "schedule { id }")
MARK = mutation("genFavoriteTableAdd", "favorite { tableName }")
UNMARK = mutation("genFavoriteTableRemove", "removed")
OFFER = mutation("genExternalApiCreate", "externalApi { id }")
SECRET = mutation("genExternalApiClientSecretSet", "api { id }")


@dataclass(frozen=True, slots=True)
class Repeated:
    """Asks as the administrator, each mutation under the key given."""

    client: Client

    async def ask(self, document: str, input_: dict[str, Any], key: str | None) -> Any:
        given = {} if key is None else {"Idempotency_Key": key}
        headers = self.client.headers("admin", accept="application/json", **given)
        body = {"query": document, "variables": {"input": input_}}
        async with self.client.http.post(f"{self.client.url}/graphql", json=body, headers=headers) as response:
            answer = orjson.loads(await response.read())
        assert "errors" not in answer, answer
        return answer["data"]["it"]

    async def twice(self, document: str, input_: dict[str, Any], other: dict[str, Any]) -> Any:
        """Done, answered again as at first, and refused for another input."""
        key = str(uuid.uuid4())
        first = await self.ask(document, input_, key)
        assert first["__typename"].endswith("Payload"), first
        assert await self.ask(document, input_, key) == first
        refused = await self.ask(document, input_ | other, key)
        assert refused["__typename"] == "Conflict"
        assert "was used for another input" in refused["message"]
        return first


@pytest.fixture
async def repeated(client: Client, direct: Direct) -> AsyncIterator[Repeated]:
    await remove_sources(direct, [NAME])
    yield Repeated(client)
    await remove_sources(direct, [NAME])


@pytest.fixture
def connection(settings: Settings) -> dict[str, Any]:
    return source_settings(settings, "nycflights13") | {"password": PASSWORD}


async def test_a_data_source_and_its_dataset(
    repeated: Repeated, direct: Direct, settings: Settings, connection: dict[str, Any]
) -> None:
    source = {"name": NAME, "connectorType": "clickhouse", "settings": connection}
    made = await repeated.twice(SOURCE, source, {"settings": connection | {"password": "another"}})
    assert (made["dataSource"]["name"], made["permissionsPending"]) == (NAME, False)
    assert (await repeated.ask(SOURCE, source, None))["__typename"] == "Conflict"  # without a key: the name is taken
    id_ = made["dataSource"]["id"]

    right = settings.clickhouse.password.get_secret_value()
    change = {"id": id_, "description": "Right.", "settings": connection | {"password": right}}
    await repeated.twice(CHANGE, change, {"description": "Wrong."})

    dataset = {"name": NAME, "dataSourceId": id_}
    in_dataset = (await repeated.twice(DATASET, dataset, {"name": "another"}))["dataset"]
    counts = await direct.postgres(
        "axion_gen",
        "SELECT (SELECT count(*) FROM data_sources WHERE name = $1) AS sources,"
        " (SELECT count(*) FROM datasets WHERE name = $1) AS datasets",
        NAME,
    )
    assert counts == [{"sources": 1, "datasets": 1}]

    refresh = {"datasetId": in_dataset["id"], "tableName": "airlines"}
    await repeated.twice(REFRESH, refresh, {"tableName": "airports"})

    for document, doomed in ((DELETE, in_dataset["id"]), (DELETE_SOURCE, id_)):
        other = encode_node_id(decode_node_id(doomed)[0], [str(uuid7())])
        gone = await repeated.twice(document, {"id": doomed}, {"id": other})
        assert (gone["deletedId"], gone["permissionsPending"]) == (doomed, False)
        assert (await repeated.ask(document, {"id": doomed}, None))["__typename"] == "Absent"

    kept = await direct.postgres("axion_gen", "SELECT k::text AS row FROM idempotency_keys k")
    assert kept
    assert not any(secret in each["row"] for each in kept for secret in (PASSWORD, right))


async def test_one_job_is_started(repeated: Repeated, client: Client, direct: Direct) -> None:
    dataset = await flights_dataset(client)
    counted = "SELECT count(*) AS n FROM jobs WHERE arguments::text LIKE '%planes%'"
    (before,) = await direct.postgres("axion_sense_tasks", counted)
    await repeated.twice(REFRESH, {"datasetId": dataset["id"], "tableName": "planes"}, {"tableName": "weather"})
    (after,) = await direct.postgres("axion_sense_tasks", counted)
    assert after["n"] == before["n"] + 1


async def test_a_job_is_cancelled_once(repeated: Repeated, client: Client, direct: Direct) -> None:
    """The jobs are in no queue, so no worker is quicker."""
    keys = [uuid7(), uuid7()]
    await direct.postgres(
        "axion_sense_tasks",
        "INSERT INTO jobs (id, kind, state, subject, arguments, sequence)"
        " SELECT id, 'table_profile_refresh', 'queued', 'demo|admin', '{}', 1 FROM unnest($1::uuid[]) AS given (id)",
        keys,
    )
    document = "query Jobs($keys: [UUID!]) { jobs(where: {rowId: {in: $keys}}) { nodes { id } } }"
    nodes = (await client.ask(document, {"keys": [str(key) for key in keys]})).data["jobs"]["nodes"]
    one, other = (node["id"] for node in nodes)
    done = await repeated.twice(CANCEL, {"id": one}, {"id": other})
    assert done["job"] == {"id": one, "state": "CANCELLED"}
    await direct.postgres("axion_sense_tasks", "DELETE FROM jobs WHERE id = ANY($1)", keys)


@pytest.fixture
async def flights(client: Client, direct: Direct) -> AsyncIterator[str]:
    """Id of the dataset, whose table `planes` has neither a schedule nor a mark before and after."""
    dataset = await flights_dataset(client)
    yield dataset["id"]
    for table in ("table_profile_schedules", "user_favorite_tables"):
        await direct.postgres("axion_gen", f"DELETE FROM {table} WHERE table_name = 'planes'")


async def test_a_schedule_is_set_resumed_and_ended_once(repeated: Repeated, direct: Direct, flights: str) -> None:
    """What was done under a key is not done again, whatever became of it."""
    table = {"datasetId": flights, "tableName": "planes"}
    hourly = table | {"schedule": {"everyMinutes": 60}}
    set_ = await repeated.twice(SCHEDULE, hourly, {"sampleRows": 0})
    assert set_["schedule"]["everyMinutes"] == 60

    pause = "UPDATE table_profile_schedules SET paused_at = now(), pause_reason = 'r', next_run_at = NULL"
    of_planes = " WHERE table_name = 'planes'"
    key = str(uuid.uuid4())
    await direct.postgres("axion_gen", pause + of_planes)
    first = await repeated.ask(RESUME, table, key)
    await direct.postgres("axion_gen", pause + of_planes)
    assert await repeated.ask(RESUME, table, key) == first
    (now,) = await direct.postgres("axion_gen", "SELECT paused_at FROM table_profile_schedules" + of_planes)
    assert now["paused_at"] is not None

    end = table | {"schedule": None}
    ended = await repeated.ask(SCHEDULE, end, key)
    assert ended["schedule"] is None
    again = await repeated.ask(SCHEDULE, hourly, None)
    assert again["schedule"]["id"] != set_["schedule"]["id"]
    assert await repeated.ask(SCHEDULE, end, key) == ended
    (left,) = await direct.postgres("axion_gen", "SELECT count(*) AS n FROM table_profile_schedules" + of_planes)
    assert left["n"] == 1


async def test_a_mark_is_taken_away_once(repeated: Repeated, direct: Direct, flights: str) -> None:
    table = {"datasetId": flights, "tableName": "planes"}
    await repeated.twice(MARK, table, {"tableName": "airlines"})
    key = str(uuid.uuid4())
    assert (await repeated.ask(UNMARK, table, key))["removed"]
    assert (await repeated.ask(UNMARK, table, str(uuid.uuid4())))["removed"] is False
    await repeated.ask(MARK, table, None)
    assert (await repeated.ask(UNMARK, table, key))["removed"]
    (left,) = await direct.postgres(
        "axion_gen", "SELECT count(*) AS n FROM user_favorite_tables WHERE table_name = 'planes'"
    )
    assert left["n"] == 1


async def test_a_client_secret_is_set_once_and_never_kept(repeated: Repeated, direct: Direct) -> None:
    """A retry that comes late does not put an older secret back."""
    urls = dict.fromkeys(("baseUrl", "authorizationUrl", "tokenUrl"), "https://repeated.example/")
    offered = await repeated.ask(OFFER, {"name": NAME, "clientId": "c", **urls}, None)
    id_ = offered["externalApi"]["id"]
    try:
        key = str(uuid.uuid4())
        first = await repeated.ask(SECRET, {"id": id_, "clientSecret": PASSWORD}, key)
        assert first["__typename"].endswith("Payload"), first
        await repeated.twice(SECRET, {"id": id_, "clientSecret": "newer"}, {"clientSecret": "another"})
        sealed = "SELECT encrypted_client_secret AS it FROM external_apis WHERE name = $1"
        (before,) = await direct.postgres("axion_gen", sealed, NAME)
        assert await repeated.ask(SECRET, {"id": id_, "clientSecret": PASSWORD}, key) == first
        assert await direct.postgres("axion_gen", sealed, NAME) == [before]
        kept = await direct.postgres("axion_gen", "SELECT k::text AS row FROM idempotency_keys k")
        assert not any(secret in each["row"] for each in kept for secret in (PASSWORD, "newer"))
    finally:
        await direct.postgres("axion_gen", "DELETE FROM external_apis WHERE name = $1", NAME)
