"""Statements that fail in their store, by a time-out or a division by zero: the failure is at the read that asked.

Views have columns that fail when they are read, in Postgres and in ClickHouse, so whatever does not ask for them is
answered.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import orjson
import pytest

from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from loaders.clickhouse.source import ClickHouseSource
from loaders.columnar.source import Source
from loaders.description import Column, ColumnType, Kind, Table
from loaders.errors import StoreError, StoreQueryFailed, StoreTimeout
from loaders.fetch import fetch
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Col,
    Compare,
    Connection,
    ConnectionPart,
    Field,
    Join,
    Measure,
    Nodes,
    Op,
    OrderBy,
    Page,
    Read,
    Related,
    TotalCount,
)
from tests.loaders.postgres.database import scratch_database
from tests.loaders.postgres.reading import columns

TEAMS = 6
TIMEOUT_MS = 400
COLUMNS = (
    Column("id", ColumnType(Kind.BIGINT), nullable=False),
    Column("team_id", ColumnType(Kind.BIGINT)),
    Column("slow", ColumnType(Kind.INTEGER)),
    Column("divided", ColumnType(Kind.INTEGER)),
)
HOME = Table("scratch", "public", "teams", COLUMNS, ("id",))
FAILURES: dict[str, type[StoreError]] = {"slow": StoreTimeout, "divided": StoreQueryFailed}


@dataclass(frozen=True, slots=True)
class Opened:
    """`far` is as `HOME`, in ClickHouse."""

    postgres: Mapping[str, Postgres]
    columnar: Mapping[str, Source]
    far: Table

    @property
    def away(self) -> Join:
        return Join(self.far, ("id",), ("team_id",))

    @property
    def back(self) -> Join:
        return Join(HOME, ("team_id",), ("id",))


@pytest.fixture(scope="module")
async def stores(admin_url: str, settings: Settings) -> AsyncIterator[Opened]:
    clickhouse = ClickHouse.open(
        settings.clickhouse.url,
        settings.clickhouse.username,
        settings.clickhouse.password.get_secret_value(),
        settings.clickhouse.database,
        timeout_ms=TIMEOUT_MS,
    )
    view = f"scratch_{secrets.token_hex(6)}"
    async with scratch_database(admin_url) as url:
        connection = await asyncpg.connect(url)
        await connection.execute(
            "CREATE FUNCTION slowly() RETURNS int LANGUAGE plpgsql STABLE"  # a view computes what is volatile for all
            " AS 'BEGIN PERFORM pg_sleep(20); RETURN 1; END'"
        )
        await connection.execute(
            "CREATE VIEW teams AS SELECT n AS id, n AS team_id, slowly() AS slow, 1 / (n - n)::int AS divided"
            f" FROM generate_series(1::bigint, {TEAMS}) AS n"
        )
        await connection.close()
        await clickhouse.command(
            f"CREATE VIEW {view} AS SELECT number + 1 AS id, number + 1 AS team_id,"
            " toInt32(number IN (SELECT sum(sipHash64(number)) FROM numbers(1000000000000))) AS slow,"
            f" toInt32(intDiv(1, number - number)) AS divided FROM numbers({TEAMS})",
            ledger=Ledger(),
            timeout_ms=30_000,
        )
        postgres = await Postgres.open("scratch", url, pool_max=1, statement_timeout_ms=TIMEOUT_MS)
        try:
            far = Table("clickhouse", None, view, COLUMNS, ("id",))
            yield Opened({"scratch": postgres}, {"clickhouse": ClickHouseSource(clickhouse)}, far)
        finally:
            await postgres.close()
            await clickhouse.command(f"DROP VIEW {view}", ledger=Ledger(), timeout_ms=30_000)
            await clickhouse.close()


def _list(table: Table, *fields: Field, **parts: ConnectionPart) -> Read:
    return Read(table, connection=Connection((("nodes", Nodes(fields)), *parts.items())), page=Page(50))


def _below(join: Join, *fields: Field, many: bool) -> Field:
    read = _list(join.target, *fields) if many else Read(join.target, fields)
    return Field("below", Related(join, read))


async def _asked(read: Read, stores: Opened) -> tuple[Any, list[tuple[tuple[str | int, ...], int, type]]]:
    text, failures = await fetch(read, stores=stores, ledger=Ledger())
    return orjson.loads(text or "null"), [(each.path, each.nulls, type(each.error)) for each in failures]


def _uses(table: Table, column: str) -> dict[str, Read]:
    """Reads that cannot be answered without the column."""
    plain = _list(table, *columns("id"))
    most = Aggregate((), (("most", Measure(AggregateFunction.MAX, Col(column))),))
    return {
        "shown": _list(table, *columns("id", column)),
        "compared": replace(plain, where=Compare(Col(column), Op.GT, 0)),
        "counted": Read(table, connection=Connection((("n", TotalCount()),)), where=Compare(Col(column), Op.GT, 0)),
        "sorted": replace(plain, order=(OrderBy(Col(column)),)),
        "measured": _list(table, *columns("id"), figures=most),
        "one": Read(table, columns(column), where=Compare(Col("id"), Op.EQ, 1)),
    }


@pytest.mark.parametrize("column", FAILURES)
@pytest.mark.parametrize("home", [True, False], ids=["postgres", "clickhouse"])
async def test_a_read_fails_in_its_own_store(stores: Opened, home: bool, column: str) -> None:
    """And what comes next is answered, on the one connection there is."""
    table = HOME if home else stores.far
    for use, read in _uses(table, column).items():
        with pytest.raises(FAILURES[column]) as failed:
            await _asked(read, stores)
        assert failed.value.store == table.store, use
        found, failures = await _asked(_list(table, *columns("id")), stores)
        assert (len(found["nodes"]), failures) == (TEAMS, []), use


@pytest.mark.parametrize("column", FAILURES)
async def test_a_nested_list_of_the_same_store_fails_its_read(stores: Opened, column: str) -> None:
    """Both are one statement."""
    within = Join(HOME, ("id",), ("team_id",))
    with pytest.raises(FAILURES[column]):
        await _asked(_list(HOME, *columns("id"), _below(within, *columns(column), many=True)), stores)


@pytest.mark.parametrize("column", FAILURES)
@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize("home", [True, False], ids=["postgres", "clickhouse"])
async def test_a_crossing_fails_alone(stores: Opened, home: bool, many: bool, column: str) -> None:
    table, join = (HOME, stores.away) if home else (stores.far, stores.back)
    found, failures = await _asked(_list(table, *columns("id"), _below(join, *columns(column), many=many)), stores)
    assert [node["below"] for node in found["nodes"]] == [None] * TEAMS
    assert [node["id"] for node in found["nodes"]] == [str(n) for n in range(1, TEAMS + 1)]
    assert failures == [(("nodes", 0, "below"), TEAMS, FAILURES[column])]


@pytest.mark.parametrize("column", FAILURES)
async def test_one_beside_it_is_answered(stores: Opened, column: str) -> None:
    sound = Field("sound", Related(stores.away, _list(stores.far, *columns("id"))))
    found, failures = await _asked(_list(HOME, sound, _below(stores.away, *columns(column), many=True)), stores)
    assert [len(node["sound"]["nodes"]) for node in found["nodes"]] == [1] * TEAMS
    assert [path for path, _, _ in failures] == [("nodes", 0, "below")]


@pytest.mark.parametrize("column", FAILURES)
async def test_there_and_back_it_fails_at_its_end(stores: Opened, column: str) -> None:
    """Postgres, ClickHouse and Postgres again: the first two levels stay."""
    last = _below(stores.back, *columns(column), many=False)
    found, failures = await _asked(_list(HOME, _below(stores.away, *columns("id"), last, many=True)), stores)
    assert [node["below"]["nodes"] for node in found["nodes"]] == [
        [{"id": str(n), "below": None}] for n in range(1, TEAMS + 1)
    ]
    assert failures == [(("nodes", 0, "below", "nodes", 0, "below"), TEAMS, FAILURES[column])]
