"""Connections kept for reuse: they are dropped when idle, and replaced when they turn out to be gone."""

import asyncio
import threading

import pytest

from loaders.warehouses.owned import Client, Owned, OwnedPool


class Gone(Exception):
    pass


class Dialed:
    """Connections are numbers, in the order of dialing; those in `gone` fail."""

    def __init__(self) -> None:
        self.last = 0
        self.gone: set[int] = set()
        self.left: list[str] = []

    def dial(self) -> int:
        self.last += 1
        return self.last

    def client(self) -> Client[int]:
        return Client(
            self.dial,
            lambda number: self.left.append(f"hung up {number}"),
            lambda error: isinstance(error, Gone),
            lambda number: self.left.append(f"abandoned {number}"),
        )

    def ask(self, number: int) -> int:
        if number in self.gone:
            raise Gone
        return number


async def test_one_that_served_and_is_gone_is_dialed_anew_once() -> None:
    dialed = Dialed()
    owned = Owned("t", dialed.client())
    assert await owned.asked(dialed.ask) == 1
    dialed.gone = {1}
    assert await owned.asked(dialed.ask) == 2
    assert dialed.left == ["abandoned 1"]
    dialed.gone = {2, 3}
    with pytest.raises(Gone):
        await owned.asked(dialed.ask)
    assert dialed.last == 3
    owned.drop()


async def test_a_new_one_that_is_gone_is_not_dialed_again() -> None:
    dialed = Dialed()
    dialed.gone = {1}
    owned = Owned("t", dialed.client())
    with pytest.raises(Gone):
        await owned.asked(dialed.ask)
    assert dialed.last == 1
    owned.drop()


async def test_other_failures_are_the_callers() -> None:
    dialed = Dialed()
    owned = Owned("t", dialed.client())
    assert await owned.asked(dialed.ask) == 1
    with pytest.raises(ZeroDivisionError):
        await owned.asked(lambda number: number // 0)
    assert await owned.asked(dialed.ask) == 1
    owned.drop()


async def test_what_was_idle_for_long_is_not_taken_again() -> None:
    now = 0.0
    dialed = Dialed()
    pool = OwnedPool("t", dialed.client(), idle_s=60, clock=lambda: now)
    first, second = pool.take(), pool.take()
    assert (await first.asked(dialed.ask), await second.asked(dialed.ask)) == (1, 2)
    pool.give_back(first, usable=True)
    now = 59
    pool.give_back(second, usable=True)
    now = 60
    assert pool.take() is second
    first.executor.shutdown()  # it has hung up
    assert dialed.left == ["hung up 1"]
    pool.give_back(second, usable=True)
    now = 120
    assert await pool.take().asked(dialed.ask) == 3
    pool.close()


async def test_what_stays_idle_is_dropped_though_none_is_taken() -> None:
    dialed, left = Dialed(), threading.Event()
    pool = OwnedPool("t", Client(dialed.dial, lambda _: left.set()), idle_s=0.01)
    for _ in range(2):
        owned = pool.take()
        assert await owned.asked(dialed.ask) == dialed.last
        pool.give_back(owned, usable=True)
        assert pool.idle == 1
        assert await asyncio.to_thread(left.wait, 30)
        assert pool.idle == 0
        left.clear()
    pool.close()
