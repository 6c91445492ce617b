"""Behaviour of BigQuery alone: bytes are reported and limited, jobs are cancelled, and only service accounts are
accepted.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import orjson
import pytest
from aiohttp import web

from deploy.local.servers.bigquery import Address
from loaders.errors import BadInput, StoreQueryFailed, StoreUnavailable
from loaders.ledger import Ledger
from loaders.read import Read
from loaders.warehouses.base import Estimates, Warehouse
from loaders.warehouses.connectors import connector
from tests.conformance.bigquery_front import Front
from tests.conformance.rows import LARGE, LARGE_ROWS, NO_ROWS
from tests.conformance.subject import STORE
from tests.conformance.subjects.bigquery import BigQuerySubject
from tests.conformance.test_warehouse import drain, fields_of, statement_of
from tests.loaders.columnar.reading import read_rows
from tests.waiting import until

KEY = orjson.loads(Front("").service_account())
SETTINGS = {"project": "a-project", "dataset": "d", "service_account": orjson.dumps(KEY).decode()}


class Subject(BigQuerySubject):
    space = "axion_bigquery"
    other_space = "axion_bigquery_other"

    async def run(self, sql: str) -> None:
        await asyncio.to_thread(lambda: self._client.query(sql, job_retry=None).result())


@pytest.fixture(scope="module")
async def subject(bigquery: Address) -> AsyncIterator[Subject]:
    made = Subject(bigquery)
    await made.prepare()
    await made.load("large", LARGE)
    await made.load("no_rows", NO_ROWS)
    yield made
    await made.close()


async def test_bytes_are_those_of_a_dry_run(subject: Subject) -> None:
    warehouse = subject.open()
    assert isinstance(warehouse, Estimates)
    estimate = await warehouse.estimate("large", ledger=Ledger())
    await warehouse.close()
    assert estimate.bytes == subject.front.bytes_told[-1] > 1_000_000
    assert subject.front.jobs[-1]["configuration"]["dryRun"] is True


async def test_a_query_over_its_bytes_is_refused(subject: Subject) -> None:
    warehouse = subject.opened({**subject.settings(), "maximum_bytes_billed": 1_000})
    ledger = Ledger()
    statement = await statement_of(warehouse, "large", ledger)
    with pytest.raises(StoreQueryFailed, match="more than `maximum_bytes_billed` allows"):
        await drain(warehouse, statement, ledger)
    await warehouse.close()


@pytest.mark.parametrize("location", [None, "europe-west3"])
async def test_a_cancelled_job_is_stopped(
    subject: Subject, location: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject.front, "location", location)
    warehouse = subject.open()
    task = asyncio.create_task(drain(warehouse, subject.endless("large"), Ledger()))
    await subject.begun(warehouse)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await subject.ended(warehouse)
    await warehouse.close()
    assert await subject.last_error() == "stopped"


async def test_a_cancel_that_is_lost_is_asked_for_again(subject: Subject) -> None:
    warehouse = subject.open()
    task = asyncio.create_task(drain(warehouse, subject.endless("large"), Ledger()))
    await until(lambda: is_running(subject, warehouse))
    subject.front.deaf = 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: is_still(subject, warehouse))
    await warehouse.close()
    assert subject.front.deaf == 0
    assert await subject.last_error() == "stopped"


async def is_running(subject: Subject, warehouse: Warehouse) -> bool:
    return await subject.running(warehouse) > 0


async def is_still(subject: Subject, warehouse: Warehouse) -> bool:
    return not await subject.running(warehouse)


@pytest.mark.parametrize("location", [None, "europe-west3"])
async def test_a_job_whose_insertion_was_not_answered_is_taken(
    subject: Subject, location: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject.front, "location", location)
    warehouse = subject.open()
    statement = await statement_of(warehouse, "large", Ledger())
    answers = iter([503])

    async def spoiled(request: web.Request) -> int | None:
        return next(answers, None) if is_insertion(request) else None

    ledger = Ledger()
    subject.front.spoiled = spoiled
    before = len(subject.front.jobs)
    try:
        await drain(warehouse, statement, ledger)
    finally:
        subject.front.spoiled = None
    await warehouse.close()
    first, second = subject.front.jobs[before:]
    assert first["jobReference"] == second["jobReference"]
    assert ledger.stores[STORE].rows == LARGE_ROWS


def is_insertion(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith("/jobs")


@pytest.mark.parametrize("location", [None, "europe-west3"])
@pytest.mark.parametrize("lost", ["insertion", "state"])
async def test_a_job_that_was_lost_sight_of_is_stopped(
    subject: Subject, lost: str, location: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it runs: outside of the US and EU a job is found by who names its location only."""
    monkeypatch.setattr(subject.front, "location", location)
    warehouse = subject.open()
    statement = subject.endless("large")

    async def spoiled(request: web.Request) -> int | None:
        if not (is_insertion(request) if lost == "insertion" else request.method == "GET"):
            return None
        await until(lambda: is_running(subject, warehouse))
        return 0

    subject.front.spoiled = spoiled
    before = len(subject.front.jobs)
    try:
        with pytest.raises(StoreUnavailable):
            await drain(warehouse, statement, Ledger())
    finally:
        subject.front.spoiled = None
    await until(lambda: is_still(subject, warehouse))
    await warehouse.close()
    assert len(subject.front.jobs) == before + 1
    assert await subject.last_error() == "stopped"


async def test_a_job_is_stopped_after_its_warehouse_was_closed(subject: Subject) -> None:
    warehouse = subject.open()
    task = asyncio.create_task(drain(warehouse, subject.endless("large"), Ledger()))
    await until(lambda: is_running(subject, warehouse))
    await warehouse.close()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: is_still(subject, warehouse))
    assert await subject.last_error() == "stopped"


async def test_nested_columns_are_read(subject: Subject) -> None:
    """Intervals, and records with one in them, are left out, and fail no table."""
    columns = {
        "id": ("INT64", "1"),
        "one": ("STRUCT<a INT64, b STRING>", "STRUCT(1, 'x\"y')"),
        "many": ("ARRAY<STRUCT<a INT64, at TIMESTAMP>>", "[STRUCT(1, TIMESTAMP '2024-01-01 10:00:00+00')]"),
        "deep": ("STRUCT<x ARRAY<STRUCT<n NUMERIC, b BYTES>>>", "STRUCT([STRUCT(NUMERIC '1.5', b'ab')])"),
        "texts": ("ARRAY<STRING>", "['a', 'b']"),
        "gone": ("INTERVAL", "INTERVAL 1 DAY"),
        "gone_too": ("STRUCT<i INTERVAL>", "STRUCT(INTERVAL 1 DAY)"),
    }
    table = f"{subject.space}.nested"
    declared = ", ".join(f"{name} {type_}" for name, (type_, _) in columns.items())
    await subject.run(f"CREATE TABLE {table} ({declared})")
    values = ", ".join(value for _, value in columns.values())
    await subject.run(f"INSERT INTO {table} VALUES ({values})")
    warehouse = subject.open()
    described = await warehouse.describe("nested", ledger=Ledger())
    rows = await read_rows(Read(described, fields=fields_of(described)), warehouse, Ledger())
    await warehouse.close()
    assert rows == [
        {
            "id": "1",
            "one": {"a": 1, "b": 'x"y'},
            "many": [{"a": 1, "at": "2024-01-01T10:00:00+00:00"}],
            "deep": {"x": [{"n": "1.500000000", "b": "YWI="}]},
            "texts": ["a", "b"],
        }
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"service_account": "no json"}, "must be the JSON of a service account's key"),
        ({"service_account": orjson.dumps(KEY | {"type": "external_account"}).decode()}, "other kinds"),
        ({"service_account": orjson.dumps(KEY | {"private_key": "x"}).decode()}, "a private key in PEM"),
        ({"service_account": '{"type": "service_account"}'}, "must hold client_email"),
        ({"service_account": orjson.dumps(KEY | {"universe_domain": "x.example"}).decode()}, "another than googleapis"),
        ({"project": "../x"}, "`project`"),
        ({"dataset": "a.b"}, "`dataset`"),
        ({"endpoint": "http://127.0.0.1:1"}, "give `endpoint` and `storage_endpoint`, or neither"),
        ({"maximum_bytes_billed": 0}, "`maximum_bytes_billed`"),
    ],
)
def test_a_wrong_setting_is_told(change: dict[str, object], reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as caught:
        connector("bigquery").split(SETTINGS | change)
    assert "PRIVATE" not in str(caught.value)
