"""Places for the query processes of all data sources: who waits, and whose idle processes end."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

from loaders.warehouses.process_places import ProcessPlaces


@dataclass(slots=True)
class Pool:
    idle: int = 0

    def drop_idle(self) -> None:
        self.idle = 0


async def test_who_asks_beyond_the_limit_waits() -> None:
    places, pool = ProcessPlaces(2), Pool()
    places.join(pool)
    async with AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(places.place(pool))
        third = asyncio.create_task(AsyncExitStack().enter_async_context(places.place(pool)))
        await asyncio.sleep(0)
        assert not third.done()
    await third


async def test_idle_ones_of_others_end_for_a_new_one_and_no_more_than_needed() -> None:
    places = ProcessPlaces(3)
    one, other, third = pools = Pool(1), Pool(2), Pool(0)
    for pool in pools:
        places.join(pool)
    async with places.place(third):
        assert (one.idle, other.idle) == (0, 2)
        third.idle = 0
        async with places.place(third):
            assert (one.idle, other.idle) == (0, 0)


async def test_what_is_idle_of_ones_own_is_taken() -> None:
    places = ProcessPlaces(2)
    one, other = pools = Pool(1), Pool(1)
    for pool in pools:
        places.join(pool)
    async with places.place(one):
        assert (one.idle, other.idle) == (1, 1)


async def test_a_pool_that_has_left_counts_no_more() -> None:
    places, gone, pool = ProcessPlaces(1), Pool(1), Pool()
    places.join(gone)
    places.join(pool)
    places.leave(gone)
    async with places.place(pool):
        assert gone.idle == 1
