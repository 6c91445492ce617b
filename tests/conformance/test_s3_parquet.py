"""Behaviour of folders of files: a file that does not fit the others or is not Parquet, and unusual names."""

import asyncio
import gc
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from loaders.errors import Code, StoreQueryFailed
from loaders.ledger import Ledger
from loaders.read import Read
from loaders.warehouses import s3_files
from loaders.warehouses.base import Query
from loaders.warehouses.duckdb_run import DuckDbRun
from loaders.warehouses.s3_errors import said_of_files
from loaders.warehouses.s3_files import BoundedDataset, TableFiles, open_dataset
from loaders.warehouses.s3_parquet import S3Parquet
from tests.conformance.subjects.s3_parquet import S3ParquetSubject, S3Server
from tests.conformance.test_warehouse import fields_of
from tests.loaders.columnar.reading import read_rows

ONE = pa.table({"id": [1], "note": ["a"]})


class Subject(S3ParquetSubject):
    bucket = "axion-misfit"

    def tear(self, name: str, *, file: str, footer: bytes = b"") -> None:
        """No Parquet; or one whose footer is this."""
        framed = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
        with self._files.open_output_stream(f"{self.bucket}/{self.space}/{name}/{file}") as stream:
            stream.write(framed if footer else b"no Parquet at all")


@pytest.fixture
async def subject(s3: S3Server) -> AsyncIterator[Subject]:
    made = Subject(s3)
    await made.prepare()
    await made.load("day", ONE)
    yield made
    await made.prepare()


@pytest.mark.parametrize(
    ("file", "footer", "told"),
    [
        ("z=1/late", b"", "column 'id' of the file 'late.parquet'"),
        (None, b"", "the file 'x.parquet' is not valid Parquet"),
        (None, b"\xff" * 64, "the file 'x.parquet' is not valid Parquet"),
    ],
)
async def test_a_file_that_does_not_fit_is_named(subject: Subject, file: str | None, footer: bytes, told: str) -> None:
    """To all who ask meanwhile, those who gave up among them; no failure is left that nobody took."""
    left: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: left.append(context))
    warehouse = subject.open()
    table = await warehouse.describe("day", ledger=Ledger())
    if file is None:
        subject.tear("day", file="x.parquet", footer=footer)
    else:
        subject.add("day", ONE.set_column(0, "id", pa.array(["one"])), file=file)

    async def read() -> None:
        async for _ in warehouse.query(Query('SELECT * FROM "day"', (table,)), ledger=Ledger()):
            pass

    gone = asyncio.create_task(read())
    await asyncio.sleep(0)
    gone.cancel()
    asked = await asyncio.gather(
        read(), warehouse.describe("day", ledger=Ledger()), read(), gone, return_exceptions=True
    )
    await warehouse.close()
    for failure in asked[:3]:
        assert isinstance(failure, StoreQueryFailed)
        assert failure.code is Code.STORE_QUERY_FAILED
        assert told in str(failure)
        assert "take it out" in str(failure)
        assert "z=" not in str(failure)
    assert isinstance(asked[3], asyncio.CancelledError)
    del asked, gone
    gc.collect()
    loop.set_exception_handler(None)
    assert left == []


@pytest.mark.parametrize(("first", "second"), [("Name", "nAME"), ("k", "K")])
async def test_columns_that_differ_in_case_only_are_refused(subject: Subject, first: str, second: str) -> None:
    """DuckDB would answer the values of one for the other, which curation may hide."""
    await subject.load("cased", pa.table({first: ["a"], second: ["b"]}))
    warehouse = subject.open()
    with pytest.raises(StoreQueryFailed, match=f"'{first}' and '{second}' differ in case only"):
        await warehouse.describe("cased", ledger=Ledger())
    await warehouse.close()


async def test_columns_without_a_reading_fail_no_table(subject: Subject) -> None:
    huge = pa.decimal256(60, 2)
    await subject.load(
        "huge",
        pa.table(
            {
                "id": [1],
                "huge": pa.array([Decimal("1" * 50)], huge),
                "in_a_struct": pa.array([{"a": Decimal(1)}], pa.struct([("a", huge)])),
                "in_a_list": pa.array([[Decimal(1)]], pa.list_(huge)),
                "widest": pa.array([Decimal("9" * 38)], pa.decimal128(38, 0)),
            }
        ),
    )
    warehouse = subject.open()
    table = await warehouse.describe("huge", ledger=Ledger())
    assert await read_rows(Read(table, fields=fields_of(table)), warehouse, Ledger()) == [
        {"id": "1", "widest": "9" * 38}
    ]
    with pytest.raises(StoreQueryFailed, match="does not fit the type"):
        async for _ in warehouse.query(Query('SELECT widest * 10 FROM "huge"', (table,)), ledger=Ledger()):
            pass
    await warehouse.close()


async def test_a_column_without_a_name_is_left_out(subject: Subject) -> None:
    await subject.load("nameless", pa.table({"": ["a"], "ä": ["b"], "Ä": ["c"]}))
    warehouse = subject.open()
    table = await warehouse.describe("nameless", ledger=Ledger())
    assert await read_rows(Read(table, fields=fields_of(table)), warehouse, Ledger()) == [{"ä": "b", "Ä": "c"}]
    await warehouse.close()


async def test_a_large_file_that_went_away_is_told(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_files, "_WHOLE_BYTES", 0)
    warehouse = subject.open()
    assert isinstance(warehouse, S3Parquet)
    subject.add("day", ONE, file="second")
    table = await warehouse.describe("day", ledger=Ledger())
    read_at_once = warehouse._datasets.of

    async def too_late(files: TableFiles) -> BoundedDataset:
        dataset = await read_at_once(files)
        await subject.drop("day")
        return dataset

    monkeypatch.setattr(warehouse._datasets, "of", too_late)
    with pytest.raises(StoreQueryFailed, match="files went away while they were read"):
        async for _ in warehouse.query_here(Query('SELECT * FROM "day"', (table,)), ledger=Ledger()):
            pass
    await warehouse.close()


async def test_footers_and_query_have_one_time_out(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = subject.open()
    assert isinstance(warehouse, S3Parquet)
    table = await warehouse.describe("day", ledger=Ledger())
    read_at_once = warehouse._datasets.of

    async def slowly(files: TableFiles) -> BoundedDataset:
        await asyncio.sleep(0.5)
        return await read_at_once(files)

    monkeypatch.setattr(warehouse._datasets, "of", slowly)
    batches = warehouse.query_here(Query('SELECT * FROM "day"', (table,)), ledger=Ledger(), timeout_ms=60_000)
    async with aclosing(batches):
        await anext(batches)
        (run,) = warehouse._runs
        assert run._timeout_s <= 59.6
    await warehouse.close()


@pytest.mark.parametrize(
    "wrong", ["CAST('AccessDenied' AS INT)", "CAST(note || 'curlCode: 7' AS DATE)", '"x_SLOW_DOWN"', "JSON 'NoSuchKey'"]
)
async def test_words_of_a_statement_are_no_failure_of_the_server(subject: Subject, wrong: str) -> None:
    warehouse = subject.open()
    table = await warehouse.describe("day", ledger=Ledger())
    with pytest.raises(StoreQueryFailed, match=r"does not fit|cannot be worked out"):
        async for _ in warehouse.query(Query(f'SELECT {wrong} FROM "day"', (table,)), ledger=Ledger()):
            pass
    await warehouse.close()


@pytest.mark.parametrize("whole_bytes", [1 << 20, 0])
async def test_what_the_engine_meets_in_the_files_is_told_from_what_the_statement_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_bytes: int
) -> None:
    monkeypatch.setattr(s3_files, "_WHOLE_BYTES", whole_bytes)
    path = tmp_path / "day" / "part-0.parquet"
    path.parent.mkdir()
    pq.write_table(ONE, path)
    files = TableFiles(str(path.parent), ((str(path), path.stat().st_size, 0),))
    dataset = open_dataset(fs.LocalFileSystem(), files)
    path.unlink()
    run = DuckDbRun(ThreadPoolExecutor(1), memory_limit="64MB", timeout_s=60, on_freed=lambda _: None)
    with pytest.raises(duckdb.InvalidInputException) as caught:
        await run.open({(None, "day"): dataset}, 'SELECT * FROM "day"', ())
    await run.close()
    assert "Failed to open local file" in str(said_of_files(caught.value))
