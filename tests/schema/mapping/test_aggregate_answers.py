"""Aggregates of the sample data, asked as GraphQL by a member of one organization, against hand-written SQL."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import asyncpg
import orjson
import pytest
from sqlalchemy.engine import make_url

from gateway.http.operations import Operations
from gateway.http.request import GraphQLRequest
from gateway.lifespan import open_runtime
from gateway.settings import Settings
from resolvers.subject import Subject
from schema.build import build, graphql_schema
from tests.system.conftest import env_file, sample_data

__all__ = ["env_file", "sample_data"]  # fixtures

Ask = Callable[[str], Awaitable[Any]]
Sql = Callable[[str], Awaitable[list[dict[str, Any]]]]
ANALYST = Subject("demo|analyst", email="analyst@demo.example")
DAYS = """
SELECT date_trunc('day', created_at, 'Europe/Berlin') AS day, count(*) AS n, count(DISTINCT s3_log_key) AS keys,
       min(created_at) AS first, max(created_at) AS last
FROM road_data.track_logs WHERE organization_id = {own} GROUP BY 1 HAVING count(*) > 4 ORDER BY 1
"""
BATCHES = """
SELECT t.id::text AS track, f.status, count(*) AS n FROM road_data.track_logs t
JOIN road_data.frame_batches f ON f.track_id = t.id WHERE t.organization_id = {own} GROUP BY 1, 2 ORDER BY 1, 2
"""
FIGURES = """
SELECT toString(toStartOfMonth(started_at, 'Europe/Berlin')) AS month, count() AS n, sum(distance_m) AS sum,
       avg(distance_m) AS avg, stddevSamp(distance_m) AS stddev, quantileExactInclusive(0.9)(distance_m) AS p90,
       min(frame_count) AS least, uniqExact(device_model) AS models
FROM tracks WHERE organization_id = {own} GROUP BY month ORDER BY month
"""
HOURS = """
SELECT toUnixTimestamp(toStartOfHour(captured_at)) AS hour, count() AS n, max(speed) AS top
FROM frames WHERE organization_id = {own} GROUP BY hour HAVING n > 1000 ORDER BY hour LIMIT 20
"""

FULLEST = """
SELECT toString(track_id) AS track, toUnixTimestamp(toStartOfMinute(captured_at)) AS minute, count() AS n
FROM frames WHERE organization_id = {own} GROUP BY track, minute ORDER BY track, n DESC, minute LIMIT 2 BY track
"""
LATEST = """
SELECT date_trunc('minute', created_at) AS at, count(*) AS n FROM road_data.track_logs
WHERE organization_id = {own} GROUP BY 1 ORDER BY 1 DESC LIMIT 3
"""


@pytest.fixture(scope="module")
async def ask(settings: Settings, sample_data: None) -> AsyncIterator[Ask]:
    operations = Operations(graphql_schema(build()), settings.limits)
    async with open_runtime(settings) as runtime:

        async def answered(document: str) -> Any:
            request = GraphQLRequest(query=document, operation_name=None, variables=None, extensions=None)
            context = runtime.new_context(ANALYST, "test", None)
            answer = operations.run(operations.prepare(request), request, context, with_stores=True)
            body = (await answer if inspect.isawaitable(answer) else answer).body
            return orjson.loads(orjson.dumps(body, default=str))

        yield answered


@pytest.fixture(scope="module")
async def own(admin_url: str, sample_data: None) -> AsyncIterator[tuple[Sql, int]]:
    """SQL on `axion_sense` past the gateway, and the one organization the analyst is a member of."""
    url = make_url(admin_url).set(database="axion_sense").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url, server_settings={"TimeZone": "UTC"})
    organization = await connection.fetchval("SELECT id FROM organizations WHERE code = 'south'")

    async def fetched(sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await connection.fetch(sql.format(own=organization))]

    yield fetched, organization
    await connection.close()


@pytest.fixture
async def clickhouse(settings: Settings, own: tuple[Sql, int]) -> AsyncIterator[Sql]:
    given = settings.clickhouse
    caller = {"X-ClickHouse-User": given.username, "X-ClickHouse-Key": given.password.get_secret_value()}
    async with aiohttp.ClientSession(headers=caller) as http:

        async def fetched(sql: str) -> list[dict[str, Any]]:
            asked = sql.format(own=own[1]) + " FORMAT JSONEachRow"
            parameters = {"database": given.database, "output_format_json_quote_64bit_integers": "0"}
            async with http.post(given.url, params=parameters, data=asked) as response:
                assert response.status == 200, await response.text()
                return [orjson.loads(line) for line in (await response.text()).splitlines()]

        yield fetched


async def test_days_of_postgres(ask: Ask, own: tuple[Sql, int]) -> None:
    answer = await ask(
        """{ sense { trackLogs { aggregate(
            groupBy: [{field: CREATED_AT, truncate: DAY, timeZone: "Europe/Berlin"}], having: {count: {gt: 4}}
        ) { key { createdAt } count countDistinct { s3LogKey } min { createdAt } max { createdAt } } } } }"""
    )
    rows = await own[0](DAYS)
    assert rows
    assert answer["data"]["sense"]["trackLogs"]["aggregate"] == [
        {
            "key": {"createdAt": row["day"].isoformat()},
            "count": row["n"],
            "countDistinct": {"s3LogKey": row["keys"]},
            "min": {"createdAt": row["first"].isoformat()},
            "max": {"createdAt": row["last"].isoformat()},
        }
        for row in rows
    ]
    assert answer["extensions"]["stores"]["axion_sense"]["statements"] == 1


async def test_groups_of_each_parent_are_one_statement(ask: Ask, own: tuple[Sql, int]) -> None:
    answer = await ask(
        """{ sense { organizations(first: 2) { nodes { trackLogs(first: 300) { nodes { rowId frameBatches {
            aggregate(groupBy: [{field: STATUS}]) { key { status } count }
        } } } } } } }"""
    )
    (south,) = answer["data"]["sense"]["organizations"]["nodes"]
    found = [
        {"track": log["rowId"], "status": group["key"]["status"].lower(), "n": group["count"]}
        for log in sorted(south["trackLogs"]["nodes"], key=lambda log: str(log["rowId"]))
        for group in log["frameBatches"]["aggregate"]
    ]
    rows = await own[0](BATCHES)
    assert rows
    assert found == rows
    assert answer["extensions"]["stores"]["axion_sense"]["statements"] == 1


async def test_figures_of_clickhouse(ask: Ask, clickhouse: Sql) -> None:
    answer = await ask(
        """{ sense { tracks { aggregate(
            groupBy: [{field: STARTED_AT, truncate: MONTH, timeZone: "Europe/Berlin"}]
        ) { count sum { distanceM } avg { distanceM } stddev { distanceM } p90: percentile(p: 0.9) { distanceM }
            min { frameCount } countDistinct { deviceModel } } } } }"""
    )
    rows = await clickhouse(FIGURES)
    assert rows
    groups = answer["data"]["sense"]["tracks"]["aggregate"]
    assert [(g["count"], g["min"]["frameCount"], g["countDistinct"]["deviceModel"]) for g in groups] == [
        (row["n"], row["least"], row["models"]) for row in rows
    ]
    for group, row in zip(groups, rows, strict=True):
        for name in ("sum", "avg", "stddev", "p90"):
            assert group[name]["distanceM"] == pytest.approx(row[name], rel=1e-9)


async def test_hours_of_clickhouse_with_having_and_first(ask: Ask, clickhouse: Sql) -> None:
    answer = await ask(
        """{ sense { frames { aggregate(
            groupBy: [{field: CAPTURED_AT, truncate: HOUR}], having: {count: {gt: 1000}}, first: 20
        ) { key { capturedAt } count max { speed } } } } }"""
    )
    rows = await clickhouse(HOURS)
    assert rows
    found = answer["data"]["sense"]["frames"]["aggregate"]
    assert [(group["key"]["capturedAt"], group["count"]) for group in found] == [
        (datetime.fromtimestamp(row["hour"], UTC).isoformat(), row["n"]) for row in rows
    ]
    assert [group["max"]["speed"] for group in found] == [pytest.approx(row["top"], rel=1e-6) for row in rows]


async def test_the_fullest_hours_of_each_track(ask: Ask, clickhouse: Sql) -> None:
    answer = await ask(
        """{ sense { tracks(first: 20) { nodes { rowId frames { aggregate(
            groupBy: [{field: CAPTURED_AT, truncate: MINUTE}], orderBy: [{figure: COUNT, direction: DESC}], first: 2
        ) { key { capturedAt } count } } } } } }"""
    )
    tracks = answer["data"]["sense"]["tracks"]["nodes"]
    rows = await clickhouse(FULLEST)
    assert tracks
    for track in tracks:
        found = [(group["key"]["capturedAt"], group["count"]) for group in track["frames"]["aggregate"]]
        minutes = [(row["minute"], row["n"]) for row in rows if row["track"] == track["rowId"]]
        assert found == [(datetime.fromtimestamp(minute, UTC).isoformat(), n) for minute, n in minutes]
    assert answer["extensions"]["stores"]["clickhouse"]["statements"] == 2


async def test_the_latest_days_come_first_where_asked(ask: Ask, own: tuple[Sql, int]) -> None:
    answer = await ask(
        """{ sense { trackLogs { aggregate(groupBy: [{field: CREATED_AT, truncate: MINUTE}], first: 3,
            orderBy: [{figure: KEY, field: CREATED_AT, direction: DESC}]) { key { createdAt } count } } } }"""
    )
    rows = await own[0](LATEST)
    assert rows
    assert answer["data"]["sense"]["trackLogs"]["aggregate"] == [
        {"key": {"createdAt": row["at"].isoformat()}, "count": row["n"]} for row in rows
    ]


async def test_more_groups_than_are_answered_are_an_error_of_their_store(ask: Ask, own: tuple[Sql, int]) -> None:
    answer = await ask("{ sense { frames { aggregate(groupBy: [{field: ROW_ID}]) { count } } } }")
    assert answer["data"]["sense"]["frames"] is None
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["sense", "frames"], "PAGE_TOO_LARGE")


async def test_groups_of_each_row_of_a_list_are_few_unless_first_is_given(ask: Ask, own: tuple[Sql, int]) -> None:
    by_frame = "frames { aggregate(groupBy: [{field: ROW_ID}]%s) { count } }"
    answer = await ask(f"{{ sense {{ tracks(first: 2) {{ nodes {{ {by_frame % ''} }} }} }} }}")
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"PAGE_TOO_LARGE"}
    answer = await ask(f"{{ sense {{ tracks(first: 2) {{ nodes {{ {by_frame % ', first: 101'} }} }} }} }}")
    assert [len(track["frames"]["aggregate"]) for track in answer["data"]["sense"]["tracks"]["nodes"]] == [101, 101]
    answer = await ask(f"{{ sense {{ tracks(first: 20) {{ nodes {{ {by_frame % ', first: 10000'} }} }} }} }}")
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "COST_EXCEEDED"
    (track,) = (await ask("{ sense { tracks(first: 1) { nodes { id } } } }"))["data"]["sense"]["tracks"]["nodes"]
    answer = await ask(f'{{ sense {{ track(id: "{track["id"]}") {{ {by_frame % ""} }} }} }}')
    assert len(answer["data"]["sense"]["track"]["frames"]["aggregate"]) > 100


async def test_a_stranger_s_groups_are_of_no_rows(settings: Settings, sample_data: None) -> None:
    operations = Operations(graphql_schema(build()), settings.limits)
    document = "{ sense { tracks { aggregate { count } by: aggregate(groupBy: [{field: DEVICE_OS}]) { count } } } }"
    request = GraphQLRequest(query=document, operation_name=None, variables=None, extensions=None)
    async with open_runtime(settings) as runtime:
        context = runtime.new_context(Subject("demo|stranger", email="stranger@demo.example"), "test", None)
        answer = operations.run(operations.prepare(request), request, context)
        body = (await answer if inspect.isawaitable(answer) else answer).body
    tracks = orjson.loads(orjson.dumps(body, default=str))["data"]["sense"]["tracks"]
    assert tracks == {"aggregate": [{"count": 0}], "by": []}
