"""The SQL sent to Impala: a parser of its dialect accepts it, and no value can end a literal."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlglot
from sqlglot import exp

from loaders.columnar.compile import Keys, compile_read
from loaders.columnar.statement import Parameter, Statement
from loaders.description import Column, ColumnType, Kind, Table
from loaders.errors import BadInput
from loaders.read import Col, Compare, Computed, Connection, Field, Nodes, Op, OrderBy, Page, Read
from loaders.warehouses.impala_sql import IMPALA, with_values

TEXT = ColumnType(Kind.TEXT)
TABLE = Table("datasource:x", "db", "t", (Column("id", ColumnType(Kind.BIGINT)), Column("a:p0", TEXT)))
ID = (Field("id", Computed(Col("id"))),)


def spelled(value: object) -> str:
    statement = Statement("SELECT :p0 AS `:p0`", (Parameter("p0", TEXT, value),), ())
    return with_values(statement).removeprefix("SELECT ").removesuffix(" AS `:p0`")


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (5, "5"),
        (-5, "CAST('-5' AS BIGINT)"),
        (2**64, "CAST('18446744073709551616' AS DECIMAL(38, 0))"),
        (0.1, "CAST('0.1' AS DOUBLE)"),
        (float("inf"), "CAST('inf' AS DOUBLE)"),
        (Decimal("1.50"), "CAST('1.50' AS DECIMAL(38, 2))"),
        (True, "TRUE"),
        (date(2024, 2, 29), "CAST('2024-02-29' AS DATE)"),
        (datetime(2024, 1, 1, tzinfo=UTC), "CAST('2024-01-01 00:00:00.000000' AS TIMESTAMP)"),
        (b"\0x", "UNHEX('0078')"),
    ],
)
def test_values_have_the_types_of_the_engine(value: object, literal: str) -> None:
    assert spelled(value) == literal


@pytest.mark.parametrize("text", ["it's", "\\", "\\'", "' OR 1=1 --", "a\\' OR '1'='1", "日本 :p0", "`; DROP TABLE t"])
def test_text_stays_one_literal(text: str) -> None:
    (literal,) = sqlglot.parse_one(f"SELECT {spelled(text)}", dialect="hive").find_all(exp.Literal)
    assert literal.this == text


def test_a_nul_is_refused() -> None:
    with pytest.raises(BadInput, match=r"U\+0000"):
        spelled("a\0b")


def test_an_instant_finer_than_pythons() -> None:
    table = Table("datasource:x", "db", "t", (*TABLE.columns, Column("at", ColumnType(Kind.TIMESTAMP))))
    fine = Compare(Col("at"), Op.EQ, "2024-05-01T10:00:00.123456789+00:00")
    compiled = compile_read(Read(table, connection=Connection((("nodes", Nodes(ID)),)), where=fine), IMPALA)
    assert compiled.rows is not None
    assert "= CAST('2024-05-01 10:00:00.123456789' AS TIMESTAMP)" in with_values(compiled.rows.statement)


def test_a_placeholder_in_a_name_is_a_name() -> None:
    read = Read(TABLE, fields=ID, where=Compare(Col("a:p0"), Op.EQ, "x"))
    rows = compile_read(read, IMPALA).rows
    assert rows is not None
    assert with_values(rows.statement) == "SELECT `t`.`id` AS `c0` FROM `db`.`t` AS t WHERE `t`.`a:p0` = 'x' LIMIT 1"


def test_nulls_are_always_told_their_place() -> None:
    nodes = Connection((("nodes", Nodes(ID)),))
    read = Read(TABLE, connection=nodes, order=(OrderBy(Col("id"), descending=True),), page=Page(2))
    rows = compile_read(read, IMPALA).rows
    assert rows is not None
    assert rows.statement.sql.endswith("ORDER BY `t`.`id` DESC NULLS FIRST LIMIT 3")


def test_the_first_rows_of_each_key() -> None:
    nodes = Connection((("nodes", Nodes(ID)),))
    read = Read(TABLE, connection=nodes, order=(OrderBy(Col("id")),), page=Page(2))
    rows = compile_read(read, IMPALA, keys=Keys(("a:p0",), (("x",), ("y",)))).rows
    assert rows is not None
    sql = with_values(rows.statement)
    assert "ROW_NUMBER() OVER (PARTITION BY `t`.`a:p0` ORDER BY `t`.`id` ASC NULLS LAST) AS `axion_number`" in sql
    assert sql.endswith("WHERE `u`.`axion_number` <= 3 ORDER BY `u`.`axion_place` ASC NULLS LAST")
    sqlglot.parse_one(sql, dialect="hive")
