"""Lists walked page by page while another connection inserts and deletes rows of them.

Every row that was there the whole time is answered exactly once, and no row twice. The two run at the same time: the
walk goes on until enough was changed under it.
"""

import asyncio
import itertools
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient

from loaders.encode.node_id import encode_node_id
from tests.system.client import Client
from tests.system.road import Road, road
from tests.system.stores import Direct

PAGE = 7
STABLE = 64
SEED = 20_261_121
KEYS = [None, "log/a", "log/b", "log/ü", "log/z"]
ALTITUDES = [None, -3.5, 0.0, 120.25]

LOGS = """
query Logs($code: String!, $first: Int, $after: String, $last: Int, $before: String) {
  sense {
    trackLogs(
      where: {organization: {code: {eq: $code}}}, orderBy: [{s3LogKey: %s}]
      first: $first, after: $after, last: $last, before: $before
    ) { nodes { rowId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
  }
}
"""
NESTED = """
query Nested($code: String!, $first: Int, $after: String, $last: Int, $before: String) {
  sense {
    organizations(where: {code: {eq: $code}}) {
      nodes {
        trackLogs(orderBy: [{s3LogKey: %s}], first: $first, after: $after, last: $last, before: $before) {
          nodes { rowId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }
      }
    }
  }
}
"""
FRAMES = """
query Frames($tracks: [UUID!], $first: Int, $after: String, $last: Int, $before: String) {
  sense {
    frames(
      where: {trackId: {in: $tracks}}, orderBy: [{altitude: %s}]
      first: $first, after: $after, last: $last, before: $before
    ) { nodes { rowId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
  }
}
"""
FRAMES_OF_A_LOG = """
query FramesOfALog($tracks: [UUID!], $first: Int, $after: String, $last: Int, $before: String) {
  sense {
    trackLogs(where: {rowId: {in: $tracks}}) {
      nodes {
        frames(orderBy: [{altitude: %s}], first: $first, after: $after, last: $last, before: $before) {
          nodes { rowId } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }
      }
    }
  }
}
"""
ORDERS = ["ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_LAST"]


@pytest.fixture
async def own(direct: Direct, clickhouse: AsyncClient) -> AsyncIterator[Road]:
    async with road("walked", direct, clickhouse) as made:
        yield made


@dataclass(slots=True)
class Churn:
    """Rows that come and go. `changes` counts the transactions; further ones can be waited for."""

    changes: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def waited(self, changes: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.changes >= changes)

    async def changed(self) -> None:
        async with self._changed:
            self.changes += 1
            self._changed.notify_all()


Insert = Callable[[random.Random], Awaitable[list[uuid.UUID]]]
Delete = Callable[[list[uuid.UUID]], Awaitable[None]]


@asynccontextmanager
async def churning(insert: Insert, delete: Delete) -> AsyncIterator[Churn]:
    """Inserts a few rows, deletes a few of those that it inserted, and so on."""
    churn, chance, there = Churn(), random.Random(SEED), list[uuid.UUID]()

    async def change() -> None:
        while True:
            there.extend(await insert(chance))
            await churn.changed()
            chance.shuffle(there)
            gone = [there.pop() for _ in range(max(0, len(there) - 12))]
            if gone:
                await delete(gone)
                await churn.changed()

    changing = asyncio.create_task(change())
    try:
        await churn.waited(2)
        yield churn
    finally:
        changing.cancel()
        with suppress(asyncio.CancelledError):
            await changing


async def _walk(
    client: Client,
    document: str,
    variables: dict[str, Any],
    backward: bool,
    churn: Churn | None = None,
    *,
    size: int = PAGE,
) -> list[str]:
    """The rows in the order of the list. Between two pages at least one change of `churn` is committed."""
    limit, place = ("last", "before") if backward else ("first", "after")
    seen: list[str] = []
    cursor = None
    while True:
        known = churn.changes if churn is not None else 0
        answer = await client.ask(document, {**variables, limit: size, place: cursor})
        connection = answer.data["sense"]
        while "pageInfo" not in connection:
            connection = connection[0] if isinstance(connection, list) else next(iter(connection.values()))
        page = [node["rowId"] for node in connection["nodes"]]
        seen = page + seen if backward else seen + page
        info = connection["pageInfo"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return seen
        assert len(page) == size
        cursor = info["startCursor" if backward else "endCursor"]
        if churn is not None:
            await churn.waited(known + 1)


async def test_rows_that_share_an_id(client: Client, own: Road) -> None:
    """Ids of partitioned tables are not unique to Postgres: the page's border lies between two rows of one id."""
    ids = await own.add_logs([None] * 3)
    for at in (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)):
        await own.add_logs_again(ids[:2], at)
    for document, backward, size in itertools.product((LOGS, NESTED), (False, True), (1, 2, 3)):
        seen = await _walk(client, document % "ASC", {"code": own.code}, backward, size=size)
        assert seen == sorted(map(str, [*ids[:2] * 4, ids[2]])), (document, backward, size)


async def test_a_row_related_to_rows_that_share_an_id(client: Client, own: Road) -> None:
    (id_,) = await own.add_logs([None])
    await own.add_logs_again([id_], datetime(2026, 1, 31, tzinfo=UTC))
    document = (
        "query($id: ID!) { sense { organizations(where: {trackLogs: {some: {id: {eq: $id}}}}) { nodes { code } } } }"
    )
    answer = await client.ask(document, {"id": encode_node_id("SenseTrackLog", [str(id_)])})
    assert answer.data == {"sense": {"organizations": {"nodes": [{"code": own.code}]}}}


def _check(seen: list[str], stable: list[str]) -> None:
    assert len(seen) == len(set(seen)), f"a row twice; seed {SEED}"
    kept = set(stable)
    assert [row for row in seen if row in kept] == stable, f"seed {SEED}"
    assert len(seen) > len(stable), "nothing came and went while the list was walked"


def _sorted(rows: dict[str, Any], order: str, key: Callable[[str], Any]) -> list[str]:
    """Ties by key, ascending; nulls as `orderBy` says they lie."""
    first = order.endswith("NULLS_FIRST") or order == "DESC"
    nulls = sorted((row for row, value in rows.items() if value is None), key=key)
    values = sorted((row for row, value in rows.items() if value is not None), key=key)
    values.sort(key=lambda row: rows[row], reverse=order.startswith("DESC"))
    return nulls + values if first else values + nulls


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("document", [LOGS, NESTED], ids=["root", "nested"])
async def test_a_postgres_list(client: Client, own: Road, document: str, order: str, backward: bool) -> None:
    keys = [KEYS[place % len(KEYS)] for place in range(STABLE)]
    ids = await own.add_logs(keys)
    rows = {str(id_): None if key is None else key.encode() for id_, key in zip(ids, keys, strict=True)}

    async def insert(chance: random.Random) -> list[uuid.UUID]:
        return await own.add_logs([chance.choice(KEYS) for _ in range(3)])

    async with churning(insert, lambda gone: own.remove_logs(gone)) as churn:
        seen = await _walk(client, document % order, {"code": own.code}, backward, churn)
    _check(seen, _sorted(rows, order, key=str))


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("document", "parents"), [(FRAMES, 3), (FRAMES_OF_A_LOG, 1)], ids=["root", "nested"])
async def test_a_clickhouse_list(
    client: Client, own: Road, document: str, parents: int, order: str, backward: bool
) -> None:
    """Ties by the whole key of a frame: its track, its instant, its id. All were taken at one instant.

    Nested in rows of Postgres, the page is that of each key in one statement.
    """
    tracks = await own.add_logs([None] * parents)
    altitudes = [ALTITUDES[place % len(ALTITUDES)] for place in range(STABLE)]
    ids = await own.add_frames(tracks, altitudes)
    rows = {str(id_): altitude for id_, altitude in zip(ids, altitudes, strict=True)}
    place = {str(id_): (_halves(tracks[number % len(tracks)]), _halves(id_)) for number, id_ in enumerate(ids)}

    async def insert(chance: random.Random) -> list[uuid.UUID]:
        return await own.add_frames(tracks, [chance.choice(ALTITUDES) for _ in range(3)])

    async with churning(insert, own.remove_frames) as churn:
        variables = {"tracks": [str(track) for track in tracks]}
        seen = await _walk(client, document % order, variables, backward, churn)
    _check(seen, _sorted(rows, order, key=lambda row: place[row]))


def _halves(id_: uuid.UUID) -> tuple[int, int]:
    """As ClickHouse orders UUIDs: by their second half."""
    return id_.int & (1 << 64) - 1, id_.int >> 64
