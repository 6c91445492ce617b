"""Every audit of the npm package `graphql-http` holds against the gateway's own application, served by uvicorn."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from tests.gateway.http.application import serving

FOLDER = Path(__file__).parent


@pytest.fixture(scope="session")
def packages() -> None:
    """npm's packages, at the versions of package-lock.json; installed once per checkout."""
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr


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
