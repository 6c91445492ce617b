"""The rows in the stores: made as text, so that no driver's idea of a value comes between."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import sqlalchemy as sa
from clickhouse_connect.driver.asyncclient import AsyncClient
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from tests.differential.declared import CLICKHOUSE_DATABASE
from tests.differential.rows import Data, Row
from tests.differential.tables import ITEMS, LABELS, MARKS, NOTES, SCHEMA, SORTS, TRACES

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
_TABLES = (ITEMS, SORTS, NOTES, MARKS, LABELS)
_CLICKHOUSE = {
    "id": "UUID",
    "item_id": "Nullable(UUID)",
    "at": "DateTime64(6, 'UTC')",
    "speed": "Nullable(Float64)",
    "hits": "Int32",
    "total": "Nullable(Int64)",
    "name": "Nullable(String)",
    "day": "Nullable(Date)",
    "flag": "Bool",
    "team": "Nullable(String)",
    "tone": "Nullable(String)",
    "tags": "Array(String)",
}


def statements() -> list[str]:
    """The Postgres tables, as their models say."""
    tables = [str(CreateTable(table).compile(dialect=_DIALECT)) for table in _TABLES]
    return ["CREATE EXTENSION postgis", "CREATE EXTENSION vector", f"CREATE SCHEMA {SCHEMA}", *tables]


@asynccontextmanager
async def traces_in(clickhouse: AsyncClient) -> AsyncIterator[None]:
    """The ClickHouse table, in a database of its own that is dropped at the end."""
    columns = ", ".join(f'"{name}" {type_}' for name, type_ in _CLICKHOUSE.items())
    await clickhouse.command(f"CREATE DATABASE {CLICKHOUSE_DATABASE}")
    try:
        table = f"{CLICKHOUSE_DATABASE}.{TRACES.name}"
        await clickhouse.command(f"CREATE TABLE {table} ({columns}) ENGINE = MergeTree ORDER BY id")
        yield
    finally:
        await clickhouse.command(f"DROP DATABASE {CLICKHOUSE_DATABASE}")


async def load(data: Data, postgres: "asyncpg.Connection[asyncpg.Record]", clickhouse: AsyncClient) -> None:
    """In place of what was there."""
    for table in _TABLES:
        quoted = f'"{SCHEMA}"."{table.name}"'
        await postgres.execute(f"TRUNCATE {quoted}")
        values = ", ".join(_cast(place, column) for place, column in enumerate(table.columns, 1))
        await postgres.executemany(f"INSERT INTO {quoted} VALUES ({values})", [_texts(row) for row in data[table.name]])
    traces = f"{CLICKHOUSE_DATABASE}.{TRACES.name}"
    await clickhouse.command(f"TRUNCATE TABLE {traces}")
    lines = "\n".join(json.dumps({name: _spelled(value) for name, value in row.items()}) for row in data[TRACES.name])
    await clickhouse.raw_insert(traces, list(_CLICKHOUSE), lines.encode(), fmt="JSONEachRow")


def _cast(place: int, column: "sa.Column[Any]") -> str:
    if isinstance(column.type, Geometry):
        return f"ST_SetSRID(ST_GeomFromGeoJSON(${place}::text), 4326)"
    return f"${place}::text::{column.type.compile(dialect=_DIALECT)}"


def _texts(row: Row) -> list[str | None]:
    return [None if value is None else _text(name, value) for name, value in row.items()]


def _text(name: str, value: Any) -> str:
    match value:
        case _ if name in ("doc", "place", "mood"):
            return json.dumps(value, ensure_ascii=False)
        case bytes():
            return "\\x" + value.hex()
        case list():
            return "{" + ",".join(json.dumps(str(each), ensure_ascii=False) for each in value) + "}"
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def _spelled(value: Any) -> Any:
    """As ClickHouse parses it from JSON."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value if value is None or isinstance(value, bool | int | float | list) else str(value)
