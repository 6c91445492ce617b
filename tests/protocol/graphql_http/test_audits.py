"""Every audit of the npm package `graphql-http` holds against the gateway's own application, served by uvicorn."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.gateway.http.application import serving
from tests.npm import install

FOLDER = Path(__file__).parent


@pytest.fixture(scope="session")
def packages() -> None:
    install(FOLDER)


@pytest.mark.usefixtures("packages")
async def test_all_audits() -> None:
    async with serving() as url:
        process = await asyncio.create_subprocess_exec(
            "node", "audit.mjs", f"{url}/graphql", cwd=FOLDER, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    audits = [json.loads(line) for line in output.splitlines()]
    assert len(audits) == 61  # of graphql-http 1.23.1
    assert [audit for audit in audits if audit["status"] != "ok"] == []
