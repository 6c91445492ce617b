"""Flat list of 10,000 over HTTP against Postgres building the same JSON, one caller at a time."""

import statistics
import time
from collections.abc import Awaitable, Callable

import asyncpg
import orjson

from tests.benchmarks.alternate import Side, alternate
from tests.benchmarks.figure import Figure, Goal
from tests.benchmarks.figures.lists import FLAT, check_flat
from tests.benchmarks.load import Target, ask, load, post, target
from tests.benchmarks.world import World

_NAME = "flat list of 10,000, one caller"
_JSON = """
SELECT json_build_object('data', json_build_object('sense', json_build_object('trackLogs', json_build_object('nodes',
    json_agg(json_build_object('rowId', id, 'createdAt', created_at, 's3LogKey', s3_log_key) ORDER BY id)))))::text
FROM (SELECT id, created_at, s3_log_key FROM road_data.track_logs ORDER BY id LIMIT 10000) AS page
"""
_ROWS = "SELECT id, created_at, s3_log_key FROM road_data.track_logs ORDER BY id LIMIT 10000"


async def floor(world: World) -> list[Figure]:
    url = world.settings.databases.axion_sense.app_url.get_secret_value()
    connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    try:
        async with world.gateway() as gateway, world.unguarded() as unguarded:
            request = post(FLAT, token=world.member)
            check = check_flat("sense", "trackLogs")
            if orjson.loads(await ask(gateway.port, request)) != orjson.loads(await connection.fetchval(_JSON)):
                raise AssertionError("the hand-written statement does not build the gateway's answer")

            async def in_postgres(seconds: float) -> float:
                return await _median_ms(seconds, lambda: connection.fetchval(_JSON))

            async def with_orjson(seconds: float) -> float:
                return await _median_ms(seconds, lambda: _encoded(connection))

            sides = {
                "ours": _over_http(await target(gateway.port, (request,), check)),
                "unguarded": _over_http(await target(unguarded.port, (request,), check)),
                "postgres": in_postgres,
                "orjson": with_orjson,
            }
            measured = await alternate(sides, world.effort)
    finally:
        await connection.close()
    peer = "Postgres builds the JSON, raw asyncpg"
    return [
        Figure.of_pairs(_NAME, measured["ours"], measured["postgres"], unit="ms", peer=peer, goal=Goal("at most", 1.3)),
        Figure.of_pairs(
            f"{_NAME}, guards off", measured["unguarded"], measured["postgres"], unit="ms", peer=peer, goal=None
        ),
        Figure.of_pairs(
            _NAME, measured["ours"], measured["orjson"], unit="ms", peer="raw asyncpg rows, orjson", goal=None
        ),
    ]


def _over_http(at: Target) -> Side:
    async def side(seconds: float) -> float:
        return (await load(at, connections=1, seconds=seconds)).median_ms

    return side


async def _encoded(connection: asyncpg.Connection) -> bytes:
    rows = await connection.fetch(_ROWS)
    found = [{"rowId": row[0], "createdAt": row[1], "s3LogKey": row[2]} for row in rows]
    return orjson.dumps({"data": {"sense": {"trackLogs": {"nodes": found}}}}, default=str)  # asyncpg's UUID


async def _median_ms(seconds: float, once: Callable[[], Awaitable[object]]) -> float:
    taken = []
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        started = time.perf_counter()
        await once()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000
