"""Filters, orders and groups of ClickHouse tables as GraphQL, against hand-written SQL over the sample's rows."""

from collections.abc import Callable
from typing import Any

import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient

from tests.system.client import Client

VALUES = """
SELECT quantileExact(0.4)(distance_m) AS metres, quantileExact(0.7)(duration_s) AS seconds,
       formatDateTime(quantileExact(0.3)(started_at), '%Y-%m-%dT%H:%i:%S+00:00', 'UTC') AS instant,
       quantileExact(0.5)(frame_count) AS frames, toString(arraySort(groupArray(id))[intDiv(count(), 2)]) AS id,
       argMax(h3_indices, length(h3_indices)) AS cells, any(device_model) AS model
FROM tracks
"""
"""Values of rows in the midst of the others, so that a comparison splits them."""
Where = Callable[[dict[str, Any]], dict[str, Any]]


def _hex(cells: list[int]) -> list[str]:
    return [f"{cell:x}" for cell in cells]


TRACKS: list[tuple[Where, str]] = [
    (lambda v: {"distanceM": {"gt": v["metres"]}}, "distance_m > {metres}"),
    (lambda v: {"durationS": {"lte": v["seconds"]}}, "duration_s <= {seconds}"),
    (lambda v: {"frameCount": {"in": [v["frames"], 1]}}, "frame_count IN ({frames}, 1)"),
    (lambda v: {"frameCount": {"notIn": [v["frames"], 1]}}, "frame_count NOT IN ({frames}, 1)"),
    (
        lambda v: {"startedAt": {"gte": v["instant"]}, "frameCount": {"ne": v["frames"]}},
        "started_at >= parseDateTime64BestEffort('{instant}', 3, 'UTC') AND frame_count <> {frames}",
    ),
    (lambda v: {"startedAt": {"lt": v["instant"]}}, "started_at < parseDateTime64BestEffort('{instant}', 3, 'UTC')"),
    (lambda v: {"rowId": {"gt": v["id"]}}, "id > toUUID('{id}')"),
    (lambda v: {"rowId": {"notIn": [v["id"]]}}, "id <> toUUID('{id}')"),
    (lambda v: {"h3Indices": {"contains": _hex(v["cells"][:1])}}, "has(h3_indices, {cells[0]})"),
    (lambda v: {"h3Indices": {"contains": _hex(v["cells"][:3])}}, "hasAll(h3_indices, arraySlice({cells}, 1, 3))"),
    (lambda v: {"not": {"h3Indices": {"contains": _hex(v["cells"][:1])}}}, "NOT has(h3_indices, {cells[0]})"),
    (lambda v: {"h3Indices": {"containedBy": _hex(v["cells"])}}, "hasAll({cells}, h3_indices)"),
    (
        lambda v: {"or": [{"distanceM": {"lt": v["metres"]}}, {"not": {"frameCount": {"gte": v["frames"]}}}]},
        "distance_m < {metres} OR NOT frame_count >= {frames}",
    ),
]
ORDERS: list[tuple[list[dict[str, str]], str]] = [
    ([{"distanceM": "DESC"}], "distance_m DESC, id"),
    ([{"frameCount": "ASC"}, {"startedAt": "DESC"}], "frame_count, started_at DESC, id"),
    ([{"deviceModel": "DESC"}, {"rowId": "DESC"}], "device_model DESC, id DESC"),
    ([{"isMapMatched": "ASC"}], "is_map_matched, id"),
]
FRAMES: list[tuple[dict[str, Any], str]] = [
    ({"altitude": {"isNull": True}}, "altitude IS NULL"),
    ({"altitude": {"gt": 50}}, "altitude > 50"),
    ({"altitude": {"ne": 50}, "speed": {"isNull": False}}, "altitude <> 50 AND speed IS NOT NULL"),
    ({"not": {"altitude": {"gt": 50}}}, "NOT altitude > 50"),
    ({"lat": {"gte": 48.8, "lt": 48.9}}, "lat >= 48.8 AND lat < 48.9"),
]
"""A comparison with null is unknown, and so is its negation."""
GROUPS: list[tuple[str, str, str]] = [
    (
        "groupBy: [{field: DEVICE_MODEL}], having: {count: {gt: 1}}",
        "key { deviceModel } count",
        "SELECT device_model, count() FROM tracks GROUP BY device_model HAVING count() > 1 ORDER BY device_model",
    ),
    (
        "groupBy: [{field: IS_MAP_MATCHED}, {field: FRAME_COUNT}], first: 9",
        "key { isMapMatched frameCount } count",
        "SELECT is_map_matched, frame_count, count() FROM tracks GROUP BY ALL ORDER BY 1, 2 LIMIT 9",
    ),
    (
        "groupBy: [{field: FRAME_COUNT}], orderBy: [{figure: SUM, field: FRAME_COUNT, direction: DESC}], first: 4",
        "key { frameCount } sum { frameCount }",
        "SELECT frame_count, toString(sum(frame_count)) FROM tracks GROUP BY frame_count"
        " ORDER BY sum(frame_count) DESC, frame_count LIMIT 4",
    ),
]
DOCUMENT = """
query Rows($where: SenseTrackFilter, $orderBy: [SenseTrackOrderBy!]) {
  sense { rows: tracks(first: 1000, where: $where, orderBy: $orderBy) { totalCount nodes { rowId } } }
}
"""
OF_FRAMES = """
query Rows($where: SenseFrameFilter) {
  sense { rows: frames(first: 1000, where: $where, orderBy: [{rowId: ASC}]) { totalCount nodes { rowId } } }
}
"""


@pytest.fixture
async def values(client: Client, clickhouse: AsyncClient) -> dict[str, Any]:
    (row,) = (await clickhouse.query(VALUES)).named_results()
    return dict(row)


async def _ids(clickhouse: AsyncClient, table: str, rest: str) -> list[str]:
    return [row[0] for row in (await clickhouse.query(f"SELECT toString(id) FROM {table} {rest}")).result_rows]


@pytest.mark.parametrize(("where", "sql"), TRACKS, ids=[sql for _, sql in TRACKS])
async def test_where(client: Client, clickhouse: AsyncClient, values: dict[str, Any], where: Where, sql: str) -> None:
    found = (await client.ask(DOCUMENT, {"where": where(values)})).data["sense"]["rows"]
    expected = await _ids(clickhouse, "tracks", f"WHERE {sql.format(**values)} ORDER BY id")
    assert [node["rowId"] for node in found["nodes"]] == expected
    assert found["totalCount"] == len(expected)
    assert 0 < len(expected) < len(await _ids(clickhouse, "tracks", ""))


@pytest.mark.parametrize(("where", "sql"), FRAMES, ids=[sql for _, sql in FRAMES])
async def test_where_with_nulls(client: Client, clickhouse: AsyncClient, where: dict[str, Any], sql: str) -> None:
    found = (await client.ask(OF_FRAMES, {"where": where})).data["sense"]["rows"]
    expected = await _ids(clickhouse, "frames", f"WHERE {sql} ORDER BY id")
    assert [node["rowId"] for node in found["nodes"]] == expected[:1000]
    assert found["totalCount"] == len(expected) > 0


@pytest.mark.parametrize(("order_by", "sql"), ORDERS, ids=[sql for _, sql in ORDERS])
async def test_order(client: Client, clickhouse: AsyncClient, order_by: list[dict[str, str]], sql: str) -> None:
    found = (await client.ask(DOCUMENT, {"orderBy": order_by})).data["sense"]["rows"]["nodes"]
    assert [node["rowId"] for node in found] == await _ids(clickhouse, "tracks", f"ORDER BY {sql}")


@pytest.mark.parametrize(("arguments", "fields", "sql"), GROUPS, ids=[case[0] for case in GROUPS])
async def test_groups(client: Client, clickhouse: AsyncClient, arguments: str, fields: str, sql: str) -> None:
    document = f"{{ sense {{ tracks {{ aggregate({arguments}) {{ {fields} }} }} }} }}"
    groups = (await client.ask(document)).data["sense"]["tracks"]["aggregate"]
    assert [tuple(_leaves(group)) for group in groups] == list((await clickhouse.query(sql)).result_rows)
    assert groups


def _leaves(value: Any) -> list[Any]:
    return [leaf for below in value.values() for leaf in _leaves(below)] if isinstance(value, dict) else [value]
