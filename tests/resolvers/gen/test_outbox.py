"""The outbox over a real Postgres and OpenFGA: every entry is delivered, in order, and takes effect once."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from math import isnan

import pytest
import sqlalchemy as sa

from gateway.metrics import REGISTRY, observe_backlog
from loaders.errors import BadInput
from loaders.ledger import Ledger
from loaders.openfga import outbox
from loaders.openfga.client import MAX_TUPLES, OpenFga
from loaders.openfga.outbox import Round
from loaders.openfga.sweep import sweep
from loaders.openfga.tuples import RelationTuple
from loaders.postgres.client import Postgres
from tests.resolvers.gen.conftest import GenStores
from tests.waiting import until

DUE = "UPDATE openfga_outbox SET next_attempt_at = now()"


@pytest.fixture
def gen(stores: GenStores) -> Postgres:
    return stores.postgres["axion_gen"]


@pytest.fixture
async def gone() -> AsyncIterator[OpenFga]:
    openfga = await OpenFga.open(url="http://127.0.0.1:1", token=None, store="axion", timeout_ms=1_000)
    yield openfga
    await openfga.close()


async def execute(postgres: Postgres, sql: str) -> None:
    async with postgres.transaction() as session:
        await session.execute(sa.text(sql))


def holder(name: str, role: int = 7) -> RelationTuple:
    return RelationTuple(f"user:{name}", "assignee", f"role:{role}")


BROKEN = RelationTuple("user:ann", "no_such_relation", "role:66")


async def noted(
    postgres: Postgres, *, writes: tuple[RelationTuple, ...] = (), deletes: tuple[RelationTuple, ...] = ()
) -> None:
    async with postgres.transaction() as session:
        await outbox.note(session, writes=writes, deletes=deletes)


async def held(stores: GenStores, role: int = 7) -> set[str]:
    return {found.user async for found in stores.openfga.read(object_=f"role:{role}", ledger=Ledger())}


async def delivered(stores: GenStores, postgres: Postgres) -> Round:
    return await outbox.deliver(postgres, stores.openfga, ledger=Ledger())


async def test_a_transaction_that_fails_notes_nothing(stores: GenStores, gen: Postgres) -> None:
    async def fails() -> None:
        async with gen.transaction() as session:
            await outbox.note(session, writes=[holder("ann")])
            raise BadInput("changed my mind")

    with pytest.raises(BadInput):
        await fails()
    assert await delivered(stores, gen) == Round(0, 0)
    assert not await outbox.waiting(gen, ["role:7"], ledger=Ledger())
    assert await held(stores) == set()


async def test_notes_of_an_object_are_delivered_in_their_order(stores: GenStores, gen: Postgres) -> None:
    await noted(gen, writes=(holder("ann"), holder("bob")))
    await noted(gen, deletes=(holder("ann"),))
    await noted(gen, writes=(holder("cid"),), deletes=(holder("bob"),))
    await execute(gen, DUE)
    for after in ({"user:ann", "user:bob"}, {"user:bob"}, {"user:cid"}):
        assert await delivered(stores, gen) == Round(1, 0)  # of one object, the first only
        assert await held(stores) == after
    assert await delivered(stores, gen) == Round(0, 0)


async def test_a_note_delivered_twice_does_no_harm(stores: GenStores, gen: Postgres) -> None:
    """As after a crash between OpenFGA's answer and the commit that marks it."""
    await noted(gen, writes=(holder("ann"),), deletes=(holder("bob"),))
    for _ in range(2):
        await execute(gen, "UPDATE openfga_outbox SET delivered_at = NULL, next_attempt_at = now()")
        assert await delivered(stores, gen) == Round(1, 0)
        assert await held(stores) == {"user:ann"}


async def test_transactions_on_one_object_are_noted_in_the_order_of_their_commits(
    stores: GenStores, gen: Postgres
) -> None:
    """The second waits to note until the first has ended: sequence and commits cannot differ."""
    async with gen.transaction() as first:
        await outbox.note(first, writes=[holder("ann")])
        second = asyncio.create_task(noted(gen, deletes=(holder("ann"),)))
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
        await until(lambda: _any(gen, waiting))
        other = asyncio.create_task(noted(gen, writes=(holder("ann", 8),)))  # another object does not wait
        await asyncio.wait_for(other, 5)
        assert not second.done()
    await second
    await outbox.settle(gen, stores.openfga, ["role:7", "role:8"], ledger=Ledger())
    assert await held(stores) == set()
    assert await held(stores, 8) == {"user:ann"}


async def _any(postgres: Postgres, sql: str) -> bool:
    return bool(await postgres.fetch(sql, ledger=Ledger()))


async def test_many_tuples_are_several_writes(stores: GenStores, gen: Postgres) -> None:
    many = tuple(holder(f"user-{i}") for i in range(2 * MAX_TUPLES + 1))
    await noted(gen, writes=many, deletes=(holder("ann"),))
    await outbox.settle(gen, stores.openfga, ["role:7"], ledger=Ledger())
    assert len(await held(stores)) == len(many)
    counts = await gen.fetch("SELECT count(*) AS n FROM openfga_outbox", ledger=Ledger())
    assert counts[0]["n"] == 4


async def test_two_who_deliver_at_once_deliver_each_note_once(stores: GenStores, gen: Postgres) -> None:
    for role in range(100, 140):
        await noted(gen, writes=(holder("ann", role),))
    await execute(gen, DUE)
    rounds = await asyncio.gather(delivered(stores, gen), delivered(stores, gen))
    assert sum(each.delivered for each in rounds) == 40
    assert not any(each.failed for each in rounds)


async def test_a_note_openfga_does_not_take_waits_and_holds_up_no_other(stores: GenStores, gen: Postgres) -> None:
    await noted(gen, writes=(BROKEN,))
    await noted(gen, writes=(holder("ann", 66),))  # of the same object: must not overtake it
    await noted(gen, writes=(holder("ann"),))
    await execute(gen, DUE)
    assert await delivered(stores, gen) == Round(1, 1)
    assert await held(stores) == {"user:ann"}
    assert await delivered(stores, gen) == Round(0, 0)
    rows = await gen.fetch(
        "SELECT attempts, last_error, next_attempt_at - now() > '1.5 s' AS waits FROM openfga_outbox"
        " WHERE delivered_at IS NULL ORDER BY id",
        ledger=Ledger(),
    )
    assert (rows[0]["attempts"], rows[0]["waits"], rows[1]["attempts"]) == (1, True, 0)
    assert "not in the model" in rows[0]["last_error"]
    await execute(gen, "UPDATE openfga_outbox SET attempts = 60, next_attempt_at = now() WHERE attempts = 1")
    assert await delivered(stores, gen) == Round(0, 1)
    latest = "SELECT max(next_attempt_at) - now() < '301 s' AS bounded FROM openfga_outbox"
    rows = await gen.fetch(latest, ledger=Ledger())
    assert rows[0]["bounded"]


async def test_an_outage_postpones_one_note_and_loses_none(stores: GenStores, gen: Postgres, gone: OpenFga) -> None:
    await noted(gen, writes=(holder("ann"), holder("ann", 8)))
    await outbox.settle(gen, gone, ["role:7", "role:8"], ledger=Ledger())
    assert await outbox.waiting(gen, ["role:7"], ledger=Ledger())
    tried = await gen.fetch("SELECT attempts FROM openfga_outbox ORDER BY id", ledger=Ledger())
    assert [row["attempts"] for row in tried] == [1, 0]  # the second is not sent into the same outage
    await outbox.settle(gen, stores.openfga, ["role:7", "role:8"], ledger=Ledger())  # a later request does not wait
    assert not await outbox.waiting(gen, ["role:7", "role:8"], ledger=Ledger())
    assert (await held(stores), await held(stores, 8)) == ({"user:ann"}, {"user:ann"})


async def test_settling_without_postgres_raises_nothing(stores: GenStores) -> None:
    """The change is committed: what the caller is told must not be a failure."""
    away = await Postgres.open("axion_gen", "postgresql://x:x@127.0.0.1:1/x", pool_max=1, statement_timeout_ms=1_000)
    await outbox.settle(away, stores.openfga, ["role:7"], ledger=Ledger())
    await away.close()


async def test_the_sweep_delivers_what_is_left_until_it_is_cancelled(stores: GenStores, gen: Postgres) -> None:
    await noted(gen, writes=(holder("ann"),))
    sweeping = asyncio.create_task(sweep(gen, stores.openfga, every_s=0.01))
    await execute(gen, DUE)

    async def is_delivered() -> bool:
        return not await outbox.waiting(gen, ["role:7"], ledger=Ledger())

    await until(is_delivered)
    sweeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweeping
    assert await held(stores) == {"user:ann"}


async def test_metrics_tell_of_what_is_undelivered(stores: GenStores, gen: Postgres) -> None:
    def told() -> list[float | None]:
        gauges = ("undelivered", "refused", "oldest_seconds")
        return [REGISTRY.get_sample_value(f"axion_outbox_{gauge}") for gauge in gauges]

    read = partial(outbox.backlog, gen, ledger=Ledger())
    await observe_backlog(read)
    assert told() == [0, 0, 0]
    await noted(gen, writes=(BROKEN,))
    await noted(gen, writes=(holder("ann"),))
    await execute(gen, "UPDATE openfga_outbox SET created_at = now() - interval '1 hour', next_attempt_at = now()")
    await delivered(stores, gen)
    await observe_backlog(read)
    undelivered, refused, oldest = told()
    assert (undelivered, refused) == (1, 1)
    assert oldest is not None
    assert 3_600 <= oldest < 3_660
    away = await Postgres.open("axion_gen", "postgresql://x:x@127.0.0.1:1/x", pool_max=1, statement_timeout_ms=1_000)
    await observe_backlog(partial(outbox.backlog, away, ledger=Ledger()))
    await away.close()
    assert all(value is not None and isnan(value) for value in told())


async def test_what_was_delivered_a_week_ago_is_removed(stores: GenStores, gen: Postgres) -> None:
    for role in (1, 2, 3):
        await noted(gen, writes=(holder("ann", role),))
    await execute(gen, "UPDATE openfga_outbox SET delivered_at = now() - interval '8 days' WHERE object = 'role:1'")
    await execute(gen, "UPDATE openfga_outbox SET delivered_at = now() - interval '6 days' WHERE object = 'role:2'")
    await outbox.prune(gen, ledger=Ledger())
    rows = await gen.fetch("SELECT object FROM openfga_outbox ORDER BY 1", ledger=Ledger())
    assert [row["object"] for row in rows] == ["role:2", "role:3"]
