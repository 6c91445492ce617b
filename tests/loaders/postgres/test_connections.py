"""Connections under what happens to them: none is lent twice, none is lost, and nobody waits without end."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import asyncpg
import pytest

from loaders.errors import StoreUnavailable
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.postgres.connections import Connection, Connections
from tests.waiting import until

Make = Callable[..., Connections]


@pytest.fixture
async def make(scratch_url: str) -> AsyncIterator[Make]:
    made: list[Connections] = []

    def make(maximum: int, connect: Callable[[], Awaitable[Connection]] | None = None, **bounds: float) -> Connections:
        made.append(Connections(connect or partial(asyncpg.connect, scratch_url), maximum, **bounds))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
async def observer(scratch_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(scratch_url)
    yield connection
    await connection.close()


def sql(text: str) -> Callable[[Connection], Awaitable[Any]]:
    return lambda connection: connection.fetchval(text)


PID = sql("SELECT pg_backend_pid()")


async def sleeping(observer: Connection, mark: str) -> bool:
    found = await observer.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND right(query, length($1)) = $1",
        mark,
    )
    return bool(found)


async def test_one_connection_serves_statement_after_statement(make: Make) -> None:
    connections = make(3)
    assert len({await connections.run(PID) for _ in range(5)}) == 1
    assert len(connections) == 1


async def test_no_more_than_the_maximum_and_in_turn(make: Make) -> None:
    connections = make(2)
    lent: list[int] = []

    async def one(number: int) -> int:
        async def statement(connection: Connection) -> int:
            lent.append(number)
            return int(await connection.fetchval("SELECT pg_backend_pid() FROM pg_sleep(0.01)"))

        return await connections.run(statement)

    await asyncio.gather(connections.run(PID), connections.run(PID))
    pids = await asyncio.gather(*(one(number) for number in range(12)))
    assert lent == list(range(12))
    assert len(set(pids)) == len(connections) == 2


async def test_who_waits_too_long_is_told_so(scratch_url: str, observer: Connection) -> None:
    postgres = await Postgres.open("scratch", scratch_url, pool_max=1, statement_timeout_ms=60_000)
    postgres.connections._wait_s = 0.2
    ledger = Ledger()
    holding = asyncio.create_task(postgres.fetch("SELECT pg_sleep(60) /* held */", ledger=Ledger()))
    await until(lambda: sleeping(observer, "/* held */"))
    with pytest.raises(StoreUnavailable, match="gave no connection in time"):
        await postgres.fetch_json("SELECT '1'", (), ledger=ledger)
    assert ledger.stores["scratch"].statements == 1
    holding.cancel()
    await asyncio.wait((holding,))
    postgres.connections._wait_s = 5.0
    assert await postgres.fetch_json("SELECT '1'", (), ledger=ledger) == "1"
    await postgres.close()


async def test_a_cancelled_statement_ends_in_the_server_and_its_connection_goes_on(
    make: Make, observer: Connection
) -> None:
    connections = make(1)
    pid = await connections.run(PID)
    statement = asyncio.create_task(connections.run(sql("SELECT pg_sleep(60) /* left */")))
    await until(lambda: sleeping(observer, "/* left */"))
    statement.cancel()
    assert await connections.run(PID) == pid  # waits until the server has cancelled
    assert statement.cancelled()
    assert not await sleeping(observer, "/* left */")


async def test_a_connection_that_comes_to_one_who_left_goes_to_the_next(make: Make, observer: Connection) -> None:
    connections = make(1)

    async def first() -> int:
        pid: int = await connections.run(sql("SELECT pg_backend_pid() FROM pg_sleep(0.2) /* first */"))
        left.cancel()  # it has been handed the connection, and has not run since
        return pid

    held = asyncio.create_task(first())
    await until(lambda: sleeping(observer, "/* first */"))
    left, next_ = (asyncio.create_task(connections.run(PID)) for _ in range(2))
    assert await next_ == await held
    assert left.cancelled()
    assert len(connections) == 1


async def test_a_statement_the_server_refuses_costs_no_connection(make: Make) -> None:
    connections = make(1)
    pid = await connections.run(PID)
    for wrong in ("SELECT 1 / 0", "SELECT * FROM nowhere", "SET LOCAL statement_timeout = 1; SELECT pg_sleep(60)"):
        with pytest.raises(asyncpg.PostgresError):
            await connections.run(lambda connection, wrong=wrong: connection.execute(wrong))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    with pytest.raises(asyncpg.DataError):
        await connections.run(lambda connection: connection.fetchval("SELECT $1::int", "no number"))
    assert await connections.run(PID) == pid


async def test_a_backend_that_is_ended_is_replaced(make: Make, observer: Connection) -> None:
    connections = make(1)
    pid = await connections.run(PID)
    running = asyncio.create_task(connections.run(sql("SELECT pg_sleep(60) /* shot */")))
    await until(lambda: sleeping(observer, "/* shot */"))
    await observer.execute("SELECT pg_terminate_backend($1)", pid)
    with pytest.raises(asyncpg.PostgresError):
        await running
    second = await connections.run(PID)
    assert second != pid

    idle = connections._free[0]
    await observer.execute("SELECT pg_terminate_backend($1)", second)
    await until(idle.is_closed)
    assert await connections.run(PID) not in (pid, second)
    assert len(connections) == 1


async def test_what_broke_the_connection_ends_it(make: Make) -> None:
    connections = make(1)

    async def breaks(_: Connection) -> None:
        raise ZeroDivisionError

    pid = await connections.run(PID)
    with pytest.raises(ZeroDivisionError):
        await connections.run(breaks)
    assert await connections.run(PID) != pid


async def test_a_server_that_is_away_frees_the_place(make: Make, scratch_url: str) -> None:
    away = True

    async def connect() -> Connection:
        await asyncio.sleep(0)
        if away:
            raise ConnectionRefusedError
        return await asyncpg.connect(scratch_url)

    connections = make(1, connect)
    found = await asyncio.gather(*(connections.run(PID) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in found] == [ConnectionRefusedError] * 5
    assert len(connections) == 0
    away = False
    assert await connections.run(PID)


async def test_a_server_that_is_silent_is_not_waited_for(make: Make) -> None:
    connections = make(1, lambda: asyncio.Future(), wait_s=0.05)
    found = await asyncio.gather(*(connections.run(PID) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [TimeoutError] * 3
    assert len(connections) == 0


async def test_connections_nobody_needs_are_closed(make: Make) -> None:
    connections = make(4)
    await asyncio.gather(*(connections.run(sql("SELECT pg_sleep(0.1)")) for _ in range(4)))
    connections._sweep()
    assert len(connections) == 4
    pid = await connections.run(PID)
    connections._sweep()
    await until(lambda: len(connections) == 1)
    assert await connections.run(PID) == pid

    idle = make(1, unused_s=0.05)
    await idle.run(PID)
    await until(lambda: len(idle) == 0)


async def test_an_old_connection_is_replaced_once_it_is_free(make: Make) -> None:
    connections = make(1, life_s=0.1)
    held = await connections.run(sql("SELECT pg_backend_pid() FROM pg_sleep(0.3)"))
    assert await connections.run(PID) != held
    await until(lambda: len(connections) == 0)


async def test_closing_waits_for_statements_and_refuses_others(make: Make, observer: Connection) -> None:
    connections = make(1)
    running = asyncio.create_task(connections.run(sql("SELECT 7 FROM pg_sleep(0.2) /* last */")))
    await until(lambda: sleeping(observer, "/* last */"))
    waiting = asyncio.create_task(connections.run(PID))
    await asyncio.sleep(0)
    await connections.close()
    assert await running == 7
    for late in (waiting, connections.run(PID)):
        with pytest.raises(asyncpg.InterfaceError, match="closed"):
            await late
    assert len(connections) == 0


async def test_nothing_is_lost_or_lent_twice_among_many_who_leave(make: Make) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    busy: set[Connection] = set()

    async def alone(connection: Connection) -> int:
        assert connection not in busy
        busy.add(connection)
        try:
            asked = chance.randrange(10**6)
            assert await connection.fetchval(f"SELECT {asked} FROM pg_sleep({chance.random() / 100})") == asked
            if chance.random() < 0.1:
                connection.terminate()
            return asked
        finally:
            busy.discard(connection)

    connections = make(3)

    async def one() -> None:
        task = asyncio.create_task(connections.run(alone))
        if chance.random() < 0.4:
            await asyncio.sleep(chance.random() / 50)
            task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled() or task.exception() is None, f"seed {seed}"

    async with asyncio.timeout(60):
        await asyncio.gather(*(one() for _ in range(200)))
        await until(lambda: not connections._ending)
        assert len(connections) == len(connections._free) <= 3, f"seed {seed}"
        assert (
            len(
                set(
                    await asyncio.gather(
                        *(connections.run(sql("SELECT pg_backend_pid() FROM pg_sleep(0.05)")) for _ in range(3))
                    )
                )
            )
            == 3
        )
