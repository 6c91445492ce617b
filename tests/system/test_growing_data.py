"""The data grows a hundredfold and the statements of a document do not: in each store, and of OpenFGA."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient

from gateway.settings import Settings
from loaders.encode.node_id import decode_node_id, encode_node_id, split_key
from tests.clickhouse_source import source_settings
from tests.system.client import Client
from tests.system.frail import add_source, remove_sources
from tests.system.road import Road, road
from tests.system.stores import Direct

FEW, MANY = 2, 200
SOURCE = "system-growing"
DATABASE = "axion_growing"

POSTGRES = """
query Postgres($code: String!) {
  sense {
    organizations(first: 1, where: {code: {eq: $code}}) {
      totalCount
      nodes {
        trackLogs(first: 1000, orderBy: [{createdAt: DESC}]) {
          totalCount
          aggregate { count }
          nodes { rowId organization { name } frameBatches(first: 2) { totalCount nodes { rowId trackLog { id } } } }
        }
      }
    }
  }
}
"""
CLICKHOUSE = """
query ClickHouse($ids: [UUID!]) {
  sense {
    tracks(first: 1000, where: {rowId: {in: $ids}}) {
      totalCount
      nodes { rowId frameCount frames(first: 3) { totalCount nodes { rowId altitude track { distanceM } } } }
      aggregate { count }
    }
  }
}
"""
WIDE = """
query Wide($ids: [ID!]!) {
  sense { frames(first: 1000, where: {id: {in: $ids}}) { totalCount nodes { id } } }
}
"""
MIXED = """
query Mixed($code: String!, $source: String!) {
  sense {
    trackLogs(first: 1000, where: {organization: {code: {eq: $code}}}) {
      nodes {
        rowId
        track { distanceM organization { code } log { rowId frameBatches(first: 1) { totalCount } } }
        frames(first: 2) { totalCount nodes { rowId } }
      }
    }
  }
  gen {
    datasets(where: {name: {eq: $source}}) {
      nodes {
        name
        table(name: "grown") {
          rows(first: 1000, orderBy: [{column: "id"}]) { nodes totalCount }
          aggregate(groupBy: ["parity"], measures: [{function: COUNT}])
        }
      }
    }
  }
}
"""


@pytest.fixture
async def own(direct: Direct, clickhouse: AsyncClient) -> AsyncIterator[Road]:
    async with road("growing", direct, clickhouse) as made:
        yield made


@pytest.fixture
async def source(
    client: Client, settings: Settings, direct: Direct, clickhouse: AsyncClient, own: Road
) -> AsyncIterator[str]:
    """A remote ClickHouse table `grown`, empty, behind a data source of its own."""
    await clickhouse.command(f"DROP DATABASE IF EXISTS {DATABASE}")
    await clickhouse.command(f"CREATE DATABASE {DATABASE}")
    await clickhouse.command(f"CREATE TABLE {DATABASE}.grown (id Int32, parity Int32) ENGINE = MergeTree ORDER BY id")
    await remove_sources(direct, [SOURCE])
    try:
        await add_source(client, SOURCE, "clickhouse", source_settings(settings, DATABASE))
        yield SOURCE
    finally:
        await remove_sources(direct, [SOURCE])
        await clickhouse.command(f"DROP DATABASE {DATABASE}")


async def _grow(own: Road, rows: int) -> list[str]:
    """Track logs with a batch, an ingested track and a frame each."""
    logs = await own.add_logs([None] * rows)
    await own.add_tracks(logs)
    await own.add_frames(logs, [1.0] * rows)
    return [str(log) for log in logs]


async def _asked(client: Client, document: str, variables: dict[str, Any]) -> tuple[Any, dict[str, int]]:
    """The second answer, when descriptions of remote tables are known, and its statements.

    Verdicts and data sources are kept for a moment only: OpenFGA is asked at most once for each level, for two levels
    here, and a data source is read at most once.
    """
    await client.ask(document, variables)
    answer = await client.ask(document, variables)
    statements = answer.statements
    assert statements.pop("openfga", 0) <= 2
    if "axion_gen" in statements:
        assert statements.pop("axion_gen") in (2, 3)  # the dataset, and again for its table, which needs its source
    return answer.data, statements


async def test_a_postgres_document(client: Client, own: Road) -> None:
    found = []
    for rows in (FEW, MANY - FEW):
        await _grow(own, rows)
        data, calls = await _asked(client, POSTGRES, {"code": own.code})
        (organization,) = data["sense"]["organizations"]["nodes"]
        found.append((len(organization["trackLogs"]["nodes"]), calls))
    assert [count for count, _ in found] == [FEW, MANY]
    assert found[0][1] == found[1][1] == {"axion_sense": 1}


async def test_a_clickhouse_document(client: Client, own: Road) -> None:
    found, ids = [], list[str]()
    for rows in (FEW, MANY - FEW):
        ids += await _grow(own, rows)
        data, calls = await _asked(client, CLICKHOUSE, {"ids": ids})
        found.append((len(data["sense"]["tracks"]["nodes"]), calls))
    assert [count for count, _ in found] == [FEW, MANY]
    # Tracks, their count and aggregate; frames of all tracks and their counts; the tracks of the frames.
    assert found[0][1] == found[1][1] == {"clickhouse": 6}


async def test_ids_of_several_columns(client: Client, own: Road) -> None:
    """A frame's id is its track, its instant and its own key."""
    calls, ids = [], list[str]()
    for rows in (FEW, MANY - FEW):
        logs = await _grow(own, rows)
        answer = await client.ask(
            "query($t: [UUID!]) { sense { frames(first: 1000, where: {trackId: {in: $t}}) { nodes { id } } } }",
            {"t": logs},
        )
        ids += [node["id"] for node in answer.data["sense"]["frames"]["nodes"]]
        data, statements = await _asked(client, WIDE, {"ids": [*ids, ids[0]]})
        assert sorted(node["id"] for node in data["sense"]["frames"]["nodes"]) == sorted(ids)
        calls.append(statements)
    assert len(ids) == MANY
    assert calls == [{"clickhouse": 2}] * 2  # frames and their count
    later = _a_microsecond_later(ids[0])  # than the column can tell apart
    answer = await client.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [later, ids[1]]})
    assert answer.data == {"nodes": [None, {"id": ids[1]}]}


def _a_microsecond_later(frame: str) -> str:
    type_name, key = decode_node_id(frame)
    track, at, id_ = split_key(key, 3)
    moved = datetime.fromisoformat(at) + timedelta(microseconds=1)
    return encode_node_id(type_name, [track, moved.isoformat(), id_])


async def test_a_document_over_all_kinds_of_stores(
    client: Client, own: Road, source: str, clickhouse: AsyncClient
) -> None:
    found, there = [], 0
    for rows in (FEW, MANY - FEW):
        await _grow(own, rows)
        numbers = range(there, there + rows)
        await clickhouse.insert(
            "grown", [(n, n % 2) for n in numbers], database=DATABASE, column_names=["id", "parity"]
        )
        there += rows
        data, calls = await _asked(client, MIXED, {"code": own.code, "source": source})
        logs = data["sense"]["trackLogs"]["nodes"]
        assert all(log["track"]["log"]["rowId"] == log["rowId"] for log in logs)
        (dataset,) = data["gen"]["datasets"]["nodes"]
        found.append((len(logs), len(dataset["table"]["rows"]["nodes"]), calls))
    assert [(logs, remote) for logs, remote, _ in found] == [(FEW, FEW), (MANY, MANY)]
    assert found[0][2] == found[1][2]
    assert found[0][2]["axion_sense"] == 3  # logs, organizations of tracks, logs of tracks with their batches
    assert found[0][2]["clickhouse"] == 3  # tracks of all logs, frames of all logs and their counts


async def test_calls_to_openfga_of_who_is_restricted(client: Client, own: Road) -> None:
    """The stranger sees nothing of it, the analyst other rows: neither pays for rows."""
    for user in ("analyst", "stranger"):
        found = []
        for rows in (FEW, MANY - FEW):
            await _grow(own, rows)
            answer = await client.ask(POSTGRES, {"code": own.code}, user=user)
            assert answer.data["sense"]["organizations"]["nodes"] == []
            found.append(answer.statements.get("openfga", 0))
        assert max(found) <= 2
