"""Pages of a table without a key: what they cost, and instants that Python has not."""

from collections.abc import Iterator

import orjson
import pytest

from loaders.columnar.connection import read_connection
from loaders.description import Column, ColumnType, Kind, Table
from loaders.errors import InvalidCursor
from loaders.ledger import Ledger
from loaders.read import Col, Computed, Connection, Field, Nodes, OrderBy, Page, PageInfo, PageInfoPart, Read
from resolvers.gen.rows import paged
from tests.loaders.columnar.sources import DuckDb

TABLE = Table(
    "datasource:any",
    None,
    "moments",
    (
        Column("n", ColumnType(Kind.INTEGER)),
        Column("moment", ColumnType(Kind.TIMESTAMP)),
        Column("name", ColumnType(Kind.TEXT)),
    ),
)
PAGE = PageInfo((("more", PageInfoPart.HAS_NEXT_PAGE), ("end", PageInfoPart.END_CURSOR)))


@pytest.fixture
def engine() -> Iterator[DuckDb]:
    engine = DuckDb()
    engine.execute("CREATE TABLE moments (n INTEGER, moment TIMESTAMP, name VARCHAR)")
    instants = ("20000-01-01", "0044-03-15 (BC)", "2020-01-01", "infinity")
    engine.execute(
        "INSERT INTO moments VALUES (?, CAST(? AS TIMESTAMP), ?)", [(n, at, f"n{n}") for n, at in enumerate(instants)]
    )
    yield engine
    engine.connection.close()


def asked(*columns: str, by: str) -> Read:
    nodes = Nodes(tuple(Field(name, Computed(Col(name))) for name in columns))
    order = (OrderBy(Col(by)),)
    return Read(TABLE, connection=Connection((("nodes", nodes), ("page", PAGE))), order=order, page=Page(1))


@pytest.mark.parametrize(("columns", "statements"), [(("n",), 1), (("n", "name"), 2), (("name",), 2)])
async def test_statements(engine: DuckDb, columns: tuple[str, ...], statements: int) -> None:
    """One more where a digest breaks the ties."""
    ledger = Ledger()
    answer = orjson.loads(await read_connection(paged(asked(*columns, by="n"), columns, after=None), engine, ledger))
    assert answer["page"]["more"]
    assert ledger.stores["datasource:duckdb"].statements == statements


async def test_instants_that_python_has_not(engine: DuckDb) -> None:
    """They are shown; a cursor of one is refused, loudly."""
    columns = ("n", "moment", "name")
    read = asked(*columns, by="moment")
    answer = orjson.loads(await read_connection(paged(read, columns, after=None), engine, Ledger()))
    assert [row["n"] for row in answer["nodes"]] == [1]
    with pytest.raises(InvalidCursor):
        paged(read, columns, after=answer["page"]["end"])
