import asyncio

import pytest

from loaders.concurrently import concurrently


async def value(number: int) -> int:
    await asyncio.sleep(0)
    return number


async def test_results_in_order() -> None:
    assert await concurrently(value(number) for number in range(5)) == [0, 1, 2, 3, 4]
    assert await concurrently([]) == []


async def test_the_first_failure_is_raised_when_the_others_have_ended() -> None:
    ended = asyncio.Event()

    async def waits() -> int:
        try:
            return await asyncio.Event().wait()
        finally:
            ended.set()

    async def fails() -> int:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await concurrently([waits(), value(1), fails()])
    assert ended.is_set()


async def test_a_cancelled_caller_cancels_all() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def waits() -> int:
        started.set()
        try:
            return await asyncio.Event().wait()
        finally:
            ended.set()

    caller = asyncio.create_task(concurrently([waits()]))
    await started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()
