"""One document over every kind of store: right in each part, and in a number of statements that rows do not change."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gateway.settings import Settings
from loaders.vectors.local import LocalHashing
from tests.system.client import Client
from tests.system.stores import Direct

DOCUMENT = """
query Everything($workspace: ID!, $first: Int!) {
  gen {
    datasets(where: {name: {in: ["nycflights13", "nycflights13-lake"]}}, orderBy: [{name: ASC}]) {
      totalCount
      nodes { rowId name description createdAt dataSource { name connectorType } }
    }
    lake: datasets(where: {name: {eq: "nycflights13-lake"}}) {
      nodes {
        table(name: "flights") {
          rows(
            first: $first
            select: ["carrier", "flight", "tailnum", "distance", "time_hour", "month"]
            where: {column: "month", eq: 2}
            orderBy: [{column: "time_hour"}, {column: "carrier"}, {column: "flight"}]
          ) { nodes totalCount }
          aggregate(
            groupBy: ["carrier"]
            measures: [
              {function: COUNT, as: "flights"}, {function: AVG, column: "distance", as: "miles"}
              {function: MAX, column: "dep_delay", as: "latest"}
              {function: COUNT_DISTINCT, column: "dest", as: "dests"}
            ]
          )
        }
      }
    }
  }
  sense {
    trackLogs(first: $first) {
      nodes {
        rowId createdAt s3LogKey
        organization { code }
        frameBatches(first: 2) { totalCount nodes { rowId } }
        frames(first: 3) { totalCount nodes { rowId capturedAt lat lon altitude h3IndexRes9 } }
      }
    }
    tracks(first: $first, orderBy: [{frameCount: DESC}]) { nodes { rowId frameCount distanceM log { s3LogKey } } }
  }
  aura {
    search(workspaceId: $workspace, text: "websocket close code", first: $first) {
      nodes { rowId score sourcePath chunkIndex workspace { name } }
    }
  }
}
"""
WORKSPACES = "{ aura { workspaces { nodes { id rowId } } } }"
LAKE = '{ gen { dataSources(where: {name: {eq: "flights-lake"}}) { nodes { rowId } } } }'
IN_GEN = (3, 4)
"""Two lists of datasets and the table's dataset; its data source, when it was last read more than a second ago."""

STATEMENTS = {
    "axion_sense": 2,  # track logs with organizations and batches, logs of the tracks
    "auradb": 1,
    "clickhouse": 3,  # frames of all track logs and their counts, tracks
}
IN_LAKE = 7
"""The description, rows, their count, the groups; the last three list the files anew."""


@pytest.fixture(scope="session")
async def workspace(client: Client) -> str:
    nodes = (await client.ask(WORKSPACES)).data["aura"]["workspaces"]["nodes"]
    (id_,) = [node["id"] for node in nodes]
    return str(id_)


@pytest.fixture(scope="session")
async def answer(client: Client, workspace: str) -> Any:
    variables = {"workspace": workspace, "first": 7}
    return (await client.ask(DOCUMENT, variables)).data


async def test_statements_do_not_grow_with_rows(client: Client, workspace: str) -> None:
    """Warmed first: descriptions of remote tables are kept for a while."""
    await client.ask(DOCUMENT, {"workspace": workspace, "first": 1})
    (lake,) = (await client.ask(LAKE)).data["gen"]["dataSources"]["nodes"]
    for first in (2, 20, 200):
        answer = await client.ask(DOCUMENT, {"workspace": workspace, "first": first})
        assert len(answer.data["sense"]["trackLogs"]["nodes"]) == first
        assert len(answer.data["gen"]["lake"]["nodes"][0]["table"]["rows"]["nodes"]) == first
        statements = answer.statements
        assert statements.pop("axion_gen") in IN_GEN
        assert statements.pop("openfga", 0) <= 2  # a call for each level, unless its verdicts are still known
        assert statements == STATEMENTS | {f"datasource:{lake['rowId']}": IN_LAKE}


def shown(instant: datetime) -> str:
    """RFC 3339 as the API writes it: UTC, and no zeros at the end of a fraction."""
    head, _, zone = instant.astimezone(UTC).isoformat().partition("+")
    return f"{head.rstrip('0').rstrip('.') if '.' in head else head}+{zone}"


async def test_datasets_are_postgres_rows(answer: Any, direct: Direct) -> None:
    rows = await direct.postgres(
        "axion_gen",
        "SELECT d.id, d.name, d.description, d.created_at, s.name AS source, s.connector_type"
        " FROM datasets d JOIN data_sources s ON s.id = d.data_source_id"
        " WHERE d.name IN ('nycflights13', 'nycflights13-lake') ORDER BY d.name",
    )
    assert answer["gen"]["datasets"] == {
        "totalCount": 2,
        "nodes": [
            {
                "rowId": str(row["id"]),
                "name": row["name"],
                "description": row["description"],
                "createdAt": shown(row["created_at"]),
                "dataSource": {"name": row["source"], "connectorType": row["connector_type"]},
            }
            for row in rows
        ],
    }


async def test_rows_of_a_parquet_table(answer: Any, direct: Direct) -> None:
    keys = [("time_hour", "ascending"), ("carrier", "ascending"), ("flight", "ascending")]
    columns = ["carrier", "flight", "tailnum", "distance", "time_hour", "month"]
    table = direct.parquet("lake/nycflights13/flights").to_table(columns, filter=pc.field("month") == 2).sort_by(keys)
    rows = answer["gen"]["lake"]["nodes"][0]["table"]["rows"]
    assert rows["totalCount"] == table.num_rows == 24_951
    expected = table.slice(0, 7).to_pylist()
    assert rows["nodes"] == [row | {"time_hour": row["time_hour"].isoformat()} for row in expected]


async def test_aggregate_of_a_parquet_table(answer: Any, direct: Direct) -> None:
    table = direct.parquet("lake/nycflights13/flights").to_table(["carrier", "distance", "dep_delay", "dest"])
    wanted = [([], "count_all"), ("distance", "mean"), ("dep_delay", "max"), ("dest", "count_distinct")]
    grouped = table.group_by("carrier").aggregate(wanted).sort_by("carrier")
    groups = answer["gen"]["lake"]["nodes"][0]["table"]["aggregate"]
    assert [group["miles"] for group in groups] == pytest.approx(grouped.column("distance_mean").to_pylist())
    assert [(group["carrier"], group["flights"], group["latest"], group["dests"]) for group in groups] == list(
        zip(
            *(grouped.column(name).to_pylist() for name in ("carrier", "count_all", "dep_delay_max")),
            grouped.column("dest_count_distinct").to_pylist(),
            strict=True,
        )
    )


async def test_track_logs_with_their_frames(answer: Any, direct: Direct) -> None:
    """Postgres rows in order of their key, each with its frames in ClickHouse."""
    logs = await direct.postgres(
        "axion_sense",
        "SELECT l.id, l.created_at, l.s3_log_key, o.code,"
        " (SELECT count(*) FROM road_data.frame_batches b WHERE b.track_id = l.id) AS batches"
        " FROM road_data.track_logs l JOIN public.organizations o ON o.id = l.organization_id"
        " ORDER BY l.id LIMIT 7",
    )
    nodes = answer["sense"]["trackLogs"]["nodes"]
    assert [(node["rowId"], node["createdAt"], node["s3LogKey"], node["organization"]["code"]) for node in nodes] == [
        (str(log["id"]), shown(log["created_at"]), log["s3_log_key"], log["code"]) for log in logs
    ]
    assert [node["frameBatches"]["totalCount"] for node in nodes] == [log["batches"] for log in logs]
    assert [len(node["frameBatches"]["nodes"]) for node in nodes] == [min(2, log["batches"]) for log in logs]
    for node in nodes:
        assert node["frames"] == await _frames(direct, node["rowId"])


async def _frames(direct: Direct, track_id: str) -> dict[str, object]:
    rows = await direct.clickhouse(
        "SELECT toString(id) AS key, toUnixTimestamp64Milli(captured_at) AS ms, lat, lon, altitude,"
        " h3ToString(h3_index_res9) AS cell, count() OVER () AS total"
        " FROM frames WHERE track_id = {track:UUID} ORDER BY captured_at, toUInt128(id) LIMIT 3",
        {"track": track_id},
    )
    nodes = [
        {
            "rowId": row["key"],
            "capturedAt": pa.scalar(row["ms"], pa.timestamp("ms", "UTC")).as_py().isoformat(),
            "lat": row["lat"],
            "lon": row["lon"],
            "altitude": row["altitude"],
            "h3IndexRes9": row["cell"],
        }
        for row in rows
    ]
    return {"totalCount": rows[0]["total"], "nodes": nodes}


async def test_tracks_with_their_logs(answer: Any, direct: Direct) -> None:
    """ClickHouse rows, each with its row in Postgres."""
    rows = await direct.clickhouse("SELECT toString(id) AS id, frame_count, distance_m FROM tracks")
    tracks = answer["sense"]["tracks"]["nodes"]
    by_id = {row["id"]: row for row in rows}
    counts = sorted((row["frame_count"] for row in rows), reverse=True)[:7]
    assert [track["frameCount"] for track in tracks] == counts
    for track in tracks:
        row = by_id[track["rowId"]]
        assert (track["frameCount"], track["distanceM"]) == (row["frame_count"], row["distance_m"])
        assert track["log"] == {"s3LogKey": f"log/{track['rowId']}"}


async def test_search_by_similarity(answer: Any, direct: Direct, settings: Settings) -> None:
    """The same order and scores as an exact scan: the index loses nothing of so small a workspace."""
    (vector,) = await LocalHashing(settings.embeddings.dimensions).embed(["websocket close code"])
    rows = await direct.postgres(
        "auradb",
        "SELECT id, source_path, chunk_index, 1 - (embedding <=> $1::text::vector) AS score FROM rag_chunks"
        " WHERE workspace_path = '/samples/starlette' ORDER BY embedding <=> $1::text::vector, id LIMIT 7",
        orjson.dumps([float(component) for component in vector]).decode(),
    )
    nodes = answer["aura"]["search"]["nodes"]
    found = [(node["rowId"], node["sourcePath"], node["chunkIndex"], node["workspace"]["name"]) for node in nodes]
    assert found == [(str(row["id"]), row["source_path"], row["chunk_index"], "starlette") for row in rows]
    assert [node["score"] for node in nodes] == pytest.approx([row["score"] for row in rows], abs=1e-6)
    assert "websocket" in nodes[0]["sourcePath"]
