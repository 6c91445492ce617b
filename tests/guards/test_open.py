"""What is open is asked about again: a watch ends soon after the permission that let it begin is taken away."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import NoReturn
from uuid import UUID

import pytest

from gateway.http.allowed import until_lost
from gateway.http.authentication import Authenticated
from gateway.settings import Settings
from loaders.errors import Forbidden, PermissionsUnavailable
from loaders.jobs.job import Snapshot
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import Checked, Listed, OpenFga
from loaders.openfga.tuples import Check, RelationTuple
from resolvers.jobs.visible import job_store
from resolvers.jobs.watch import watch_job
from resolvers.permissions.recheck import Rechecks
from resolvers.permissions.verdicts import ADMIN, Only, Verdicts
from resolvers.subject import Subject
from tests.guards.conftest import Granted
from tests.plans.ways import Ways
from tests.system.postponed import postponed_job
from tests.waiting import until

OWNER = Subject("test|owner", user_id=-1)
SOON_S = 10.0


@pytest.fixture
async def job(settings: Settings) -> AsyncIterator[UUID]:
    async with postponed_job(settings, OWNER.id) as id_:
        yield id_


@dataclass
class Counting:
    openfga: OpenFga
    asked: int = 0

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        self.asked += 1
        return await self.openfga.batch_check(subject_id, checks, ledger=ledger)

    async def list_objects(self, subject_id: str, relation: str, type_: str, *, ledger: Ledger) -> Listed:
        return await self.openfga.list_objects(subject_id, relation, type_, ledger=ledger)


@dataclass
class Silent(Counting):
    """Gives no verdict to the next `fails` questions."""

    fails: int = 0

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        if self.fails:
            self.fails -= 1
            raise PermissionsUnavailable("silent")
        return await super().batch_check(subject_id, checks, ledger=ledger)


async def revoke(openfga: OpenFga, subject: Subject) -> None:
    await openfga.write(deletes=[RelationTuple(names.user(subject.id), "admin", names.SYSTEM)], ledger=Ledger())


async def test_a_watch_ends_when_its_permission_is_revoked(
    ways: Ways, granted: Granted, openfga: OpenFga, job: UUID
) -> None:
    admin = await granted(("admin", names.SYSTEM))
    async with aclosing(watch_job(ways.context(admin), job)) as items:
        assert isinstance(await anext(items), Snapshot)
        await revoke(openfga, admin)
        started = time.monotonic()
        with pytest.raises(Forbidden):
            await anext(items)
        assert time.monotonic() - started < SOON_S


async def test_ones_own_job_is_watched_without_questions(ways: Ways, job: UUID) -> None:
    context = ways.context(OWNER)
    async with aclosing(watch_job(context, job)) as items:
        assert isinstance(await anext(items), Snapshot)
        await job_store(context).cancel(job)
        assert [item.is_final async for item in items] == [True]
    assert "openfga" not in context.ledger.stores


async def test_thousands_that_are_open_are_one_question(granted: Granted, openfga: OpenFga) -> None:
    admin, counting = await granted(("admin", names.SYSTEM)), Counting(openfga)
    rechecks = Rechecks(counting, seconds=0.05)
    waiting = [asyncio.ensure_future(rechecks.until_lost(admin.id, ADMIN)) for _ in range(2_000)]
    await asyncio.sleep(0)
    await revoke(openfga, admin)
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(error) for error in found} == {Forbidden}
    assert counting.asked <= 2


async def test_without_openfga_what_is_open_ends() -> None:
    down = await OpenFga.open(url="http://127.0.0.1:1", token=None, store="axion", timeout_ms=300)
    with pytest.raises(PermissionsUnavailable):
        await Rechecks(down, seconds=0.05).until_lost("someone", ADMIN)
    await down.close()


async def test_a_stream_ends_without_a_verdict_twice_and_when_less_is_granted(
    ways: Ways, granted: Granted, openfga: OpenFga
) -> None:
    ours = [names.organization(2**40 + n) for n in range(2)]
    member, authority = await granted(*(("member", each) for each in ours)), Silent(openfga)
    context = replace(ways.context(member), verdicts=Verdicts(member, authority, Ledger()))
    assert await context.verdicts.visible("organization", "can_view") == Only(frozenset(map(names.id_of, ours)))

    async def good() -> None:
        return None

    def reading() -> asyncio.Task[NoReturn]:
        lost = until_lost(context, Authenticated(member, None), good, every_s=0.01)
        return asyncio.create_task(lost)

    async with asyncio.timeout(60):
        stream = reading()
        authority.fails = 1
        await until(lambda: authority.asked > 3)
        assert not stream.done()
        authority.fails = 1_000
        with pytest.raises(PermissionsUnavailable):
            await stream
        authority.fails = 0
        stream = reading()
        await openfga.write(deletes=[RelationTuple(names.user(member.id), "member", ours[1])], ledger=Ledger())
        with pytest.raises(Forbidden):
            await stream
