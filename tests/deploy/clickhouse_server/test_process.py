"""The process: who owns the data folder, and how it ends."""

import asyncio
import subprocess
import time
from pathlib import Path

import aiohttp
from aiohttp.client import _RequestContextManager

from tests.deploy.clickhouse_server.server import CHECKOUT, Server, command, running


def _post(server: Server, session: aiohttp.ClientSession, sql: str) -> _RequestContextManager:
    return session.post(server.url, data=sql, headers=server.authorization)


async def test_the_store_outlives_the_process(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        with running(tmp_path) as server:
            async with _post(server, session, "CREATE TABLE kept (a Int8) ENGINE = MergeTree ORDER BY a") as response:
                assert response.status == 200
            async with _post(server, session, "INSERT INTO kept VALUES (7)") as response:
                assert response.status == 200
            assert await asyncio.to_thread(server.end) == 0
        with running(tmp_path) as server:
            async with _post(server, session, "SELECT a FROM kept") as response:
                assert await response.text() == "7\n"


async def test_a_second_process_is_told_who_owns_the_folder(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        second = await asyncio.to_thread(
            subprocess.run, command(server.port + 1, tmp_path), cwd=CHECKOUT, capture_output=True, text=True, timeout=20
        )
    assert second.returncode == 2
    assert "in use by another process" in second.stderr
    assert "Traceback" not in second.stderr


async def test_terminating_cancels_what_runs(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        with running(tmp_path) as server:
            task = asyncio.create_task(_status(server, session))
            async with asyncio.timeout(10):
                while "sipHash64" not in await _text(
                    server, session, "SELECT query FROM system.processes WHERE elapsed > 0.1"
                ):
                    continue
            started = time.monotonic()
            assert await asyncio.to_thread(server.end) == 0
            assert time.monotonic() - started < 5
            assert await task == 500


async def _status(server: Server, session: aiohttp.ClientSession) -> int:
    async with _post(server, session, "SELECT sum(sipHash64(number)) FROM numbers(100000000000)") as response:
        return response.status


async def _text(server: Server, session: aiohttp.ClientSession, sql: str) -> str:
    async with _post(server, session, sql) as response:
        return await response.text()


def test_a_password_is_wanted_for_other_machines(tmp_path: Path) -> None:
    refused = subprocess.run(
        [*command(1, tmp_path), "--host=0.0.0.0"], cwd=CHECKOUT, capture_output=True, text=True, timeout=20, env={}
    )
    assert refused.returncode == 2
    assert "without a password" in refused.stderr
