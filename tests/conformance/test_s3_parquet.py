"""What only a folder of files does: one does not fit the others or is no Parquet, names are what a writer made them."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pyarrow as pa
import pytest

from loaders.errors import Code, StoreQueryFailed
from loaders.ledger import Ledger
from loaders.read import Read
from loaders.warehouses.base import Query
from tests.conformance.subject import S3ParquetSubject, S3Server
from tests.conformance.test_warehouse import fields_of
from tests.loaders.columnar.reading import read_rows

ONE = pa.table({"id": [1], "note": ["a"]})


class Subject(S3ParquetSubject):
    bucket = "axion-misfit"

    def tear(self, name: str, *, file: str) -> None:
        with self._files.open_output_stream(f"{self.bucket}/{self.space}/{name}/{file}") as stream:
            stream.write(b"no Parquet at all")


@pytest.fixture
async def subject(s3: S3Server) -> AsyncIterator[Subject]:
    made = Subject(s3)
    await made.prepare()
    await made.load("day", ONE)
    yield made
    await made.prepare()


@pytest.mark.parametrize(("file", "told"), [("z=1/late", "column 'id' of the file 'z=1/late.parquet'"), (None, "'x.")])
async def test_a_file_that_does_not_fit_is_named(subject: Subject, file: str | None, told: str) -> None:
    """To all who ask meanwhile, those who gave up among them; no failure is left that nobody took."""
    left: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: left.append(context))
    warehouse = subject.open()
    table = await warehouse.describe("day", ledger=Ledger())
    if file is None:
        subject.tear("day", file="x.parquet")
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


async def test_a_column_without_a_name_is_left_out(subject: Subject) -> None:
    await subject.load("nameless", pa.table({"": ["a"], "ä": ["b"], "Ä": ["c"]}))
    warehouse = subject.open()
    table = await warehouse.describe("nameless", ledger=Ledger())
    assert await read_rows(Read(table, fields=fields_of(table)), warehouse, Ledger()) == [{"ä": "b", "Ä": "c"}]
    await warehouse.close()
