"""Each engine down, slow, locked or changed: an error of its own, in time, while the rest of the document answers."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.conformance.subject import WRONG_SECRET
from tests.system.client import Answer, Client
from tests.system.flights.conftest import Engine
from tests.system.mutations import done, mutation
from tests.waiting import until

TIMEOUT_MS = 1_500
WITHIN_S = TIMEOUT_MS / 1000 + 5.0
"""Until the answer: ending the query in the engine is waited for too, and this machine may be busy."""
HEALTHY = """
  healthy: datasets(where: {name: {eq: "nycflights13"}}) { nodes { table(name: "airlines") { rows { totalCount } } } }
"""
BOTH = f"""
query Both($dataset: ID!) {{ gen {{
  frail: dataset(id: $dataset) {{ name table(name: "airlines") {{ rows {{ totalCount }} }} }}
  {HEALTHY}
}} }}
"""
CHANGED = f"""
query Changed($dataset: ID!) {{ gen {{
  frail: dataset(id: $dataset) {{ name table(name: "changing") {{
    dropped: rows(select: ["name"]) {{ nodes }}
    retyped: rows(where: {{column: "id", eq: 1}}) {{ totalCount }}
    same: rows {{ totalCount }}
  }} }}
  {HEALTHY}
}} }}
"""
TEST = mutation("genDataSourceTest", "latencyMs")
SIXTEEN = {"rows": {"totalCount": 16}}


@asynccontextmanager
async def changed(engine: Engine, client: Client, settings: Mapping[str, object]) -> AsyncIterator[None]:
    """The data source under these settings, then under its own again, answering."""

    async def change(to: Mapping[str, object]) -> None:
        payload = await done(client, "genDataSourceUpdate", id=engine.source_id, settings=dict(to))
        assert payload["__typename"] == "GenDataSourceUpdatePayload", payload

    await change(settings)
    try:
        yield
    finally:
        await change(engine.subject.settings(url=engine.url))

    async def back() -> bool:
        return not (await client.ask(BOTH, {"dataset": engine.dataset})).errors

    await until(back, timeout_s=60)


async def ask(engine: Engine, client: Client) -> tuple[Answer, float]:
    started = time.monotonic()
    answer = await client.ask(BOTH, {"dataset": engine.dataset})
    return answer, time.monotonic() - started


def failed(engine: Engine, answer: Answer, code: str) -> str:
    """The message; the rest of the document is whole."""
    assert answer.status == 200
    assert answer.body["data"]["gen"] == {
        "frail": {"name": engine.source, "table": None},
        "healthy": {"nodes": [{"table": SIXTEEN}]},
    }
    return told(engine, answer, code, ["gen", "frail", "table"])


def told(engine: Engine, answer: Answer, code: str, path: list[str]) -> str:
    """The message of the only error, which says what to do and no address."""
    (error,) = answer.errors
    assert error["path"] == path
    assert error["extensions"] == {"code": code, "store": engine.store}
    message: str = error["message"]
    assert engine.store in message
    assert any(step in message.lower() for step in ("check", "correct", "try", "give it"))
    assert "127.0.0.1" not in message
    return message


async def test_the_connection_test(engine: Engine, client: Client) -> None:
    """Of each engine it says how long it took, or what is wrong."""
    tested = await client.ask(TEST, {"input": {"id": engine.source_id}})
    assert tested.errors == []
    assert tested.data["it"]["latencyMs"] > 0


async def test_down(engine: Engine, client: Client) -> None:
    settings = engine.subject.settings(url=engine.url)
    async with changed(engine, client, {**settings, "timeout_ms": TIMEOUT_MS}), engine.proxy.being("down"):
        answer, took = await ask(engine, client)
        again, took_again = await ask(engine, client)
        tested = await client.ask(TEST, {"input": {"id": engine.source_id}})
    failed(engine, answer, "STORE_UNAVAILABLE")
    told(engine, tested, "STORE_UNAVAILABLE", ["it"])
    failed(engine, again, "STORE_UNAVAILABLE")
    assert max(took, took_again) < WITHIN_S


@pytest.mark.parametrize("how", ["silent", "held"])
async def test_slow(engine: Engine, client: Client, how: str) -> None:
    """Connections are taken and never answered; or what is asked arrives, and its answer does not come back."""
    settings = engine.subject.settings(url=engine.url)
    async with changed(engine, client, {**settings, "timeout_ms": TIMEOUT_MS}):
        slowed: Any = engine.proxy.being("silent") if how == "silent" else engine.proxy.held()
        async with slowed:
            answer, took = await ask(engine, client)
    message = failed(engine, answer, "STORE_TIMEOUT")
    assert took < WITHIN_S
    assert f"{TIMEOUT_MS} ms" in message or "in time" in message


async def test_a_wrong_password(engine: Engine, client: Client, logs: Path) -> None:
    """Neither the answers nor any process's log has it, nor the right one: drivers put a lot into their errors."""
    settings = engine.subject.settings(url=engine.url, secret=WRONG_SECRET)
    async with changed(engine, client, {**settings, "timeout_ms": 10_000}):
        answer, took = await ask(engine, client)
        tested = await client.ask(TEST, {"input": {"id": engine.source_id}})
    message = failed(engine, answer, "STORE_CREDENTIALS_REJECTED")
    assert took < 10 + 5
    assert "rejected" in message
    assert "rejected" in told(engine, tested, "STORE_CREDENTIALS_REJECTED", ["it"])
    logged = _read(logs)
    assert "STORE_CREDENTIALS_REJECTED" in logged
    for secret in (*secrets_of(settings), *secrets_of(engine.subject.settings(url=engine.url))):
        assert secret not in logged + json.dumps(answer.body) + json.dumps(tested.body)


def _read(logs: Path) -> str:
    return "".join(log.read_text(errors="replace") for log in logs.iterdir())


def secrets_of(settings: Mapping[str, object]) -> list[str]:
    """The password or secret key; of a service account the lines of its private key."""
    if "service_account" in settings:
        key: str = json.loads(str(settings["service_account"]))["private_key"]
        return [line for line in key.splitlines() if len(line) == 64]
    return [str(settings["password"] if "password" in settings else settings["secret_key"])]


async def test_a_changed_schema(engine: Engine, client: Client) -> None:
    """Saved documents ask for what was there: each field says what is missing, those that still fit answer."""
    await engine.subject.load("changing", pa.table({"id": pa.array([1], pa.int32()), "name": ["a"]}))
    before = (await client.ask(CHANGED, {"dataset": engine.dataset})).data["gen"]["frail"]["table"]
    await engine.subject.drop("changing")
    gone = await client.ask(CHANGED, {"dataset": engine.dataset})
    await engine.subject.load("changing", pa.table({"id": ["one"], "label": ["b"]}))
    answer = await client.ask(CHANGED, {"dataset": engine.dataset})
    await engine.subject.drop("changing")
    assert before == {"dropped": {"nodes": [{"name": "a"}]}, "retyped": {"totalCount": 1}, "same": {"totalCount": 1}}
    assert gone.data["gen"] == {
        "frail": {"name": engine.source, "table": None},
        "healthy": {"nodes": [{"table": SIXTEEN}]},
    }
    assert answer.body["data"]["gen"] == {
        "frail": {"name": engine.source, "table": {"dropped": None, "retyped": None, "same": {"totalCount": 1}}},
        "healthy": {"nodes": [{"table": SIXTEEN}]},
    }
    found = {error["path"][-1]: (error["extensions"]["code"], error["message"]) for error in answer.errors}
    assert found["dropped"][0] == "UNKNOWN_COLUMN"
    assert "name" in found["dropped"][1]
    assert found["retyped"][0] == "BAD_USER_INPUT"
    assert "id" in found["retyped"][1]
