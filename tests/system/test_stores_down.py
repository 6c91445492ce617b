"""A store that is down takes its own fields along and no others, is named, and is used again when it is back."""

import asyncio
import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Settings
from tests.system.client import Answer, Client
from tests.system.frail import LAKE, LOCKED, WAREHOUSE, Frail, frail_gateway
from tests.system.proxy import State
from tests.system.stores import Direct
from tests.waiting import until

DOCUMENT = f"""
{{
  gen {{
    dataSources(where: {{name: {{startsWith: "flights-"}}}}) {{ totalCount }}
    warehouse: datasets(where: {{name: {{eq: "{WAREHOUSE}"}}}}) {{
      nodes {{ name table(name: "airlines") {{ rows {{ totalCount }} }} }}
    }}
    lake: datasets(where: {{name: {{eq: "{LAKE}"}}}}) {{
      nodes {{ name table(name: "airlines") {{ rows {{ totalCount }} }} }}
    }}
  }}
  sense {{
    trackLogs(first: 2) {{ nodes {{ rowId track {{ frameCount }} }} }}
    tracks(first: 2) {{ nodes {{ rowId log {{ s3LogKey }} }} }}
  }}
  aura {{ workspaces {{ nodes {{ name }} }} }}
  jobs(where: {{kind: {{eq: "none"}}}}) {{ totalCount }}
}}
"""
Path_ = tuple[str | int, ...]
GEN: list[Path_] = [("gen", "dataSources"), ("gen", "warehouse"), ("gen", "lake")]
LOST: dict[str, list[tuple[Path_, int]]] = {
    "axion_gen": [(path, 1) for path in GEN],
    "axion_sense": [(("sense", "trackLogs"), 1), (("sense", "tracks", "nodes", 0, "log"), 2)],
    "axion_sense_tasks": [(("jobs",), 1)],
    "auradb": [(("aura", "workspaces"), 1)],
    "powernode": [],
    "clickhouse": [(("sense", "trackLogs", "nodes", 0, "track"), 2), (("sense", "tracks"), 1)],
    "objects": [],
    f"datasource:{WAREHOUSE}": [(("gen", "warehouse", "nodes", 0, "table"), 1)],
    f"datasource:{LAKE}": [(("gen", "lake", "nodes", 0, "table"), 1)],
}
"""What each store takes along: where its first null stands in the answer, and how many there are from there on."""
PROBED = [store for store in LOST if not store.startswith("datasource:")] + ["openfga"]
REQUIRED = ("axion_sense", "openfga")


@pytest.fixture(scope="module")
async def frail(settings: Settings, env_file: Path, logs: Path, client: Client, direct: Direct) -> AsyncIterator[Frail]:
    async with frail_gateway(settings, env_file, logs / "frail.log", client, direct) as frail:
        yield frail


@pytest.fixture(scope="module")
def asking(client: Client, frail: Frail) -> Client:
    return client.at(frail.gateway.url)


@pytest.fixture(scope="module")
async def healthy(asking: Client) -> Any:
    data = (await asking.ask(DOCUMENT)).data
    assert data["gen"]["warehouse"] == {"nodes": [{"name": WAREHOUSE, "table": {"rows": {"totalCount": 16}}}]}
    return data


def _without(data: Any, lost: list[tuple[Path_, int]]) -> Any:
    """The answer with nulls in those places; of several in one list, in its following rows."""
    left = copy.deepcopy(data)
    for path, nulls in lost:
        for number in range(nulls):
            place: Path_ = tuple(step + number if isinstance(step, int) else step for step in path)
            holder = left
            for step in place[:-1]:
                holder = holder[step]
            holder[place[-1]] = None
    return left


@pytest.mark.parametrize(("store", "state"), [*((store, "down") for store in LOST), ("auradb", "silent")])
async def test_a_store_takes_its_own_fields_along(
    asking: Client, frail: Frail, healthy: Any, store: str, state: State
) -> None:
    async def asked_while_the_user_is_known() -> Answer:
        """Who asks is looked up in `axion_sense` and kept for a second; the store must go away within it."""
        while True:
            await asking.ask("{ viewer { subject } }")
            async with frail.proxies[store].being(state):
                answer = await asking.ask(DOCUMENT)
            if answer.status == 200 or store != "axion_sense":
                return answer

    async with asyncio.timeout(60):
        answer = await asked_while_the_user_is_known()
        assert answer.status == 200
        assert answer.body["data"] == _without(healthy, LOST[store])
        assert sorted(str(error["path"]) for error in answer.errors) == sorted(
            str(list(path)) for path, _ in LOST[store]
        )
        for error in answer.errors:
            assert error["extensions"]["store"] == frail.known_as(store)
            assert error["extensions"]["code"] in ("STORE_UNAVAILABLE", "STORE_TIMEOUT")
            assert frail.known_as(store) in error["message"]

    async def back() -> bool:
        again = await asking.ask(DOCUMENT)
        return not again.errors and again.data == healthy

    await until(back, timeout_s=8)


async def test_a_data_source_with_a_wrong_password(asking: Client, frail: Frail, healthy: Any) -> None:
    document = f"""
    {{
      gen {{ datasets(where: {{name: {{eq: "{LOCKED}"}}}}) {{ nodes {{ name table(name: "airlines") {{ name }} }} }} }}
      aura {{ workspaces {{ nodes {{ name }} }} }}
    }}
    """
    answer = await asking.ask(document)
    assert answer.body["data"] == {
        "gen": {"datasets": {"nodes": [{"name": LOCKED, "table": None}]}},
        "aura": healthy["aura"],
    }
    (error,) = answer.errors
    assert error["path"] == ["gen", "datasets", "nodes", 0, "table"]
    store = frail.known_as(f"datasource:{LOCKED}")
    assert error["extensions"] == {"code": "STORE_CREDENTIALS_REJECTED", "store": store}
    assert LOCKED not in error["message"]


@pytest.mark.parametrize("state", ["down", "silent"])
@pytest.mark.parametrize("user", ["admin", "analyst", "stranger"])
async def test_without_verdicts_nothing_is_read(
    asking: Client, frail: Frail, healthy: Any, user: str, state: State
) -> None:
    """A verdict that was kept serves for under a second; then nobody sees anything."""

    async def denied() -> bool:
        return "PERMISSIONS_UNAVAILABLE" in (await asking.ask(DOCUMENT, user=user)).codes

    async with frail.proxies["openfga"].being(state):
        await until(denied)
        answer = await asking.ask(DOCUMENT, user=user)
        assert answer.status == 200
        assert answer.body["data"] == {
            "gen": {"dataSources": None, "warehouse": None, "lake": None},
            "sense": {"trackLogs": None, "tracks": None},
            "aura": {"workspaces": None},
            "jobs": None,
        }
        assert answer.codes == ["PERMISSIONS_UNAVAILABLE"] * 7
        assert set(answer.statements) == {"openfga"}
    assert (await asking.ask(DOCUMENT)).data == healthy


@pytest.mark.parametrize("store", PROBED)
async def test_readiness_names_the_store(asking: Client, frail: Frail, store: str) -> None:
    async with frail.proxies[store].being("down"):
        status, body = await _ready(asking)
        required = store in REQUIRED
        assert (status, body["status"]) == ((503, "unavailable") if required else (200, "degraded"))
        assert [name for name, found in body["stores"].items() if found["state"] == "down"] == [store]
        codes = ("PERMISSIONS_UNAVAILABLE",) if store == "openfga" else ("STORE_UNAVAILABLE", "STORE_TIMEOUT")
        assert body["stores"][store]["code"] in codes
        assert set(body["stores"]) == {*PROBED, "identity provider"}

    async def all_up() -> bool:
        _, body = await _ready(asking)
        return bool(body["status"] == "ready")

    await until(all_up, timeout_s=8)


async def _ready(asking: Client) -> tuple[int, Any]:
    async with asking.http.get(f"{asking.url}/health/ready") as response:
        return response.status, await response.json()


async def test_the_process_lives_without_any_store(asking: Client, frail: Frail) -> None:
    async with frail.proxies["axion_sense"].being("down"), asking.http.get(f"{asking.url}/health/live") as response:
        assert (response.status, await response.json()) == (200, {"status": "live"})
