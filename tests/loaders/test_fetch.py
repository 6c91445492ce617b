"""Reads that cross stores, through real servers: Postgres -> ClickHouse -> Postgres and back."""

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from loaders.clickhouse.source import ClickHouseSource
from loaders.columnar.source import Source
from loaders.description import Column, ColumnType, Kind, Table
from loaders.errors import BadInput, StoreError, StoreUnavailable
from loaders.fetch import distinct_values, fetch, fetch_tree
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
    PageInfo,
    PageInfoPart,
    Read,
    Related,
    TotalCount,
)
from tests.loaders.postgres.database import scratch_database
from tests.loaders.postgres.reading import columns

TEAMS = Table(
    "scratch",
    "public",
    "teams",
    (
        Column("id", ColumnType(Kind.BIGINT), nullable=False),
        Column("track_id", ColumnType(Kind.UUID)),
        Column("doc", ColumnType(Kind.JSON)),
    ),
    ("id",),
)
_TRACK_COLUMNS = (
    Column("id", ColumnType(Kind.UUID), nullable=False),
    Column("team_id", ColumnType(Kind.BIGINT)),
    Column("metres", ColumnType(Kind.FLOAT), nullable=False),
)
PARENTS = 300  # a hundred times the three of the small list


@dataclass(frozen=True, slots=True)
class Opened:
    postgres: Mapping[str, Postgres]
    columnar: Mapping[str, Source]
    tracks: Table

    @property
    def team_tracks(self) -> Join:
        return Join(self.tracks, ("id",), ("team_id",))

    @property
    def team_track(self) -> Join:
        return Join(self.tracks, ("track_id",), ("id",))

    @property
    def track_team(self) -> Join:
        return Join(TEAMS, ("team_id",), ("id",))


TRACKS = [(UUID(int=n), None if n % 7 == 0 else n % 10, n / 4) for n in range(1, 41)]
TEAM_ROWS = [(n, None if n % 5 == 0 else UUID(int=n % 50 + 1)) for n in range(PARENTS)]


@pytest.fixture(scope="module")
async def stores(admin_url: str, settings: Settings) -> AsyncIterator[Opened]:
    clickhouse = ClickHouse.open(
        settings.clickhouse.url,
        settings.clickhouse.username,
        settings.clickhouse.password.get_secret_value(),
        settings.clickhouse.database,
    )
    tracks = Table("clickhouse", None, f"scratch_{secrets.token_hex(6)}", _TRACK_COLUMNS, ("id",))
    async with scratch_database(admin_url) as url:
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE teams (id bigint PRIMARY KEY, track_id uuid, doc jsonb)")
        await connection.executemany("INSERT INTO teams VALUES ($1, $2)", TEAM_ROWS)
        await connection.execute(
            "UPDATE teams SET doc = '[12345678901234567890123, 0.10000000000000000555, 1e400, -7, 1.50]' WHERE id = 1"
        )
        await connection.close()
        values = ", ".join(f"('{i}', {'NULL' if team is None else team}, {m})" for i, team, m in TRACKS)
        await clickhouse.command(
            f"CREATE TABLE {tracks.name} (id UUID, team_id Nullable(UInt64), metres Float64) "
            "ENGINE = MergeTree ORDER BY id",
            ledger=Ledger(),
        )
        try:
            await clickhouse.command(
                f"INSERT INTO {tracks.name} VALUES {values}, ('{UUID(int=99)}', 18446744073709551615, 9)",
                ledger=Ledger(),
            )
            postgres = await Postgres.open("scratch", url, pool_max=3, statement_timeout_ms=20_000)
            yield Opened({"scratch": postgres}, {"clickhouse": ClickHouseSource(clickhouse)}, tracks)
            await postgres.close()
        finally:
            await clickhouse.command(f"DROP TABLE {tracks.name}", ledger=Ledger())
            await clickhouse.close()


def _list(table: Table, *fields: Field, limit: int | None = None, **parts: ConnectionPart) -> Read:
    return Read(table, connection=Connection((("nodes", Nodes(fields)), *parts.items())), page=Page(limit))


def _all_the_way(stores: Opened, limit: int) -> Read:
    """Teams, their tracks in ClickHouse, and each track's team in Postgres again."""
    back = Field("team", Related(stores.track_team, Read(TEAMS, columns("id"))))
    track = Field("track", Related(stores.team_track, Read(stores.tracks, (*columns("id"), back))))
    longest = replace(_list(stores.tracks, *columns("id"), back, limit=2), order=(OrderBy(Col("metres"), True),))
    tracks = Field("tracks", Related(stores.team_tracks, longest))
    return _list(TEAMS, *columns("id"), track, tracks, limit=limit)


def _expected(limit: int) -> list[dict[str, Any]]:
    def team(number: int | None) -> dict[str, str] | None:
        return None if number is None else {"id": str(number)}

    tracks = {key: {"id": str(key), "team": team(number)} for key, number, _ in TRACKS}
    return [
        {
            "id": str(n),
            "track": tracks.get(track) if track is not None else None,
            "tracks": {"nodes": [tracks[k] for k, number, _ in sorted(TRACKS, key=lambda t: -t[2]) if number == n][:2]},
        }
        for n, track in TEAM_ROWS[:limit]
    ]


@pytest.mark.parametrize("limit", [3, PARENTS])
async def test_there_and_back(stores: Opened, limit: int) -> None:
    text, failures = await fetch(_all_the_way(stores, limit), stores=stores, ledger=Ledger())
    assert failures == []
    assert text is not None
    assert orjson.loads(text) == {"nodes": _expected(limit)}
    tree, _ = await fetch_tree(_all_the_way(stores, limit), stores=stores, ledger=Ledger())
    assert tree == orjson.loads(text)


async def test_statements_do_not_grow_with_the_rows(stores: Opened) -> None:
    counts = []
    for limit in (3, PARENTS):
        ledger = Ledger()
        await fetch(_all_the_way(stores, limit), stores=stores, ledger=ledger)
        counts.append({name: usage.statements for name, usage in ledger.stores.items()})
    assert counts == [{"scratch": 3, "clickhouse": 2}] * 2


async def test_a_columnar_root_and_an_edge_within_its_own_store(stores: Opened) -> None:
    same_team = Join(stores.tracks, ("team_id",), ("team_id",))
    count = Aggregate((), (("n", Measure(AggregateFunction.COUNT)),))
    mates = Read(stores.tracks, connection=Connection((("total", TotalCount()), ("all", count))))
    read = _list(stores.tracks, Field("mates", Related(same_team, mates)), limit=9)
    text, failures = await fetch(read, stores=stores, ledger=Ledger())
    assert failures == []
    sizes = [sum(other == team for _, other, _ in TRACKS if other is not None) for _, team, _ in TRACKS[:9]]
    assert orjson.loads(text or "") == {"nodes": [{"mates": {"total": n, "all": [{"n": n}]}} for n in sizes]}
    assert sizes[6] == 0  # its key is null: a list of nothing, as in one store


async def test_a_key_no_row_can_have_is_no_error(stores: Opened) -> None:
    """2^64 - 1 is no bigint; the others of the batch are answered all the same."""
    team = Field("team", Related(stores.track_team, Read(TEAMS, columns("id"))))
    far = Compare(Col("metres"), Op.GTE, 9.0)
    read = replace(_list(stores.tracks, *columns("id"), team), where=far)
    text, failures = await fetch(read, stores=stores, ledger=Ledger())
    nodes = orjson.loads(text or "")["nodes"]
    assert failures == []
    assert next(node["team"] for node in nodes if node["id"] == str(UUID(int=99))) is None
    assert sum(node["team"] is not None for node in nodes) == sum(t is not None and m >= 9 for _, t, m in TRACKS)


async def test_numbers_in_json_columns_keep_their_digits(stores: Opened) -> None:
    track = Field("track", Related(stores.team_track, Read(stores.tracks, columns("id"))))
    one = Compare(Col("id"), Op.EQ, 1)
    text, failures = await fetch(
        replace(_list(TEAMS, *columns("doc"), track), where=one), stores=stores, ledger=Ledger()
    )
    numbers = f"[12345678901234567890123,0.10000000000000000555,1{'0' * 400},-7,1.50]"
    assert failures == []
    assert text == f'{{"nodes":[{{"doc":{numbers},"track":{{"id":"{UUID(int=2)}"}}}}]}}'


async def test_no_parents_ask_nothing(stores: Opened) -> None:
    ledger = Ledger()
    text, failures = await fetch(_all_the_way(stores, 0), stores=stores, ledger=ledger)
    assert (text, failures) == ('{"nodes":[]}', [])
    assert {name: usage.statements for name, usage in ledger.stores.items()} == {"scratch": 1}


async def test_an_absent_object_is_none(stores: Opened) -> None:
    read = Read(TEAMS, _all_the_way(stores, 1).connection.entries[0][1].fields, where=Compare(Col("id"), Op.EQ, -1))  # type: ignore[union-attr]
    assert await fetch(read, stores=stores, ledger=Ledger()) == (None, [])
    assert await fetch_tree(read, stores=stores, ledger=Ledger()) == (None, [])


# --- a store that is down ---------------------------------------------------------------------------------------------


@pytest.fixture
async def without_clickhouse(stores: Opened, unused_tcp_port: int) -> AsyncIterator[Opened]:
    down = ClickHouse.open(f"http://127.0.0.1:{unused_tcp_port}", "nobody", uuid4().hex, None)
    yield replace(stores, columnar={"clickhouse": ClickHouseSource(down)})
    await down.close()


async def test_a_store_that_is_down_nulls_its_own_fields(without_clickhouse: Opened) -> None:
    stores = without_clickhouse
    text, failures = await fetch(_all_the_way(stores, 12), stores=stores, ledger=Ledger())
    nodes = orjson.loads(text or "")["nodes"]
    assert nodes == [{"id": str(n), "track": None, "tracks": None} for n in range(12)]
    assert [(failure.path, failure.nulls) for failure in failures] == [
        (("nodes", 1, "track"), 9),  # teams 0, 5 and 10 have no track: their null is an answer
        (("nodes", 0, "tracks"), 12),
    ]
    assert {type(failure.error) for failure in failures} == {StoreUnavailable}
    assert all(isinstance(failure.error, StoreError) and failure.error.store == "clickhouse" for failure in failures)


async def test_a_failure_two_stores_deep_has_its_whole_path(stores: Opened, unused_tcp_port: int) -> None:
    gone = await Postgres.open(
        "gone", f"postgresql://x:y@127.0.0.1:{unused_tcp_port}/x", pool_max=1, statement_timeout_ms=1000
    )
    teams = replace(TEAMS, store="gone")
    try:
        back = Field("team", Related(Join(teams, ("team_id",), ("id",)), Read(teams, columns("id"))))
        tracks = Field("tracks", Related(stores.team_tracks, _list(stores.tracks, *columns("id"), back)))
        both = replace(stores, postgres={**stores.postgres, "gone": gone})
        text, failures = await fetch(_list(TEAMS, tracks, limit=PARENTS), stores=both, ledger=Ledger())
        nodes = orjson.loads(text or "")["nodes"]
        shown = [track for node in nodes for track in node["tracks"]["nodes"]]
        known = sum(team is not None for _, team, _ in TRACKS)
        assert [track["team"] for track in shown] == [None] * known
        ((path, nulls),) = [(failure.path, failure.nulls) for failure in failures]
        assert (path, nulls) == (("nodes", 0, "tracks", "nodes", 0, "team"), known)
    finally:
        await gone.close()


async def test_the_reads_own_store_being_down_is_raised(without_clickhouse: Opened) -> None:
    read = _list(without_clickhouse.tracks, *columns("id"))
    with pytest.raises(StoreUnavailable):
        await fetch(read, stores=without_clickhouse, ledger=Ledger())


async def test_an_argument_the_other_store_refuses_is_reported_there(stores: Opened) -> None:
    tracks = replace(_list(stores.tracks, *columns("id")), page=Page(2, after=(1, 2, 3)))
    read = _list(TEAMS, *columns("id"), Field("tracks", Related(stores.team_tracks, tracks)), limit=2)
    text, (failure,) = await fetch(read, stores=stores, ledger=Ledger())
    assert orjson.loads(text or "") == {"nodes": [{"id": "0", "tracks": None}, {"id": "1", "tracks": None}]}
    assert isinstance(failure.error, BadInput)


async def test_pages_of_each_parent(stores: Opened) -> None:
    info = PageInfo((("more", PageInfoPart.HAS_NEXT_PAGE),))
    tracks = _list(stores.tracks, *columns("id"), limit=3, info=info, total=TotalCount())
    read = _list(TEAMS, Field("tracks", Related(stores.team_tracks, tracks)), limit=12)
    text, _ = await fetch(read, stores=stores, ledger=Ledger())
    for n, node in enumerate(orjson.loads(text or "")["nodes"]):
        own = [str(key) for key, team, _ in TRACKS if team == n]
        assert [track["id"] for track in node["tracks"]["nodes"]] == own[:3]
        assert node["tracks"]["info"] == {"more": len(own) > 3}
        assert node["tracks"]["total"] == len(own)


async def test_distinct_values(stores: Opened) -> None:
    expected = {str(track) for _, track in TEAM_ROWS}
    for bound in (len(expected), len(expected) + 5):
        values = await distinct_values(TEAMS, "track_id", where=None, bound=bound, stores=stores, ledger=Ledger())
        assert values is not None
        assert sorted(map(str, values)) == sorted(expected)
    too_many = len(expected) - 1
    assert await distinct_values(TEAMS, "track_id", where=None, bound=too_many, stores=stores, ledger=Ledger()) is None
