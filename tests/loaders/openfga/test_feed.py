"""The change feed of a real OpenFGA: others' writes are seen, and what cannot be seen is not taken as unchanged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import MAX_TUPLES, OpenFga
from loaders.openfga.feed import Feed
from loaders.openfga.tuples import RelationTuple
from tests.loaders.openfga.stores import Store

LONG_S = 60.0
SOON_S = 10.0


def members(count: int) -> list[RelationTuple]:
    return [RelationTuple(names.user(f"user {n}"), "member", names.organization(1)) for n in range(count)]


@asynccontextmanager
async def followed(client: OpenFga, *, every_s: float = 0.01) -> AsyncIterator[Feed]:
    feed = Feed(client, every_s=every_s)
    yield feed
    await feed.close()


async def looked(feed: Feed) -> float:
    """Once it has been looked at."""
    async with asyncio.timeout(SOON_S):
        while True:
            if (since := feed.unchanged_since(within_s=LONG_S)) is not None:
                return since
            await asyncio.sleep(0)


async def test_what_others_change_is_told(store: Store) -> None:
    async with followed(store.client()) as feed:
        await looked(feed)
        for writes, deletes in ((members(1), []), ([], members(1)), (members(2), [])):
            before = feed.version
            await store.client().write(writes, deletes, ledger=Ledger())
            async with asyncio.timeout(SOON_S):
                while feed.version == before:
                    feed.unchanged_since(within_s=LONG_S)
                    await asyncio.sleep(0)


async def test_nothing_is_told_twice(store: Store) -> None:
    await store.client().write(members(3), ledger=Ledger())
    async with followed(store.client()) as feed:
        await looked(feed)
        version = feed.version
        for _ in range(3):
            await feed._look()
        assert feed.version == version


async def test_more_changes_than_a_page(store: Store) -> None:
    client = store.client()
    await client.write(members(2 * MAX_TUPLES + 1), ledger=Ledger())
    since = datetime.now(UTC) - timedelta(minutes=1)
    found = [change async for change in client.changes(since=since, ledger=Ledger())]
    assert [change.tuple for change in found] == members(2 * MAX_TUPLES + 1)
    assert {change.operation for change in found} == {"TUPLE_OPERATION_WRITE"}


async def test_a_feed_that_cannot_be_read_vouches_for_nothing() -> None:
    down = await OpenFga.open(url="http://127.0.0.1:1", token=None, store="axion", timeout_ms=300)
    async with followed(down) as feed:
        assert feed.unchanged_since(within_s=LONG_S) is None
        assert feed._following is not None
        await asyncio.sleep(0.1)  # some looks in vain
        assert feed.unchanged_since(within_s=LONG_S) is None
    await down.close()


async def test_an_old_look_vouches_for_nothing(store: Store) -> None:
    async with followed(store.client(), every_s=LONG_S) as feed:
        await looked(feed)
        assert feed.unchanged_since(within_s=0.0) is None


async def test_it_is_followed_only_while_it_is_asked_for(store: Store) -> None:
    now = 1_000.0
    feed = Feed(store.client(), every_s=0.01, clock=lambda: now)
    await looked(feed)
    assert feed._following is not None
    now += LONG_S
    await asyncio.wait_for(asyncio.shield(feed._following), SOON_S)
    assert feed.unchanged_since(within_s=2 * LONG_S) is None  # until it has been looked at again
    await feed.close()
