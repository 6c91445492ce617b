"""`docs/clients.md` done by its own blocks: what each prints that is run as it stands."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.local.paths import CHECKOUT
from tests.npm import install
from tests.system.client import Client
from tests.system.process import Running
from tests.system.sample import flights_dataset
from tests.system.watching import over_websocket

PAGE = (CHECKOUT / "docs" / "clients.md").read_text()
BLOCK = re.compile(r"^```\w+\n(?://|#) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FOLDER = Path(__file__).parent / "clients"
NODE = ("node", "--experimental-websocket", "--input-type=module")
"""From its standard input. Node.js has a browser's WebSocket of its own from version 22 on, and by this flag before."""

START = """
mutation Start($dataset: ID!) {
  genTableProfileRefresh(input: {datasetId: $dataset, tableName: "planes"}) {
    ... on GenTableProfileRefreshPayload { job { id } }
  }
}
"""


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    install(FOLDER)


async def _printed(client: Client, name: str) -> Any:
    """What the block prints, as JSON."""
    command = NODE if name.endswith(".mjs") else (sys.executable, "-")
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=FOLDER,
        env={**os.environ, "URL": client.url, "TOKEN": client.tokens["admin"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(dict(BLOCK.findall(PAGE))[name].encode()), 120)
    assert process.returncode == 0, errors.decode()
    return orjson.loads(output)


async def test_apollo(client: Client) -> None:
    """All pages in one list, still in the cache after another query; a failure's fields are there."""
    tracks = (await client.ask("{ sense { tracks { totalCount } } }")).data["sense"]["tracks"]
    assert await _printed(client, "apollo.mjs") == {"tracks": tracks["totalCount"], "cancelled": "INVALID_ID"}


async def test_urql(client: Client, worker: Running) -> None:
    """A query over HTTP, and a subscription over a WebSocket."""
    dataset = await flights_dataset(client)
    started = (await client.ask(START, {"dataset": dataset["id"]})).data["genTableProfileRefresh"]
    await over_websocket(client, started["job"]["id"], user="admin")
    jobs = (await client.ask("{ jobs(first: 1) { nodes { state } } }")).data["jobs"]["nodes"]
    assert [{"kind": "SNAPSHOT", **job} for job in jobs] == [await _printed(client, "urql.mjs")]


async def test_pyarrow(client: Client) -> None:
    frames = (await client.ask("{ sense { frames { totalCount } } }")).data["sense"]["frames"]
    assert await _printed(client, "frames.py") == frames["totalCount"]
