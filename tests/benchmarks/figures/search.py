"""Similarity search of one workspace's tenth of 100,000 chunks, against the same SQL directly; and how exact it is."""

import statistics
import time
from typing import Any

import asyncpg
import orjson
from pgvector.asyncpg import register_vector

from gateway.stores import SESSION
from loaders.encode.node_id import encode_node_id
from loaders.vectors.local import LocalHashing
from tests.benchmarks.alternate import Side, alternate
from tests.benchmarks.data.chunks import DIMENSIONS, WORKSPACES, workspace_id, workspace_path
from tests.benchmarks.figure import Figure, Goal
from tests.benchmarks.load import ask, load, post, target
from tests.benchmarks.world import World

_TEXTS = (
    "open a socket and accept connections",
    "parse the arguments of the command line",
    "decode base64 bytes",
    "compare two dates in different time zones",
    "write rows to a csv file",
    "raise an error when the key is missing",
    "compile a regular expression",
    "lock shared by several threads",
    "walk over the files of a folder",
    "compute the checksum of a file",
    "cancel a running task",
    "convert an integer to hexadecimal",
    "escape html in a template",
    "validate a certificate",
    "read a zip archive",
    "sort a list by several keys",
    "format a floating point number",
    "mock an object in a test",
    "load a module by its name",
    "send a signal to a process",
)
_K = 10
_NAME = "vector search, 100,000 x 1,536, filtered by workspace"
_UNIT = "of the exact ten"
_ROUNDING = 1e-6
_SQL = f"""
SELECT json_build_object('nodes', coalesce(json_agg(json_build_object('rowId', id, 'content', content, 'score', score)
    ORDER BY distance), '[]'))::text
FROM (
    SELECT id, content, 1 - (embedding <=> $1) AS score, embedding <=> $1 AS distance
    FROM rag_chunks WHERE workspace_path = $2 ORDER BY embedding <=> $1 LIMIT {_K}
) AS page
"""


async def search(world: World) -> list[Figure]:
    url = world.settings.databases.auradb.app_url.get_secret_value()
    direct = await asyncpg.connect(url, server_settings=SESSION["auradb"])
    default = await asyncpg.connect(url, server_settings={"hnsw.iterative_scan": "strict_order"})
    exact = await asyncpg.connect(url, server_settings={"enable_indexscan": "off"})
    for connection in (direct, default, exact):
        await register_vector(connection)
    model = LocalHashing(DIMENSIONS)
    asked = [(model.vector(text), workspace_path(number % WORKSPACES)) for number, text in enumerate(_TEXTS)]
    requests = [_request(text, number % WORKSPACES, world.member) for number, text in enumerate(_TEXTS)]
    try:
        async with world.gateway() as gateway:
            recall = direct_recall = default_recall = 0.0
            for request, given in zip(requests, asked, strict=True):
                right = await _found(exact, given)
                answer = orjson.loads(await ask(gateway.port, request))["data"]["aura"]["search"]
                recall += _recall(_scores(answer), right) / len(asked)
                direct_recall += _recall(await _found(direct, given), right) / len(asked)
                default_recall += _recall(await _found(default, given), right) / len(asked)
            at = await target(gateway.port, requests, lambda data: None)

            async def ours(seconds: float) -> float:
                return (await load(at, connections=1, seconds=seconds)).median_ms

            def theirs(connection: asyncpg.Connection) -> Side:
                async def side(seconds: float) -> float:
                    taken: list[float] = []
                    begun = time.perf_counter()
                    while time.perf_counter() - begun < seconds:
                        started = time.perf_counter()
                        await connection.fetchval(_SQL, *asked[len(taken) % len(asked)])
                        taken.append(time.perf_counter() - started)
                    return statistics.median(taken) * 1000

                return side

            sides = {"ours": ours, "direct": theirs(direct), "default": theirs(default)}
            measured = await alternate(sides, world.effort)
    finally:
        for connection in (direct, default, exact):
            await connection.close()
    time_of, recall_of = f"{_NAME}: time", f"{_NAME}: recall@{_K}"
    peers = {"direct": "the same SQL directly", "default": "the same SQL under pgvector's own settings"}
    goal = Goal("at most", 1.3)
    return [
        *(
            Figure.of_pairs(
                time_of,
                measured["ours"],
                measured[side],
                unit="ms",
                peer=peer,
                goal=goal if side == "direct" else None,
            )
            for side, peer in peers.items()
        ),
        Figure(recall_of, recall, _UNIT, direct_recall, peers["direct"], goal=Goal("at least", 0.98, "")),
        Figure(recall_of, recall, _UNIT, default_recall, peers["default"]),
    ]


async def _found(connection: asyncpg.Connection, given: tuple[list[float], str]) -> list[float]:
    return _scores(orjson.loads(await connection.fetchval(_SQL, *given)))


def _request(text: str, workspace: int, token: str) -> bytes:
    id_ = encode_node_id("AuraWorkspace", (workspace_id(workspace),))
    selection = "nodes { rowId content score }"
    return post(
        f'{{ aura {{ search(workspaceId: "{id_}", text: "{text}", first: {_K}) {{ {selection} }} }} }}', token=token
    )


def _scores(connection: Any) -> list[float]:
    return [node["score"] for node in connection["nodes"]]


def _recall(found: list[float], right: list[float]) -> float:
    """The share of the found that are as near as the exact k-th: of equal texts any may be found."""
    if len(right) != _K:
        raise AssertionError(f"the workspace holds {len(right)} chunks, not {_K}")
    return sum(score >= right[-1] - _ROUNDING for score in found) / _K
