"""What is specific to DuckDB's SQL."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import orjson
import pytest

from loaders.columnar.compile import Keys, compile_read
from loaders.columnar.connection import read_connection
from loaders.description import Column, ColumnType, Kind, Table
from loaders.ledger import Ledger
from loaders.read import (
    Col,
    Compare,
    Computed,
    Connection,
    CosineSimilarity,
    Expression,
    Field,
    JsonPath,
    Nodes,
    Op,
    OrderBy,
    Page,
    Read,
)
from loaders.warehouses.duckdb_sql import DUCKDB
from tests.loaders.columnar.sources import DuckDb

KEY = UUID("018cc251-f400-7000-8000-0123456789ab")
TABLE = Table(
    "datasource:files",
    "s",
    "t",
    (
        Column("id", ColumnType(Kind.UUID), nullable=False),
        Column("name", ColumnType(Kind.TEXT)),
        Column("ratio", ColumnType(Kind.FLOAT)),
        Column("at", ColumnType(Kind.TIMESTAMP)),
        Column("doc", ColumnType(Kind.JSON)),
        Column("vector", ColumnType(Kind.VECTOR, dimensions=2)),
    ),
    ("id",),
)
NAME = (Field("name", Computed(Col("name"))),)


def test_a_page() -> None:
    where = Compare(Col("name"), Op.LIKE, "100\\%_")
    order = (OrderBy(Col("name"), descending=True),)
    read = Read(TABLE, connection=Connection((("nodes", Nodes(NAME)),)), where=where, order=order)
    rows = compile_read(
        Read(TABLE, connection=read.connection, where=where, order=order, page=Page(2, after=("a", KEY))), DUCKDB
    ).rows
    assert rows is not None
    assert rows.statement.sql == (
        'SELECT "t"."name" AS "c0" FROM "s"."t" AS t WHERE "t"."name" LIKE $1 ESCAPE \'\\\' AND (("t"."name" < $3) OR '
        '(("t"."name" = $3) AND ("t"."id" > $2))) ORDER BY "t"."name" DESC NULLS FIRST, "t"."id" ASC LIMIT 3'
    )
    assert rows.statement.positional == ["100\\%_", KEY, "a"]


def test_the_first_rows_of_each_key() -> None:
    read = Read(TABLE, connection=Connection((("nodes", Nodes(NAME)),)), page=Page(2))
    rows = compile_read(read, DUCKDB, keys=Keys(("name",), (("a",), ("b",)))).rows
    assert rows is not None
    assert rows.statement.sql == (
        'SELECT "t"."name" AS "c0" FROM "s"."t" AS t WHERE "t"."name" IN ($1, $2) '
        'QUALIFY ROW_NUMBER() OVER (PARTITION BY "t"."name" ORDER BY "t"."id" ASC) <= 3 ORDER BY "t"."id" ASC'
    )


def test_instants_are_bound_in_utc() -> None:
    tokyo = datetime(2024, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    rows = compile_read(Read(TABLE, NAME, where=Compare(Col("at"), Op.EQ, tokyo)), DUCKDB).rows
    assert rows is not None
    assert rows.statement.positional == [datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None)]


@pytest.mark.parametrize("instant", ["TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS"])
async def test_json_paths_vectors_and_instants(instant: str) -> None:
    engine = DuckDb()
    engine.execute("CREATE SCHEMA s")
    columns = f'id UUID, name VARCHAR, ratio DOUBLE, "at" {instant}, doc JSON, vector FLOAT[2]'
    engine.execute(f"CREATE TABLE s.t ({columns})")
    doc = orjson.dumps({"a": {'b"."c': 7, "n": None}}).decode()
    engine.execute(
        "INSERT INTO s.t VALUES ($1, 'x', 'nan', $2, $3, [1, 0])", [(KEY, datetime(2024, 1, 1, 0, 0, 1), doc)]
    )
    fields: dict[str, Expression] = {
        "b": JsonPath("doc", ("a", 'b"."c')),
        "n": JsonPath("doc", ("a", "n")),
        "none": JsonPath("doc", ("a", "b")),
        "near": CosineSimilarity("vector", (1.0, 0.0)),
        "at": Col("at"),
        "ratio": Col("ratio"),
    }
    where = Compare(Col("at"), Op.EQ, datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC))
    read = Read(TABLE, tuple(Field(key, Computed(value)) for key, value in fields.items()), where=where)
    assert orjson.loads(await read_connection(read, engine, Ledger())) == {
        "b": "7",
        "n": None,
        "none": None,
        "near": 1.0,
        "at": "2024-01-01T00:00:01+00:00",
        "ratio": None,
    }
    engine.connection.close()
