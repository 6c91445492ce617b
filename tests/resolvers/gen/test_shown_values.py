"""A filter with a ClickHouse value, written as rows return it, finds the rows that show the value."""

from collections.abc import Iterator

import orjson
import pytest

from loaders.columnar.connection import read_connection
from loaders.description import Column, ColumnType, Kind, Table
from loaders.ledger import Ledger
from loaders.read import Connection, Nodes, Predicate, Read
from loaders.warehouses.clickhouse_types import column_type
from resolvers.gen.row_filter import predicate
from resolvers.gen.rows import fields
from tests.loaders.clickhouse.test_page_walks import VALUES
from tests.loaders.columnar.sources import ChDb, the_chdb

FINEST = "2024-05-01T12:00:00.123456789+02:00"


@pytest.fixture(scope="module")
def engine() -> Iterator[ChDb]:
    engine = the_chdb()
    engine.execute("CREATE DATABASE shown")
    yield engine
    engine.execute("DROP DATABASE shown")


Case = tuple[dict[str, object], set[int]]


def _table(engine: ChDb, type_: str, values: tuple[str, ...]) -> Table:
    engine.execute(f"CREATE OR REPLACE TABLE shown.rows (id Int32, v {type_}) ENGINE = MergeTree ORDER BY id")
    rows = ", ".join(f"({number}, {value})" for number, value in enumerate(values))
    engine.execute(f"INSERT INTO shown.rows VALUES {rows}")
    described = column_type(type_)
    assert described is not None
    key = Column("id", ColumnType(Kind.INTEGER), nullable=False)
    return Table("datasource:test", "shown", "rows", (key, Column("v", *described)))


async def _rows(engine: ChDb, table: Table, where: Predicate | None) -> dict[int, object]:
    read = Read(table, connection=Connection((("nodes", Nodes(fields(table, None))),)), where=where)
    answer = orjson.loads(await read_connection(read, engine, Ledger()))
    return {row["id"]: row["v"] for row in answer["nodes"]}


@pytest.mark.parametrize("type_", VALUES)
async def test_a_shown_value_finds_its_rows(engine: ChDb, type_: str) -> None:
    table = _table(engine, type_, VALUES[type_])
    whole = await _rows(engine, table, None)
    there = {number: shown for number, shown in whole.items() if shown is not None}
    of_nan = whole.keys() - there.keys() if "Float" in type_ else set()
    for value in there.values():
        if isinstance(value, str) and "\ufffd" in value:
            continue  # stands for bytes that are no text
        if table.column("v").type.kind is Kind.NUMERIC and len(str(value)) > 38:
            continue  # more digits than numbers are compared by
        same = {number for number, shown in there.items() if shown == value}
        others = there.keys() - same
        cases: list[Case] = [
            ({"eq": value}, same),
            ({"gte": value, "lte": value}, same),
            ({"ne": value}, others),
            ({"in": [value]}, same),
            ({"notIn": [value, value]}, others),
        ]
        if table.column("v").type.kind is Kind.TEXT:
            text = str(value)
            escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            beginning = {number for number, shown in there.items() if str(shown).startswith(text[:1])}
            ending = {number for number, shown in there.items() if str(shown).endswith(text[-1:])}
            cases += [
                ({"like": escaped}, same),
                ({"like": f"%{text[-1:]}"}, ending),
                ({"startsWith": text[:1]}, beginning),
            ]
            if "\ufffd" not in "".join(
                map(str, there.values())
            ):  # after such a row, ClickHouse's ILIKE misreads the next
                alike = {number for number, shown in there.items() if str(shown).upper() == text.upper()}
                cases.append(({"ilike": escaped.upper()}, alike))
        for operand, found in cases:
            where = predicate({"column": "v", **operand}, table)
            assert (await _rows(engine, table, where)).keys() - of_nan == found, operand


async def test_a_word_an_enum_has_not(engine: ChDb) -> None:
    table = _table(engine, "Enum8('a' = 1, 'b' = 2)", ("'a'", "'b'"))
    cases: list[Case] = [({"eq": "c"}, set()), ({"in": ["c", "a"]}, {0}), ({"ne": "c"}, {0, 1})]
    for operand, found in cases:
        assert (await _rows(engine, table, predicate({"column": "v", **operand}, table))).keys() == found, operand


async def test_an_instant_is_shown_and_compared_to_the_nanosecond(engine: ChDb) -> None:
    table = _table(engine, "DateTime64(9)", ("'2024-05-01 10:00:00.123456789'", "'2024-05-01 10:00:00.123456790'"))
    shown = {0: "2024-05-01T10:00:00.123456789+00:00", 1: "2024-05-01T10:00:00.12345679+00:00"}
    assert await _rows(engine, table, None) == shown
    cases: list[Case] = [
        ({"eq": FINEST}, {0}),
        ({"gt": FINEST}, {1}),
        ({"lt": FINEST}, set()),
        ({"lte": FINEST}, {0}),
    ]
    for operand, found in cases:
        assert (await _rows(engine, table, predicate({"column": "v", **operand}, table))).keys() == found, operand
