"""Verdicts kept for as long as the change feed tells of nothing: real tuples, changed by another client."""

import asyncio
import time
from collections.abc import AsyncIterator

import orjson
import pytest

from deploy.local.paths import CHECKOUT
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.feed import Feed
from loaders.openfga.tuples import Check, RelationTuple
from resolvers.permissions.cached import CachedAuthority
from resolvers.permissions.verdicts import ADMIN
from tests.loaders.openfga.stores import Store

SECONDS = 0.75
ANN = names.user("ann")
IS_ADMIN = RelationTuple(ANN, "admin", names.SYSTEM)
IS_MEMBER = RelationTuple(ANN, "member", names.organization(1))
MAY_VIEW = Check("can_view", names.organization(1))


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.added = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.added


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def other(store: Store) -> OpenFga:
    client = store.client()
    await client.write([IS_ADMIN, IS_MEMBER], ledger=Ledger())
    return client


@pytest.fixture
async def feed(store: Store, clock: Clock) -> AsyncIterator[Feed]:
    feed = Feed(store.client(), every_s=0.02, clock=clock)
    yield feed
    await feed.close()


@pytest.fixture
async def cached(store: Store, other: OpenFga, feed: Feed, clock: Clock) -> CachedAuthority:
    """The feed has been looked at already."""
    cached = CachedAuthority(store.client(), seconds=SECONDS, size=99, clock=clock, feed=feed)
    await looked(feed)
    return cached


async def looked(feed: Feed) -> None:
    before = feed._looked
    async with asyncio.timeout(10):
        while True:
            if feed.unchanged_since(within_s=SECONDS) is not None and feed._looked > before:
                return
            await asyncio.sleep(0)


async def asked(cached: CachedAuthority, check: Check) -> tuple[bool, int]:
    """The verdict, and how many calls it took."""
    ledger = Ledger()
    answer = await cached.batch_check("ann", [check], ledger=ledger)
    usage = ledger.stores.get("openfga")
    return check in answer.granted, 0 if usage is None else usage.statements


async def test_unchanged_is_not_asked_again(cached: CachedAuthority, feed: Feed, clock: Clock) -> None:
    assert (await asked(cached, ADMIN))[0]
    clock.added += 2 * SECONDS
    await looked(feed)
    assert await asked(cached, ADMIN) == (True, 0)
    assert cached.kept_check("ann", ADMIN) is True


async def test_at_most_for_seconds(cached: CachedAuthority, feed: Feed, clock: Clock) -> None:
    await asked(cached, ADMIN)
    clock.added += 4.5  # the feed is followed for five after it was asked for
    await looked(feed)
    clock.added += 4.5
    await looked(feed)
    assert (await asked(cached, ADMIN))[1] == 0
    clock.added += 2
    await looked(feed)
    assert (await asked(cached, ADMIN))[1] == 1


async def test_what_ends_by_the_clock_is_asked_again(cached: CachedAuthority, feed: Feed, clock: Clock) -> None:
    await asked(cached, MAY_VIEW)
    await cached.list_objects("ann", "can_view", "organization", ledger=Ledger())
    clock.added += 2 * SECONDS
    await looked(feed)
    assert await asked(cached, MAY_VIEW) == (True, 1)
    assert cached.kept_list("ann", "can_view", "organization") is None


async def test_what_another_takes_away_counts_at_the_next_look(cached: CachedAuthority, other: OpenFga) -> None:
    assert (await asked(cached, ADMIN))[0]
    await other.write(deletes=[IS_ADMIN], ledger=Ledger())
    taken = last = time.monotonic()
    async with asyncio.timeout(10):
        while True:
            await asyncio.sleep(0)  # what is kept is answered at once: the feed has no turn otherwise
            began = time.monotonic()
            if not (await asked(cached, ADMIN))[0]:
                break
            last = began
    assert last - taken < SECONDS


async def test_without_the_feed_they_age(store: Store, other: OpenFga, clock: Clock) -> None:
    down = await OpenFga.open(url="http://127.0.0.1:1", token=None, store="axion", timeout_ms=300)
    feed = Feed(down, every_s=0.02, clock=clock)
    cached = CachedAuthority(store.client(), seconds=SECONDS, size=99, clock=clock, feed=feed)
    await asked(cached, ADMIN)
    assert await asked(cached, ADMIN) == (True, 0)
    await other.write(deletes=[IS_ADMIN], ledger=Ledger())
    clock.added += SECONDS
    assert await asked(cached, ADMIN) == (False, 1)
    await feed.close()
    await down.close()


def test_the_types_that_end_are_those_of_the_model() -> None:
    """Those with a condition, and those that lead to one."""
    model = orjson.loads((CHECKOUT / "deploy/openfga/model.json").read_bytes())
    leads = {
        each["type"]: [
            to
            for relation in (each.get("metadata") or {}).get("relations", {}).values()
            for to in relation.get("directly_related_user_types", ())
        ]
        for each in model["type_definitions"]
    }
    ending: set[str] = set()
    while more := {
        type_
        for type_, to in leads.items()
        if type_ not in ending and any("condition" in each or each["type"] in ending for each in to)
    }:
        ending |= more
    assert ending == names.ENDING
