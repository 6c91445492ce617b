"""Raw SQL on each connector's real server: the SQL that runs is the SQL that was checked, bounded and cancellable."""

import asyncio
from contextlib import aclosing

import pytest

from loaders.columnar.statement import Statement
from loaders.errors import StoreQueryFailed, StoreTimeout
from loaders.ledger import Ledger
from loaders.raw_sql.answer import collect_rows
from loaders.raw_sql.query import RawQuery
from loaders.raw_sql.reason import with_reason
from loaders.warehouses.base import Forecasts, Query, Scanned, Warehouse
from tests.conformance.subject import STORE, Subject

ODD = (
    "it's",
    "a\\b",
    "\\",
    "\\'",
    "''",
    '"',
    "`",
    "%_",
    "line\nbreak",
    "tab\tstop",
    "é漢😀",
    "-- no",
    "/* no */",
    ";",
    "?",
    "{x:Int8}",
    "$1",
    ":p0",
    "\\x41",
    "\\u0041",
    "&#39;",
    "${x}",
)

UNESCAPED_TWICE = ("\\x41", "\\u0041")
"""By local-bigquery, unlike BigQuery."""


async def spelled(warehouse: Warehouse, text: str, ledger: Ledger, *, limit: int | None = None) -> Query:
    raw = RawQuery(text, warehouse.dialect.name)
    found = {ref: await warehouse.describe(ref.name, ref.schema, ledger=ledger) for ref in raw.tables}
    return Query(raw.to_sql(found, limit=limit), tuple(found.values()))


async def rows(warehouse: Warehouse, text: str, ledger: Ledger) -> list[dict[str, object]]:
    async with aclosing(warehouse.query(await spelled(warehouse, text, ledger), ledger=ledger)) as batches:
        return [row async for batch in batches for row in batch.to_pylist()]


async def test_raw_sql_is_answered(warehouse: Warehouse, ledger: Ledger) -> None:
    counted = await rows(warehouse, "SELECT count(*) AS n, min(id) AS low, max(id) AS high FROM large", ledger)
    assert [{name: int(str(value)) for name, value in row.items()} for row in counted] == [
        {"n": 200_000, "low": 0, "high": 199_999}
    ]
    joined = """
        WITH few AS (SELECT id FROM large WHERE id < 3), other AS (SELECT few.id AS id FROM few WHERE few.id > 0)
        SELECT o.id AS id, (SELECT count(*) FROM no_rows) AS none FROM other AS o ORDER BY o.id DESC
    """
    found = await rows(warehouse, joined, ledger)
    assert [(int(str(row["id"])), int(str(row["none"]))) for row in found] == [(2, 0), (1, 0)]
    assert ledger.stores[STORE].statements >= 2


async def test_raw_sql_without_rows_has_columns(warehouse: Warehouse, ledger: Ledger) -> None:
    query = await spelled(warehouse, "SELECT id, text FROM every_type WHERE 1 = 0", ledger)
    async with aclosing(warehouse.query(query, ledger=ledger)) as batches:
        found = await collect_rows(batches, limit=5)
    assert [column.name for column in found.columns] == ["id", "text"]
    assert (found.text, found.truncated) == (b"[]", False)


async def test_a_raw_literal_is_what_was_written(warehouse: Warehouse, ledger: Ledger) -> None:
    """Whatever it holds, and however the engine escapes: it ends where it was judged to end."""
    name = warehouse.dialect.name
    odd = [text for text in ODD if not (name == "axionbigquery" and text in UNESCAPED_TWICE)]
    escaped = [text.replace("\\", "\\\\") if name != "duckdb" else text for text in odd]
    written = [text.replace("'", "''" if name in ("duckdb", "clickhouse") else "\\'") for text in escaped]
    chosen = ", ".join(f"'{text}' AS c{n}" for n, text in enumerate(written))
    (found,) = await rows(warehouse, f"SELECT {chosen}", ledger)
    assert list(found.values()) == odd


async def test_raw_sql_is_cut_and_ended(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    query = await spelled(warehouse, "SELECT id FROM large", ledger)
    async with aclosing(warehouse.query(query, ledger=ledger)) as batches:
        found = await collect_rows(batches, limit=7)
    assert (len(found.rows), found.truncated) == (7, True)
    await subject.ended(warehouse)


async def test_raw_sql_ends_in_time(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe("large", ledger=ledger)
    query = Query(subject.endless("large").sql, (table,))
    with pytest.raises(StoreTimeout):
        async for _ in warehouse.query(query, ledger=ledger, timeout_ms=400):
            pass
    await subject.ended(warehouse)


async def test_raw_sql_ends_with_its_reader(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe("large", ledger=ledger)
    query = Query(subject.endless("large").sql, (table,))

    async def read() -> None:
        async with aclosing(warehouse.query(query, ledger=ledger)) as batches:
            async for _ in batches:
                pass

    reader = asyncio.create_task(read())
    await subject.begun(warehouse)
    reader.cancel()
    await asyncio.wait([reader])
    assert reader.cancelled()
    await subject.ended(warehouse)


async def test_what_only_the_engine_knows_is_its_failure(
    subject: Subject, warehouse: Warehouse, ledger: Ledger
) -> None:
    with pytest.raises(StoreQueryFailed) as caught:
        await rows(warehouse, "SELECT no_such_column FROM large", ledger)
    told = str(with_reason(caught.value))
    assert "no_such_column" in told or warehouse.dialect.name == "axionimpala"
    assert "\n" not in told
    assert "://" not in told
    assert not subject.settings().get("project") or str(subject.settings()["project"]) not in told
    assert len(told) < 400


async def test_a_forecast_reads_nothing(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    if not isinstance(warehouse, Forecasts):
        assert not subject.estimates
        return
    table = await warehouse.describe("large", ledger=ledger)
    query = await spelled(warehouse, "SELECT id FROM large WHERE id < 10", ledger)
    found = await warehouse.forecast(Statement(query.sql, (), ()), [Scanned(table, ("id",))], ledger=ledger)
    whole = await warehouse.forecast(
        Statement(query.sql, (), ()), [Scanned(table, tuple(column.name for column in table.columns))], ledger=ledger
    )
    assert found.bytes is not None
    assert whole.bytes is not None
    assert 0 <= found.bytes <= whole.bytes
    assert ledger.stores[STORE].rows == 0 or warehouse.dialect.name == "clickhouse"  # whose metadata are rows
