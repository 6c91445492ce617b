"""`@defer` over `multipart/mixed`, against slow stores: what is there comes first, and the rest when it has come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from gateway.settings import Settings
from tests.system.client import Client
from tests.system.frail import LAKE, WAREHOUSE, Frail, frail_gateway
from tests.system.process import Gateway
from tests.system.stores import Direct
from tests.system.test_hung_up import running
from tests.waiting import until

MIXED = "multipart/mixed"
BY_PATH = "multipart/mixed;deferSpec=20220824, application/json"
PATIENCE_S = 20
TABLE = f"""
query Later {{
  gen {{ datasets(where: {{name: {{eq: "{WAREHOUSE}"}}}}) {{ nodes {{
    name
    ... @defer(label: "rows") {{ table(name: "airlines") {{ rows {{ totalCount }} }} }}
  }} }} }}
}}
"""
ROWS = {"table": {"rows": {"totalCount": 16}}}
AT = ["gen", "datasets", "nodes", 0]


class Parts:
    """One response's parts, as they come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self._reader = aiohttp.MultipartReader.from_response(response)

    async def next(self) -> Any:
        part = await self._reader.next()
        assert isinstance(part, aiohttp.BodyPartReader)
        assert part.headers["content-type"] == "application/json; charset=utf-8"
        return orjson.loads(await part.read())

    async def rest(self) -> list[Any]:
        """All until the one that says it is the last, after which there is none."""
        parts = [await self.next()]
        while parts[-1]["hasNext"]:
            parts.append(await self.next())
        assert await self._reader.next() is None
        return parts


@asynccontextmanager
async def asked(
    client: Client, document: str, *, accept: str = MIXED, http: aiohttp.ClientSession | None = None, **more: str
) -> AsyncIterator[Parts]:
    headers = client.headers("admin", accept=accept, **more)
    post = (http or client.http).post(f"{client.url}/graphql", json={"query": document}, headers=headers)
    async with post as response:
        assert response.status == 200
        assert response.content_type == MIXED
        yield Parts(response)


@pytest.fixture(scope="module")
async def frail(settings: Settings, env_file: Path, logs: Path, client: Client, direct: Direct) -> AsyncIterator[Frail]:
    async with frail_gateway(settings, env_file, logs / "frail.log", client, direct) as frail:
        yield frail


@pytest.fixture(scope="module")
def asking(client: Client, frail: Frail) -> Client:
    return client.at(frail.gateway.url)


async def test_by_id(asking: Client) -> None:
    async with asked(asking, TABLE) as parts:
        first, *rest = await parts.rest()
    assert first == {
        "data": {"gen": {"datasets": {"nodes": [{"name": WAREHOUSE}]}}},
        "pending": [{"id": "0", "path": AT, "label": "rows"}],
        "hasNext": True,
    }
    assert rest == [{"incremental": [{"id": "0", "data": ROWS}], "completed": [{"id": "0"}], "hasNext": False}]


async def test_by_path(asking: Client) -> None:
    async with asked(asking, TABLE, accept=BY_PATH) as parts:
        assert parts.response.headers["content-type"] == 'multipart/mixed; boundary="-"; deferSpec=20220824'
        first, *rest = await parts.rest()
    assert first == {"data": {"gen": {"datasets": {"nodes": [{"name": WAREHOUSE}]}}}, "hasNext": True}
    assert rest == [{"incremental": [{"path": AT, "data": ROWS, "label": "rows"}], "hasNext": False}]


async def test_the_first_part_waits_for_no_slow_store(asking: Client, frail: Frail) -> None:
    proxy = frail.proxies[f"datasource:{WAREHOUSE}"]
    async with asked(asking, TABLE) as parts, proxy.held() as holding:
        first = await asyncio.wait_for(parts.next(), PATIENCE_S)
        assert first["data"]["gen"]["datasets"]["nodes"] == [{"name": WAREHOUSE}]
        following = asyncio.create_task(parts.next())
        await asyncio.wait_for(holding.wait(), PATIENCE_S)  # the store's answer is here
        assert not following.done()
        proxy.release()
        assert (await following)["incremental"] == [{"id": "0", "data": ROWS}]


async def test_whole_reads_come_later(asking: Client, frail: Frail) -> None:
    document = """
    query Reads {
      aura { ... @defer(label: "aura") { workspaces(first: 1) { nodes { __typename } } } }
      ... @defer { sense { organizations(first: 1) { totalCount } } }
      jobs(where: {kind: {eq: "none"}}) { totalCount }
    }
    """
    one = await asking.ask(document, stores=False)
    async with asked(asking, document, x_axion_stores="1") as parts, frail.proxies["auradb"].held() as holding:
        first = await parts.next()
        assert first["data"] == {"aura": {}, "jobs": one.data["jobs"]}
        assert "auradb" not in first["extensions"]["stores"]
        second = await parts.next()
        (sense,) = second["incremental"]
        assert sense["data"] == {"sense": one.data["sense"]}
        await asyncio.wait_for(holding.wait(), PATIENCE_S)
        frail.proxies["auradb"].release()
        (last,) = await parts.rest()
    (aura,) = last["incremental"]
    assert aura["data"] == one.data["aura"]
    assert {pending["id"]: pending["path"] for pending in first["pending"]} == {sense["id"]: [], aura["id"]: ["aura"]}
    assert last["extensions"]["stores"]["auradb"]["statements"] == 1


async def test_errors_are_in_the_part_of_their_place(asking: Client, frail: Frail) -> None:
    """Of a resolver of its own, of a whole read, and of a crossing within a compiled answer."""
    document = f"""
    {{
      gen {{ datasets(where: {{name: {{eq: "{LAKE}"}}}}) {{
        nodes {{ name ... @defer {{ table(name: "airlines") {{ name }} }} }}
      }} }}
      ... @defer(label: "crossing") {{ sense {{ trackLogs(first: 2) {{ nodes {{ rowId track {{ frameCount }} }} }} }} }}
    }}
    """
    crossing = ["sense", "trackLogs", "nodes", 0, "track"]
    async with (
        frail.proxies["clickhouse"].being("down"),
        frail.proxies[f"datasource:{LAKE}"].being("down"),
        asked(asking, document) as parts,
    ):
        first, *rest = await parts.rest()
    assert "errors" not in first
    found = {}
    for part in rest:
        for each in part.get("incremental", ()):
            for error in each["errors"]:
                found[tuple(error["path"])] = (error["extensions"]["store"], error["extensions"]["code"], each["data"])
    store, code, data = found.pop((*AT, "table"))
    assert (store, code, data) == (frail.known_as(f"datasource:{LAKE}"), "STORE_UNAVAILABLE", {"table": None})
    store, code, data = found.pop(tuple(crossing))
    assert (store, code) == ("clickhouse", "STORE_UNAVAILABLE")
    assert [row["track"] for row in data["sense"]["trackLogs"]["nodes"]] == [None, None]
    assert not found

    async def back() -> bool:
        return not (await asking.ask(document)).errors

    await until(back, timeout_s=8)


async def test_what_is_compiled_comes_at_once(client: Client) -> None:
    """A plan answers it: with one statement, as without the directives."""
    document = "{ sense { organizations(first: 3) { nodes @stream { id ... @defer { name } } } } }"
    plain = "{ sense { organizations(first: 3) { nodes { id name } } } }"
    answer = await client.ask(document, accept=f"application/json, {MIXED}")
    assert answer.data == (await client.ask(plain)).data
    assert answer.statements["axion_sense"] == 1
    async with asked(client, document) as parts:
        assert await parts.rest() == [{"data": answer.data, "hasNext": False}]


async def test_one_answer_for_who_takes_no_parts(asking: Client) -> None:
    answer = await asking.ask(TABLE)
    assert answer.data == {"gen": {"datasets": {"nodes": [{"name": WAREHOUSE, **ROWS}]}}}


async def test_a_list_in_parts(asking: Client) -> None:
    """Tables are a list of a resolver's own: the rest comes later."""
    document = TABLE.replace('... @defer(label: "rows") { table(name: "airlines") { rows { totalCount } } }', "%s")
    plain = await asking.ask(document % "tables { name rowCount }")
    names = plain.data["gen"]["datasets"]["nodes"][0]["tables"]
    assert len(names) > 2
    streamed = document % "tables @stream(initialCount: 2) { name rowCount }"
    async with asked(asking, streamed) as parts:
        first, *rest = await parts.rest()
    assert first["data"]["gen"]["datasets"]["nodes"][0]["tables"] == names[:2]
    assert [item for part in rest for each in part.get("incremental", ()) for item in each["items"]] == names[2:]
    async with asked(asking, streamed, accept=BY_PATH) as parts:
        _, *rest = await parts.rest()
    places = [(each["path"], each["items"]) for part in rest for each in part.get("incremental", ())]
    assert [(path[-1], items) for path, items in places] == [
        (number, names[number : number + len(items)]) for (*_, number), items in places
    ]


async def test_who_leaves_cancels_what_is_deferred(client: Client, gateway: Gateway, big: str, direct: Direct) -> None:
    logged = len(gateway.running.lines())
    document = """
    query Leaving { gen { dataset(id: "%s") { name ... @defer { table(name: "big") {
      aggregate(groupBy: ["a", "b"], first: 10, measures: [
        {function: COUNT_DISTINCT, column: "c", as: "x"}, {function: COUNT_DISTINCT, column: "at", as: "y"}
      ])
    } } } } }
    """
    async with aiohttp.ClientSession() as leaving, asked(client, document % big, http=leaving) as parts:
        assert (await parts.next())["hasNext"]

        async def started() -> bool:
            return await running(direct) == 1

        await until(started, timeout_s=10)
        parts.response.close()

    async def gone() -> bool:
        return await running(direct) == 0

    await until(gone, timeout_s=5)
    await gateway.running.logs("CANCELLED", "Leaving", since=logged)
    assert sum("Leaving" in line for line in gateway.running.lines()[logged:]) == 1
