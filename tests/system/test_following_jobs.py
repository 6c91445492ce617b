"""`jobsUpdated` over both transports: one's own jobs as they change, and nobody else's."""

import asyncio
from typing import Any

import orjson
import pytest

from tests.system.client import Client
from tests.system.process import Running
from tests.system.sample import flights_dataset
from tests.system.test_jobs import START
from tests.system.watching import Message, connected

FOLLOW = """
subscription Follow($where: JobsFollowed) { jobsUpdated(where: $where) { sequence state job { rowId kind progress } } }
"""
PROFILES = {"where": {"kinds": ["table_profile_refresh"]}}


@pytest.fixture(scope="module")
async def dataset(client: Client) -> str:
    return str((await flights_dataset(client, user="analyst"))["id"])


async def started(client: Client, dataset: str, *, user: str = "analyst") -> str:
    given = {"dataset": dataset, "table": "airlines"}
    return str((await client.ask(START, given, user=user)).data["genTableProfileRefresh"]["job"]["rowId"])


async def up_to_the_end_of(payloads: Any, job: str) -> list[Message]:
    """What is told, up to the job's success."""
    told: list[Message] = []
    async with asyncio.timeout(60):
        async for payload in payloads:
            told.append(payload["data"]["jobsUpdated"])
            if (told[-1]["job"]["rowId"], told[-1]["state"]) == (job, "SUCCEEDED"):
                return told
    raise AssertionError("the stream ended")


async def test_over_websocket_one_sees_ones_own_and_administrators_all(
    client: Client, worker: Running, dataset: str
) -> None:
    async with connected(client, "analyst") as own, connected(client, "admin") as all_:
        for socket in (own, all_):
            await socket.subscribe(FOLLOW, PROFILES)
        # Each is told of jobs that come once it follows; which it does when it is told of what is open.
        theirs = await started(client, dataset, user="admin")
        mine = await started(client, dataset)
        seen, everything = await asyncio.gather(*(up_to_the_end_of(s.payloads(), mine) for s in (own, all_)))
    assert {each["job"]["rowId"] for each in seen} == {mine}
    assert {mine, theirs} <= {each["job"]["rowId"] for each in everything}
    sequences = [int(each["sequence"]) for each in seen]
    assert sequences == sorted(set(sequences))
    assert seen[-1]["job"] == {"rowId": mine, "kind": "table_profile_refresh", "progress": 1}


async def test_over_sse_only_what_was_asked_for(client: Client, worker: Running, dataset: str) -> None:
    where = {"kinds": ["table_profile_refresh"], "states": ["SUCCEEDED", "FAILED"]}
    headers = client.headers("analyst", accept="text/event-stream")
    body = {"query": FOLLOW, "variables": {"where": where}}
    told: list[Message] = []
    async with client.http.post(f"{client.url}/graphql", json=body, headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        mine = await started(client, dataset)
        async with asyncio.timeout(60):
            async for line in response.content:
                if line.startswith(b"data: {"):
                    told.append(orjson.loads(line.removeprefix(b"data: "))["data"]["jobsUpdated"])
                    break
    assert [(each["job"]["rowId"], each["state"]) for each in told] == [(mine, "SUCCEEDED")]


async def test_who_is_not_signed_in_follows_nothing(client: Client) -> None:
    async with connected(client, None) as socket:
        await socket.subscribe(FOLLOW, PROFILES)
        message = await socket.receive()
        assert message["type"] in ("error", "next")
        assert "UNAUTHENTICATED" in str(message)
