"""Mutations with a resolver of their own: of two who have read the same row, the second is told."""

import secrets
from typing import Any

import pytest

from tests.system.client import Client
from tests.system.mutations import done
from tests.system.sample import flights_dataset
from tests.system.stores import Direct

NAME = f"system-expected-{secrets.token_hex(4)}"
URLS = dict.fromkeys(("baseUrl", "authorizationUrl", "tokenUrl"), "https://expected.example/")
SETTINGS = {"url": "http://localhost:1", "database": "d", "username": "u", "password": "hunter2 of the expected"}
STALE = {"expectedUpdatedAt": "2001-01-01T00:00:00Z"}


async def do(client: Client, mutation: str, row: str, **input_: Any) -> Any:
    """What the mutation answers; of its row the id and `updatedAt`, where it has one."""
    return await done(client, mutation, f"{row} {{ id updatedAt }}" if row else "", **input_)


async def as_read(client: Client, mutation: str, row: str, read: str, **input_: Any) -> str:
    """Done as the row was read, and refused for who has read it as it was before. The row's `updatedAt` since."""
    payload = await do(client, mutation, row, **input_, expectedUpdatedAt=read)
    assert payload["__typename"].endswith("Payload"), payload
    refused = await do(client, mutation, row, **input_, expectedUpdatedAt=read)
    assert (refused["__typename"], refused["field"]) == ("Conflict", "expectedUpdatedAt")
    assert "changed since you read it" in refused["message"]
    since = str(payload[row]["updatedAt"])
    assert since > read
    return since


async def test_a_data_source(client: Client) -> None:
    new = {"name": NAME, "connectorType": "clickhouse", "settings": SETTINGS}
    source = (await do(client, "genDataSourceCreate", "dataSource", **new))["dataSource"]
    try:
        name = "genDataSourceUpdate"
        read = await as_read(client, name, "dataSource", source["updatedAt"], id=source["id"], description="First.")
        await as_read(client, name, "dataSource", read, id=source["id"], settings=SETTINGS | {"database": "e"})
    finally:
        gone = await do(client, "genDataSourceDelete", "", id=source["id"])
    assert gone["__typename"] == "GenDataSourceDeletePayload"


async def test_a_role(client: Client) -> None:
    role = (await do(client, "genRoleCreate", "role", name=NAME))["role"]
    try:
        read = await as_read(client, "genRoleUpdate", "role", role["updatedAt"], id=role["id"], description="First.")
        await as_read(client, "genRoleFlagsSet", "role", read, id=role["id"], hasViewTable=True)
    finally:
        await do(client, "genRoleDelete", "", id=role["id"])


async def test_a_client_secret(client: Client, direct: Direct) -> None:
    api = (await do(client, "genExternalApiCreate", "externalApi", name=NAME, clientId="c", **URLS))["externalApi"]
    try:
        name = "genExternalApiClientSecretSet"
        await as_read(client, name, "api", api["updatedAt"], id=api["id"], clientSecret="s")
    finally:
        await direct.postgres("axion_gen", "DELETE FROM external_apis WHERE name = $1", NAME)


@pytest.mark.parametrize("ends", [False, True])
async def test_a_schedule(client: Client, direct: Direct, ends: bool) -> None:
    """One that is gone is not as it was read either: it is not made again."""
    dataset = await flights_dataset(client)
    table = {"datasetId": dataset["id"], "tableName": "weather"}
    hourly = {**table, "schedule": {"everyMinutes": 60}}
    name = "genTableProfileScheduleSet"
    try:
        made = (await do(client, name, "schedule", **hourly))["schedule"]
        read = await as_read(client, name, "schedule", made["updatedAt"], **hourly)
        if ends:
            for given in (STALE, {"expectedUpdatedAt": read}):
                ended = await do(client, name, "schedule", **table, schedule=None, **given)
                assert ended["__typename"] == ("Conflict" if given is STALE else f"G{name[1:]}Payload")
            refused = await do(client, name, "schedule", **hourly, expectedUpdatedAt=read)
            assert refused["field"] == "expectedUpdatedAt"
            return
        paused = await direct.postgres(
            "axion_gen",
            "UPDATE table_profile_schedules SET paused_at = now(), pause_reason = 'r', next_run_at = NULL"
            " WHERE table_name = 'weather' RETURNING 1",
        )
        assert len(paused) == 1
        await as_read(client, "genTableProfileScheduleResume", "schedule", read, **table)
    finally:
        await direct.postgres("axion_gen", "DELETE FROM table_profile_schedules WHERE table_name = 'weather'")
