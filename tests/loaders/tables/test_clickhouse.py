"""deploy/clickhouse/init.sql and the description of its tables say the same."""

import re
from pathlib import Path

import pytest
import sqlglot
from sqlalchemy import Table
from sqlglot import exp

import deploy
from loaders.description import ColumnType, Kind
from loaders.tables.clickhouse import FRAMES, TRACKS
from loaders.tables.describe import describe

INIT_SQL = Path(deploy.__file__).parent / "clickhouse" / "init.sql"
KINDS = {
    "UUID": ColumnType(Kind.UUID),
    "Int64": ColumnType(Kind.BIGINT),
    "Int32": ColumnType(Kind.INTEGER),
    "Float64": ColumnType(Kind.FLOAT),
    "Bool": ColumnType(Kind.BOOLEAN),
    "LowCardinality(String)": ColumnType(Kind.TEXT),
    "DateTime64(3, 'UTC')": ColumnType(Kind.TIMESTAMP),
    "LineString": ColumnType(Kind.GEOMETRY, geometry="LINESTRING"),
    "UInt64": ColumnType(Kind.H3),
    "Array(UInt64)": ColumnType(Kind.ARRAY, element=ColumnType(Kind.H3)),
}


def created(name: str) -> exp.Schema:
    for statement in sqlglot.parse(INIT_SQL.read_text(encoding="utf-8"), read="clickhouse"):
        if isinstance(statement, exp.Create) and statement.this.this.name == name:
            assert isinstance(statement.this, exp.Schema)
            return statement.this
    raise AssertionError(f"init.sql makes no table {name}")


def declared(column: exp.ColumnDef) -> tuple[str, ColumnType, bool]:
    type_ = column.args["kind"].sql(dialect="clickhouse")
    inner = re.fullmatch(r"Nullable\((.*)\)", type_)
    return column.name, KINDS[inner[1] if inner else type_], inner is not None


@pytest.mark.parametrize("table", [TRACKS, FRAMES], ids=str)
def test_description_is_what_init_sql_makes(table: Table) -> None:
    description = describe(table, "clickhouse")
    made = [declared(column) for column in created(table.name).expressions if isinstance(column, exp.ColumnDef)]
    assert [(column.name, column.type, column.nullable) for column in description.columns] == made
    assert description.key == ("id",)
