"""Rows cached for a second, over a database that takes longer than that."""

import asyncio

from gateway.auth.row_cache import CACHE_S, RowCache


class Clock:
    """Stands still until it is set. Looked at for ever, it fails: no time-out ends a loop that never waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        assert self.looks < 100
        return self.now


async def test_who_comes_in_the_turn_in_which_a_slow_answer_does_asks_again() -> None:
    clock = Clock()
    kept: RowCache[str, int] = RowCache(clock=clock)
    answers = [asyncio.get_running_loop().create_future() for _ in range(2)]
    asked = iter(answers)

    async def find() -> int:
        answer: int = await next(asked)
        return answer

    first = asyncio.create_task(kept.get("key", find))
    await asyncio.sleep(0)  # to where it asks
    await asyncio.sleep(0)  # to where it waits
    clock.now = 2 * CACHE_S
    answers[0].set_result(1)
    second = asyncio.create_task(kept.get("key", find))
    assert await first == 1
    assert not second.done()
    answers[1].set_result(2)
    assert await second == 2
    assert await kept.get("key", find) == 2
