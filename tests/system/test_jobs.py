"""A job from its start to its end: watched over both transports, resumed, cancelled, and hidden from strangers."""

import json
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient

from deploy.local.paths import CHECKOUT
from tests.system.big import DATABASE
from tests.system.client import Client
from tests.system.process import Running
from tests.system.sample import flights_dataset
from tests.system.stores import Direct
from tests.system.watching import WATCH, ServerSent, connected, over_sse, over_websocket
from tests.waiting import until

START = """
mutation Start($dataset: ID!, $table: String!, $where: GenRowFilter) {
  genTableProfileRefresh(input: {datasetId: $dataset, tableName: $table, where: $where}) {
    ... on GenTableProfileRefreshPayload { job { id rowId state kind arguments sequence } }
    ... on Error { code message }
  }
}
"""
CANCEL = """
mutation Cancel($id: ID!) {
  jobCancel(input: {id: $id}) {
    __typename ... on JobCancelPayload { job { state cancelRequestedAt } } ... on Error { code }
  }
}
"""
JOB = "query Job($id: ID!) { job(id: $id) { state progress result error attempts sequence cancelRequestedAt } }"


@pytest.fixture(scope="module")
async def dataset(client: Client) -> str:
    """The dataset the analyst sees."""
    return str((await flights_dataset(client, user="analyst"))["id"])


async def _start(client: Client, dataset: str, table: str, *, user: str = "analyst", where: Any = None) -> Any:
    variables = {"dataset": dataset, "table": table, "where": where}
    started = (await client.ask(START, variables, user=user)).data["genTableProfileRefresh"]
    assert "job" in started, started
    return started["job"]


async def _job(client: Client, id_: str, *, user: str = "analyst") -> Any:
    return (await client.ask(JOB, {"id": id_}, user=user)).data["job"]


@pytest.fixture(scope="module")
async def profiled(client: Client, worker: Running, dataset: str) -> Any:
    """A job over `flights`, and what was seen of it from its start to its end."""
    job = await _start(client, dataset, "flights")
    return {**job, "seen": await over_websocket(client, job["id"], user="analyst")}


async def test_watched_to_its_end(client: Client, profiled: Any) -> None:
    first, *following = profiled["seen"]
    assert first["kind"] == "SNAPSHOT"
    sequences = [int(event["sequence"]) for event in profiled["seen"]]
    assert sequences == sorted(set(sequences))
    assert [event["isFinal"] for event in profiled["seen"]] == [*[False] * len(following), True]
    assert following[-1]["payload"] == {"state": "succeeded", "attempt": 1}
    assert following[-1]["job"] == {"state": "SUCCEEDED"}
    job = await _job(client, profiled["id"])
    assert (job["state"], job["progress"], job["attempts"], job["error"]) == ("SUCCEEDED", 1, 1, None)
    assert {name: job["result"][name] for name in ("rowCount", "columns", "basis")} == {
        "rowCount": 336_776,
        "columns": 19,
        "basis": "table",
    }
    assert int(job["sequence"]) == sequences[-1]


async def test_of_the_rows_that_match(client: Client, worker: Running, dataset: str) -> None:
    where = {"or": [{"column": "carrier", "in": ["AA", "UA"]}, {"not": {"column": "name", "gte": "B"}}]}
    job = await _start(client, dataset, "airlines", where=where)
    assert job["arguments"]["where"] == where
    await over_websocket(client, job["id"], user="analyst")
    result = (await _job(client, job["id"]))["result"]
    document = (
        'query($id: ID!) { gen { dataset(id: $id) { table(name: "airlines") { profile { basis profiledRows } } } } }'
    )
    found = (await client.ask(document, {"id": dataset}, user="analyst")).data["gen"]["dataset"]["table"]["profile"]
    assert (result["basis"], found) == ("partition", {"basis": "PARTITION", "profiledRows": "4"})


async def test_the_profile_is_right(profiled: Any, direct: Direct) -> None:
    (cached,) = await direct.postgres(
        "axion_gen",
        "SELECT p.row_count, p.statistics::text AS statistics, p.columns::text AS columns FROM table_profile_cache p"
        " JOIN datasets d ON d.id = p.dataset_id WHERE d.name = 'nycflights13' AND p.table_name = 'flights'",
    )
    described = await direct.clickhouse(
        "SELECT name FROM system.columns WHERE database = 'nycflights13' AND table = 'flights' ORDER BY position"
    )
    names = [row["name"] for row in described]
    assert cached["row_count"] == 336_776
    assert [column["name"] for column in orjson.loads(cached["columns"])] == names
    statistics = orjson.loads(cached["statistics"])
    assert sorted(statistics) == sorted(names)
    for name in ("dep_delay", "carrier", "tailnum", "distance"):
        (row,) = await direct.clickhouse(
            f"SELECT countIf(isNull({name})) AS nulls, uniqExact({name}) AS different, min({name}) AS low,"
            f" max({name}) AS high FROM nycflights13.flights"
        )
        expected = {"nullCount": row["nulls"], "distinctCount": row["different"], "min": row["low"], "max": row["high"]}
        assert {figure: statistics[name][figure] for figure in expected} == expected


async def test_events_are_the_stored_ones(client: Client, profiled: Any, direct: Direct) -> None:
    """Watched from the beginning after the end: every event there is, once, then the end of the stream."""
    stored = await direct.postgres(
        "axion_sense_tasks",
        "SELECT sequence, upper(kind) AS kind, payload::text AS payload FROM job_events WHERE job_id = $1::text::uuid"
        " ORDER BY sequence",
        profiled["rowId"],
    )
    events = await over_websocket(client, profiled["id"], user="analyst", after=0)
    assert [(int(event["sequence"]), event["kind"], event["payload"]) for event in events] == [
        (row["sequence"], row["kind"], orjson.loads(row["payload"])) for row in stored
    ]


async def test_resumed_over_either_transport(client: Client, profiled: Any) -> None:
    """`after` and `Last-Event-ID` give exactly what is missing; a finished watch gives nothing more."""
    everything = await over_websocket(client, profiled["id"], user="analyst", after=0)
    last = int(everything[-1]["sequence"])
    for after in (1, last - 1, last):
        missing = [event for event in everything if int(event["sequence"]) > after]
        assert await over_websocket(client, profiled["id"], user="analyst", after=after) == missing
        for events in (
            await over_sse(client, profiled["id"], user="analyst", after=after),
            await over_sse(client, profiled["id"], user="analyst", last_event_id=str(after)),
        ):
            assert events == [*_as_sent(missing), ServerSent("complete", None, None)]


def _as_sent(events: list[Any]) -> list[ServerSent]:
    return [ServerSent("next", event["sequence"], {"data": {"jobUpdated": event}}) for event in events]


async def test_watched_over_sse(client: Client, worker: Running, dataset: str) -> None:
    job = await _start(client, dataset, "weather")
    *events, end = await over_sse(client, job["id"], user="analyst")
    assert end == ServerSent("complete", None, None)
    assert all(event.name == "next" and event.id == event.data["data"]["jobUpdated"]["sequence"] for event in events)
    assert events[0].data["data"]["jobUpdated"]["kind"] == "SNAPSHOT"
    assert events[-1].data["data"]["jobUpdated"]["payload"] == {"state": "succeeded", "attempt": 1}


async def test_cancelled_while_queued(client: Client, worker: Running, dataset: str) -> None:
    """The worker is held still, so the job is not taken; when it goes on it does not run it."""
    worker.process.send_signal(signal.SIGSTOP)
    try:
        job = await _start(client, dataset, "planes")
        assert job["state"] == "QUEUED"
        cancelled = (await client.ask(CANCEL, {"id": job["id"]}, user="analyst")).data["jobCancel"]
        assert cancelled["job"]["state"] == "CANCELLED"
        (event,) = await over_websocket(client, job["id"], user="analyst")
        assert (event["kind"], event["payload"]["state"], event["isFinal"]) == ("SNAPSHOT", "cancelled", True)
    finally:
        worker.process.send_signal(signal.SIGCONT)
    following = await _start(client, dataset, "airlines")
    assert (await over_websocket(client, following["id"], user="analyst"))[-1]["payload"]["state"] == "succeeded"
    assert (await _job(client, job["id"]))["attempts"] == 0
    again = (await client.ask(CANCEL, {"id": job["id"]}, user="analyst")).data["jobCancel"]
    assert again["job"] == cancelled["job"]


async def test_a_job_that_has_ended_is_not_cancelled(client: Client, profiled: Any) -> None:
    answer = (await client.ask(CANCEL, {"id": profiled["id"]}, user="analyst")).data["jobCancel"]
    assert answer == {"__typename": "Conflict", "code": "CONFLICT"}


@pytest.fixture
async def endless(big: str, clickhouse: AsyncClient) -> AsyncIterator[str]:
    """The name of a table of that dataset whose profile takes minutes."""
    name = f"{DATABASE}.endless"
    rows = "SELECT number AS id, sleepEachRow(0.2) AS nap FROM system.numbers LIMIT 1000 SETTINGS max_block_size = 1"
    await clickhouse.command(f"CREATE VIEW {name} AS {rows}")
    yield "endless"
    await clickhouse.command(f"DROP VIEW {name}")


async def test_cancelled_while_running(client: Client, worker: Running, big: str, endless: str, direct: Direct) -> None:
    async def running() -> bool:
        rows = await direct.clickhouse(f"SELECT query FROM system.processes WHERE query LIKE '%nap%{endless}%'")
        return any("system.processes" not in row["query"] for row in rows)

    async def ended() -> bool:
        return not await running()

    job = await _start(client, big, endless, user="admin")
    async with connected(client, "admin") as socket:
        await socket.subscribe(WATCH, {"id": job["id"], "after": "0"})
        await until(running)
        cancelling = (await client.ask(CANCEL, {"id": job["id"]})).data["jobCancel"]
        assert cancelling["job"]["cancelRequestedAt"] is not None
        events = [payload["data"]["jobUpdated"] async for payload in socket.payloads()]
    kinds = [(event["kind"], event["payload"].get("state")) for event in events]
    assert kinds[-1] == ("STATE", "cancelled")
    assert ("CANCEL_REQUESTED", None) in kinds
    assert (await _job(client, job["id"], user="admin"))["result"] is None
    await worker.logs("job_stopped", job["rowId"], "cancelled")
    await until(ended)


async def test_each_user_lists_their_own_jobs(client: Client, profiled: Any, direct: Direct) -> None:
    stored = await direct.postgres(
        "axion_sense_tasks", "SELECT count(*) AS all, count(*) FILTER (WHERE subject = 'demo|analyst') AS own FROM jobs"
    )
    document = "{ jobs(first: 1000) { totalCount nodes { id } } }"
    lists = {user: (await client.ask(document, user=user)).data["jobs"] for user in ("admin", "analyst", "stranger")}
    assert lists["admin"]["totalCount"] == stored[0]["all"]
    assert lists["analyst"]["totalCount"] == stored[0]["own"]
    assert {"id": profiled["id"]} in lists["admin"]["nodes"]
    assert {"id": profiled["id"]} in lists["analyst"]["nodes"]
    assert lists["stranger"] == {"totalCount": 0, "nodes": []}


async def test_a_job_of_another_is_absent(client: Client, profiled: Any) -> None:
    """Seen, watched and cancelled by nobody else: the answers are those for a job that does not exist."""
    assert await _job(client, profiled["id"], user="stranger") is None
    cancel = (await client.ask(CANCEL, {"id": profiled["id"]}, user="stranger")).data["jobCancel"]
    assert cancel == {"__typename": "Absent", "code": "NOT_FOUND"}
    async with connected(client, "stranger") as socket:
        await socket.subscribe(WATCH, {"id": profiled["id"]})
        refused = await socket.receive()
    assert (refused["type"], refused["id"]) == ("error", "1")
    assert [error["extensions"]["code"] for error in refused["payload"]] == ["NOT_FOUND"]


async def test_nobody_watches_without_a_token(client: Client, profiled: Any) -> None:
    async with connected(client, None) as socket:
        await socket.subscribe(WATCH, {"id": profiled["id"]})
        refused = await socket.receive()
    assert [error["extensions"]["code"] for error in refused["payload"]] == ["UNAUTHENTICATED"]


async def test_a_forged_token_opens_no_connection(client: Client) -> None:
    url = client.url.replace("http://", "ws://") + "/graphql"
    async with client.http.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"authorization": "Bearer x.y.z"}})
        await socket.receive()
        assert socket.close_code == 4403


async def test_the_protocols_own_client(client: Client, profiled: Any) -> None:
    """The npm package graphql-ws, as GraphiQL uses it."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = """
    const [bundle, url, authorization, query, id] = process.argv.slice(1);
    const client = require(bundle).createClient({ url, connectionParams: { authorization } });
    const events = [];
    client.subscribe({ query, variables: { id, after: '0' } }, {
      next: (event) => events.push(event.data.jobUpdated),
      error: (error) => { console.error(error); process.exit(1); },
      complete: () => { console.log(JSON.stringify(events)); process.exit(0); },
    });
    """
    url = client.url.replace("http://", "ws://") + "/graphql"
    bundle = str(CHECKOUT / "deploy/graphiql/static/graphql-ws.js")
    arguments = [bundle, url, f"Bearer {client.tokens['analyst']}", WATCH, profiled["id"]]
    ran = subprocess.run(  # noqa: ASYNC221 - the gateway is another process
        [node, "--experimental-websocket", "-e", script, *arguments], capture_output=True, text=True, timeout=30
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == await over_websocket(client, profiled["id"], user="analyst", after=0)
