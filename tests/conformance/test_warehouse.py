"""What every warehouse connector must do, run over each of them against its real server."""

import asyncio
import re
from contextlib import aclosing
from typing import Any

import pyarrow as pa
import pytest
from sqlglot import exp

from loaders.columnar.compile import compile_stream
from loaders.columnar.statement import Statement
from loaders.description import ColumnType, Kind, Table
from loaders.errors import (
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
    UnknownTable,
)
from loaders.ledger import Ledger
from loaders.read import Col, Compare, Computed, Field, Op, OrderBy, Page, Read
from loaders.warehouses.base import Estimates, Warehouse
from tests.conformance.rows import EVERY_TYPE_JSON, LARGE_ROWS, NO_ROWS, comparable
from tests.conformance.subject import NOBODY_LISTENS, STORE, WRONG_SECRET, Subject
from tests.loaders.columnar.reading import read_rows


def fields_of(table: Table) -> tuple[Field, ...]:
    return tuple(Field(column.name, Computed(Col(column.name))) for column in table.columns)


async def statement_of(warehouse: Warehouse, name: str, ledger: Ledger) -> Statement:
    table = await warehouse.describe(name, ledger=ledger)
    return compile_stream(Read(table, fields=fields_of(table)), warehouse.dialect).statement


async def ask(warehouse: Warehouse, call: str, ledger: Ledger) -> None:
    """One of the ways to ask the store; each of them must fail the same."""
    match call:
        case "ping":
            await warehouse.ping(ledger=ledger)
        case "list_tables":
            await warehouse.list_tables(ledger=ledger)
        case "describe":
            await warehouse.describe("large", ledger=ledger)
        case "stream":
            sql = exp.select(exp.alias_("1", "c0")).from_(exp.table_("large", quoted=True)).sql(warehouse.dialect.name)
            await drain(warehouse, Statement(sql, (), ()), ledger)


async def drain(warehouse: Warehouse, statement: Statement, ledger: Ledger, timeout_ms: int = 30_000) -> None:
    async for _ in warehouse.stream(statement, ledger=ledger, timeout_ms=timeout_ms):
        pass


async def failure_of(warehouse: Warehouse, call: str, ledger: Ledger) -> StoreError:
    with pytest.raises(StoreError) as caught:
        await ask(warehouse, call, ledger)
    assert caught.value.store == STORE
    return caught.value


COLUMNS = {
    "id": ColumnType(Kind.INTEGER),
    "flag": ColumnType(Kind.BOOLEAN),
    "big": ColumnType(Kind.BIGINT),
    "unsigned": ColumnType(Kind.BIGINT),
    "ratio": ColumnType(Kind.FLOAT),
    "exact": ColumnType(Kind.NUMERIC),
    "text": ColumnType(Kind.TEXT),
    "day": ColumnType(Kind.DATE),
    "at": ColumnType(Kind.TIMESTAMP),
    "numbers": ColumnType(Kind.ARRAY, element=ColumnType(Kind.BIGINT)),
    "words": ColumnType(Kind.ARRAY, element=ColumnType(Kind.TEXT)),
}


def shown(rows: list[dict[str, Any]], subject: Subject) -> list[dict[str, Any]]:
    return comparable([{name: value for name, value in row.items() if name not in subject.mangled} for row in rows])


CALLS = ["ping", "list_tables", "describe", "stream"]


async def test_ping(warehouse: Warehouse, ledger: Ledger) -> None:
    await warehouse.ping(ledger=ledger)
    assert ledger.stores[STORE].statements >= 1


async def test_tables_are_listed_by_name(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    tables = await warehouse.list_tables(ledger=ledger)
    names = ("every_type", "large", "no_rows", subject.odd_name)
    mine = [table for table in tables if table.name in names]
    assert [table.name for table in mine] == sorted(names)
    assert {table.kind for table in mine} == {"table"}
    assert {table.schema for table in mine} == {None}
    assert all(table.bytes is None or table.bytes >= 0 for table in mine)


async def test_another_schema_is_listed_by_name(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    tables = await warehouse.list_tables(subject.other_space, ledger=ledger)
    assert [(table.schema, table.name) for table in tables] == [(subject.other_space, "elsewhere")]
    table = await warehouse.describe("elsewhere", subject.other_space, ledger=ledger)
    assert await read_rows(Read(table, fields=fields_of(table)), warehouse, ledger) == []


async def test_a_schema_that_does_not_exist_is_empty(warehouse: Warehouse, ledger: Ledger) -> None:
    assert await warehouse.list_tables("no_such_schema", ledger=ledger) == []


@pytest.mark.parametrize("schema", ["..", "a/b", "../axion_conformance_other", "", "x' OR '1'='1"])
async def test_a_schema_name_cannot_reach_out(schema: str, warehouse: Warehouse, ledger: Ledger) -> None:
    tables = await warehouse.list_tables(schema, ledger=ledger)
    assert "elsewhere" not in {table.name for table in tables}


async def test_columns_are_described_in_their_order(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe("every_type", ledger=ledger)
    assert table.store == STORE
    assert table.key == ()
    assert [(column.name, column.type) for column in table.columns] == [
        (name, subject.kinds.get(name, kind)) for name, kind in COLUMNS.items()
    ]
    assert table.column("text").nullable


@pytest.mark.parametrize("name", ["no_such_table", "", "\0", "large\0", "..", "a/b", "large' OR '1'='1"])
async def test_an_unknown_table_is_an_error_of_the_caller(name: str, warehouse: Warehouse, ledger: Ledger) -> None:
    with pytest.raises(UnknownTable):
        await warehouse.describe(name, ledger=ledger)


async def test_values_are_the_same_from_every_store(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe("every_type", ledger=ledger)
    read = Read(table, fields=fields_of(table), order=(OrderBy(Col("id")),))
    assert shown(await read_rows(read, warehouse, ledger), subject) == shown(EVERY_TYPE_JSON, subject)


async def test_odd_names_are_quoted(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe(subject.odd_name, ledger=ledger)
    where = Compare(Col(subject.odd_columns[1]), Op.EQ, "x")
    rows = await read_rows(Read(table, fields=fields_of(table), where=where), warehouse, ledger)
    assert comparable(rows) == comparable([dict(zip(subject.odd_columns, (1, "x", "y"), strict=True))])


async def test_a_value_is_never_sql(warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe("large", ledger=ledger)
    values = ((Op.EQ, "' OR 1=1 --"), (Op.STARTS_WITH, "${x}"))  # Spark would take that for a variable: for nothing
    for op, value in values:
        where = Compare(Col("text"), op, value)
        assert await read_rows(Read(table, fields=fields_of(table), where=where), warehouse, ledger) == []


async def test_no_rows(warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe("no_rows", ledger=ledger)
    assert [column.name for column in table.columns] == NO_ROWS.column_names
    assert [
        batch async for batch in warehouse.stream(await statement_of(warehouse, "no_rows", ledger), ledger=ledger)
    ] == []


async def test_a_page_is_what_was_asked_for(warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe("large", ledger=ledger)
    read = Read(
        table,
        fields=(Field("id", Computed(Col("id"))),),
        where=Compare(Col("id"), Op.GTE, 150_000),
        order=(OrderBy(Col("id"), descending=True),),
        page=Page(limit=3),
    )
    assert [row["id"] for row in await read_rows(read, warehouse, ledger)] == ["199999", "199998", "199997"]


async def test_a_large_table_comes_in_small_batches(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    """200,000 rows of 43 MiB: no batch holds more than a third, and a slow reader makes nothing pile up."""
    statement = await statement_of(warehouse, "large", ledger)
    seen = set()
    rows = most = peak = 0
    before = pa.total_allocated_bytes()
    async for batch in warehouse.stream(statement, ledger=ledger):
        rows += batch.num_rows
        most = max(most, batch.num_rows)
        seen.add(batch.column(0)[0].as_py())
        await asyncio.sleep(0)
        peak = max(peak, pa.total_allocated_bytes() - before)
    assert rows == LARGE_ROWS
    assert most <= 66_000
    assert len(seen) == -(-LARGE_ROWS // most) or len(seen) > 3
    assert peak < (48 if subject.streams_whole else 24) << 20
    assert ledger.stores[STORE].rows >= LARGE_ROWS


async def test_leaving_a_stream_early_ends_the_query(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    statement = await statement_of(warehouse, "large", ledger)
    async with aclosing(warehouse.stream(statement, ledger=ledger)) as batches:
        first = await anext(batches)
    assert first.num_rows > 0
    await subject.ended(warehouse)


async def test_cancelling_the_task_cancels_the_query(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    task = asyncio.create_task(drain(warehouse, subject.endless("large"), ledger))
    await subject.begun(warehouse)
    task.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await task
    await subject.ended(warehouse)
    await warehouse.ping(ledger=ledger)


async def test_a_query_over_its_time_is_cancelled(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    async with asyncio.timeout(15):
        with pytest.raises(StoreTimeout) as caught:
            await drain(warehouse, subject.endless("large"), ledger, timeout_ms=500)
    assert caught.value.store == STORE
    await subject.ended(warehouse)
    assert ledger.stores[STORE].statements >= 1


async def test_the_readers_own_time_does_not_count(warehouse: Warehouse, ledger: Ledger) -> None:
    """It takes longer than the query may, which is given thrice what it took before: this machine may be busy."""
    statement = await statement_of(warehouse, "large", ledger)
    alone = Ledger()
    await drain(warehouse, statement, alone, timeout_ms=120_000)
    timeout_ms = max(2_000, round(3 * alone.stores[STORE].ms))
    rows = 0
    async for batch in warehouse.stream(statement, ledger=ledger, timeout_ms=timeout_ms):
        if rows == 0:
            await asyncio.sleep(timeout_ms / 1000 + 0.5)
        rows += batch.num_rows
    assert rows == LARGE_ROWS


async def test_queries_run_side_by_side(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe("every_type", ledger=ledger)
    read = Read(table, fields=fields_of(table), order=(OrderBy(Col("id")),))
    answers = await asyncio.gather(*(read_rows(read, warehouse, ledger) for _ in range(20)))
    assert [shown(rows, subject) for rows in answers] == [shown(EVERY_TYPE_JSON, subject)] * 20


async def test_a_table_dropped_after_it_was_described(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    await subject.load("short_lived", NO_ROWS)
    statement = await statement_of(warehouse, "short_lived", ledger)
    await subject.drop("short_lived")
    with pytest.raises(UnknownTable):
        await drain(warehouse, statement, ledger)


async def test_a_column_that_is_gone_is_a_failed_query(warehouse: Warehouse, ledger: Ledger) -> None:
    table = await warehouse.describe("no_rows", ledger=ledger)
    sql = compile_stream(Read(table, fields=fields_of(table)), warehouse.dialect).statement.sql
    wrong = re.sub(r"([\"`])text[\"`]", r"\1no_such_column\1", sql)
    assert wrong != sql
    with pytest.raises(StoreQueryFailed) as caught:
        await drain(warehouse, Statement(wrong, (), ()), ledger)
    assert "no_such_column" not in str(caught.value)


@pytest.mark.parametrize("call", CALLS)
async def test_a_server_that_is_down(call: str, subject: Subject, ledger: Ledger) -> None:
    warehouse = subject.open(url=NOBODY_LISTENS)
    async with asyncio.timeout(15):
        error = await failure_of(warehouse, call, ledger)
    await warehouse.close()
    assert isinstance(error, StoreUnavailable)
    assert "127.0.0.1" not in str(error)
    assert ledger.stores[STORE].statements >= 1


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("wrong", ["secret", "user"])
async def test_wrong_credentials(call: str, wrong: str, subject: Subject, ledger: Ledger) -> None:
    warehouse = subject.open(secret=WRONG_SECRET) if wrong == "secret" else subject.open(user="nobody-here")
    error = await failure_of(warehouse, call, ledger)
    await warehouse.close()
    assert isinstance(error, StoreCredentialsRejected)
    assert WRONG_SECRET not in str(error) + repr(error) + repr(warehouse)
    assert "nobody-here" not in str(error)


async def test_a_database_or_bucket_that_does_not_exist(subject: Subject, ledger: Ledger) -> None:
    warehouse = subject.open_missing()
    error = await failure_of(warehouse, "ping", ledger)
    await warehouse.close()
    assert isinstance(error, StoreQueryFailed)


async def test_estimates_come_from_metadata(subject: Subject, warehouse: Warehouse, ledger: Ledger) -> None:
    assert isinstance(warehouse, Estimates) is subject.estimates
    if not isinstance(warehouse, Estimates):
        return
    estimate = await warehouse.estimate("large", ledger=ledger)
    assert estimate.rows == LARGE_ROWS
    assert estimate.bytes is not None
    assert estimate.bytes > 100_000
    with pytest.raises(UnknownTable):
        await warehouse.estimate("no_such_table", ledger=ledger)


async def test_close_can_be_repeated(subject: Subject, ledger: Ledger) -> None:
    warehouse = subject.open()
    await warehouse.ping(ledger=ledger)
    await warehouse.close()
    await warehouse.close()
