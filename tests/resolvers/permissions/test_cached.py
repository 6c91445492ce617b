"""Kept verdicts against a real OpenFGA: its calls counted, its tuples changed by this client and by another."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from loaders.errors import PermissionsUnavailable, StoreQueryFailed
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import MAX_LISTED, Checked, Listed, OpenFga
from loaders.openfga.tuples import Check, RelationTuple
from resolvers.permissions.answers import Lookup
from resolvers.permissions.cached import CachedAuthority
from tests.loaders.openfga.stores import Store

SECONDS = 0.75


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Gated:
    """The real client behind a gate: a question is sent, or its answer handed over, when the test says so."""

    def __init__(self, fga: OpenFga) -> None:
        self._fga = fga
        self.calls: list[list[Check] | tuple[str, str]] = []
        self.sent = asyncio.Event()
        self.answered = asyncio.Event()
        self.hold_question = False
        self.hold_answer = False
        self.open = asyncio.Event()

    @property
    def version(self) -> int:
        return self._fga.version

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        asked = list(checks)
        await self._question(asked)
        answer = await self._fga.batch_check(subject_id, asked, ledger=ledger)
        await self._answer()
        return answer

    async def list_objects(self, subject_id: str, relation: str, type_: str, *, ledger: Ledger) -> Listed:
        await self._question((relation, type_))
        answer = await self._fga.list_objects(subject_id, relation, type_, ledger=ledger)
        await self._answer()
        return answer

    async def _question(self, asked: list[Check] | tuple[str, str]) -> None:
        self.calls.append(asked)
        self.sent.set()
        if self.hold_question:
            await self.open.wait()

    async def _answer(self) -> None:
        self.answered.set()
        if self.hold_answer:
            await self.open.wait()


def member(organization: int, *, user: str = "ann", expires_at: datetime | None = None) -> RelationTuple:
    return RelationTuple(names.user(user), "member", names.organization(organization), expires_at)


def can_view(organization: int) -> Check:
    return Check("can_view", names.organization(organization))


def asked(ledger: Ledger) -> int:
    usage = ledger.stores.get("openfga")
    return 0 if usage is None else usage.statements


@pytest.fixture
async def fga(store: Store) -> OpenFga:
    client = store.client()
    await client.write([member(1), member(2)], ledger=Ledger())
    return client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gated(fga: OpenFga) -> Gated:
    return Gated(fga)


@pytest.fixture
def cached(gated: Gated, clock: Clock) -> CachedAuthority:
    return CachedAuthority(gated, seconds=SECONDS, size=1_000, clock=clock)


async def views(authority: CachedAuthority | OpenFga, organization: int, *, subject: str = "ann") -> bool:
    check = can_view(organization)
    answer = await authority.batch_check(subject, [check], ledger=Ledger())
    assert answer.undecided == frozenset()
    return check in answer.granted


async def listed(authority: CachedAuthority | OpenFga, *, subject: str = "ann") -> frozenset[str]:
    return (await authority.list_objects(subject, "can_view", "organization", ledger=Ledger())).ids


@pytest.mark.parametrize("seconds", [0, -1, 1.001, float("nan"), float("inf")])
def test_never_longer_than_a_second(fga: OpenFga, seconds: float) -> None:
    with pytest.raises(ValueError, match="at most"):
        CachedAuthority(fga, seconds=seconds, size=1)


async def test_second_request_asks_nothing(fga: OpenFga, clock: Clock) -> None:
    counted: Counter[Lookup] = Counter()
    cached = CachedAuthority(fga, seconds=SECONDS, size=9, clock=clock, count=lambda how: counted.update([how]))
    ledgers = [Ledger(), Ledger()]
    for ledger in ledgers:
        answer = await cached.batch_check("ann", [can_view(1), can_view(9), can_view(1)], ledger=ledger)
        assert answer == Checked(frozenset({can_view(1)}))
        found = await cached.list_objects("ann", "can_view", "organization", ledger=ledger)
        assert found == Listed(frozenset({"1", "2"}), complete=True)
    assert [asked(ledger) for ledger in ledgers] == [2, 0]
    assert counted == {"asked": 3, "kept": 3}


async def test_only_what_is_missing_is_asked(cached: CachedAuthority, gated: Gated) -> None:
    await cached.batch_check("ann", [can_view(1), can_view(8)], ledger=Ledger())
    answer = await cached.batch_check("ann", [can_view(8), can_view(2), can_view(1), can_view(9)], ledger=Ledger())
    assert answer.granted == {can_view(1), can_view(2)}
    assert gated.calls == [[can_view(1), can_view(8)], [can_view(2), can_view(9)]]


async def test_subjects_parents_and_relations_are_other_questions(
    cached: CachedAuthority, gated: Gated, fga: OpenFga
) -> None:
    grants = [RelationTuple("role:1", "assigned_role", "dataset:d"), RelationTuple("user:ann", "assignee", "role:1")]
    await fga.write([*grants, RelationTuple("user:*", "has_view_dataset", "role:1")], ledger=Ledger())
    under = Check("can_view", names.table("d", "t"), parent=names.dataset("d"))
    bare = Check(under.relation, under.object)
    first = await cached.batch_check("ann", [under], ledger=Ledger())
    assert first == await fga.batch_check("ann", [under], ledger=Ledger())
    assert (await cached.batch_check("ann", [bare], ledger=Ledger())).granted == frozenset()
    assert (await cached.batch_check("bob", [under], ledger=Ledger())).granted == frozenset()
    assert await listed(cached, subject="bob") == frozenset()
    assert await listed(cached) == {"1", "2"}
    assert len(gated.calls) == 5


async def test_kept_until_its_seconds_are_over(cached: CachedAuthority, store: Store, clock: Clock) -> None:
    assert await views(cached, 1)
    assert await listed(cached) == {"1", "2"}
    await store.client().write(deletes=[member(1)], ledger=Ledger())
    clock.now += SECONDS - 0.001
    assert await views(cached, 1)
    assert await listed(cached) == {"1", "2"}
    clock.now += 0.001
    assert not await views(cached, 1)
    assert await listed(cached) == {"2"}


async def test_age_counts_from_before_the_question(cached: CachedAuthority, gated: Gated, clock: Clock) -> None:
    gated.hold_answer = True
    first = asyncio.create_task(views(cached, 1))
    await gated.answered.wait()
    clock.now += SECONDS
    gated.open.set()
    assert await first  # its question was sent when it came
    assert await views(cached, 1)
    assert len(gated.calls) == 2


async def test_who_comes_later_takes_no_aged_answer_of_a_call_under_way(
    cached: CachedAuthority, gated: Gated, store: Store, clock: Clock
) -> None:
    """A slow OpenFGA: the answer was true when it was made, and is too old when it comes."""
    gated.hold_answer = True
    first = asyncio.create_task(views(cached, 1))
    await gated.answered.wait()
    await store.client().write(deletes=[member(1)], ledger=Ledger())
    clock.now += 0.1
    later = [asyncio.create_task(views(cached, 1)) for _ in range(3)]
    await asyncio.sleep(0)  # they share the call
    clock.now += SECONDS
    gated.open.set()
    assert await first
    assert await asyncio.gather(*later) == [False] * 3
    assert len(gated.calls) == 2


async def test_revoked_by_another_is_refused_within_a_second(fga: OpenFga, store: Store) -> None:
    """The real clock, as on every other worker: asked without pause while the tuple goes."""
    cached = CachedAuthority(fga, seconds=SECONDS, size=9)
    assert await views(cached, 1)
    assert await listed(cached) == {"1", "2"}
    other = store.client()
    await other.ping(ledger=Ledger())
    await other.write(deletes=[member(1)], ledger=Ledger())
    revoked = time.monotonic()
    last_check = last_list = revoked
    while time.monotonic() < revoked + 1.5:
        began = time.monotonic()
        if await views(cached, 1):
            last_check = began
        began = time.monotonic()
        if "1" in await listed(cached):
            last_list = began
        await asyncio.sleep(0.002)  # as requests would come
    assert last_check - revoked < 1.0
    assert last_list - revoked < 1.0


async def test_own_write_counts_at_once(cached: CachedAuthority, fga: OpenFga) -> None:
    assert await views(cached, 1)
    assert not await views(cached, 5)
    assert await listed(cached) == {"1", "2"}
    await fga.write([member(5)], [member(1)], ledger=Ledger())
    assert not await views(cached, 1)
    assert await views(cached, 5)
    assert await listed(cached) == {"2", "5"}


async def test_own_write_that_failed_drops_too(cached: CachedAuthority, fga: OpenFga, gated: Gated) -> None:
    await views(cached, 1)
    with pytest.raises(StoreQueryFailed):
        await fga.write([RelationTuple("user:ann", "no_such_relation", "organization:1")], ledger=Ledger())
    await views(cached, 1)
    assert len(gated.calls) == 2


@pytest.mark.parametrize("hold", ["hold_question", "hold_answer"])
async def test_answer_in_flight_during_an_own_write_is_not_kept(
    cached: CachedAuthority, gated: Gated, fga: OpenFga, hold: str
) -> None:
    setattr(gated, hold, True)
    first = asyncio.create_task(views(cached, 1))
    await (gated.sent if hold == "hold_question" else gated.answered).wait()
    await fga.write(deletes=[member(1)], ledger=Ledger())
    after = asyncio.create_task(views(cached, 1))  # must not join the call from before the write
    await asyncio.sleep(0)
    gated.open.set()
    assert await first is (hold == "hold_answer")
    assert not await after
    assert not await views(cached, 1)
    assert len(gated.calls) == 2


async def test_what_was_asked_while_an_own_write_was_on_its_way_is_not_kept(fga: OpenFga, clock: Clock) -> None:
    cached = CachedAuthority(fga, seconds=SECONDS, size=9, clock=clock)
    assert await views(cached, 1)
    before = fga.version
    writing = asyncio.create_task(fga.write(deletes=[member(1)], ledger=Ledger()))
    await asyncio.sleep(0)
    assert fga.version != before  # it is on its way
    during = Ledger()
    await cached.batch_check("ann", [can_view(1)], ledger=during)
    await writing
    assert asked(during) == 1
    assert not await views(cached, 1)


async def test_concurrent_requests_share_a_call(cached: CachedAuthority, gated: Gated) -> None:
    gated.hold_question = True
    requests = [asyncio.create_task(views(cached, 1)) for _ in range(20)]
    lists = [asyncio.create_task(listed(cached)) for _ in range(20)]
    both = asyncio.create_task(cached.batch_check("ann", [can_view(1), can_view(2)], ledger=Ledger()))
    await gated.sent.wait()
    await asyncio.sleep(0)
    gated.open.set()
    assert await asyncio.gather(*requests) == [True] * 20
    assert await asyncio.gather(*lists) == [frozenset({"1", "2"})] * 20
    assert (await both).granted == {can_view(1), can_view(2)}
    assert sorted(map(str, gated.calls)) == sorted(
        map(str, [[can_view(1)], ("can_view", "organization"), [can_view(2)]])
    )


async def test_one_request_cancelled_does_not_cancel_the_others(cached: CachedAuthority, gated: Gated) -> None:
    gated.hold_question = True
    began = asyncio.create_task(views(cached, 1))
    await gated.sent.wait()
    waits = asyncio.create_task(views(cached, 1))
    leaves = asyncio.create_task(views(cached, 1))
    await asyncio.sleep(0)
    for task in (began, leaves):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    gated.open.set()
    assert await waits
    assert len(gated.calls) == 1


async def test_close_ends_calls_under_way(cached: CachedAuthority, gated: Gated) -> None:
    gated.hold_question = True
    request = asyncio.create_task(views(cached, 1))
    await gated.sent.wait()
    await cached.close()
    with pytest.raises(asyncio.CancelledError):
        await request


async def test_of_an_incomplete_list_it_is_kept_that_it_is_incomplete(fga: OpenFga, gated: Gated, clock: Clock) -> None:
    cached = CachedAuthority(gated, seconds=SECONDS, size=2 * MAX_LISTED, clock=clock)
    await fga.write([member(i) for i in range(3, MAX_LISTED + 2)], ledger=Ledger())
    for _ in range(2):
        found = await cached.list_objects("ann", "can_view", "organization", ledger=Ledger())
        assert found == Listed(frozenset(), complete=False)
    assert len(gated.calls) == 1
    assert cached.weight == 1


async def test_condition_that_ends_counts_when_the_verdict_has_aged(store: Store, clock: Clock) -> None:
    end = datetime(2030, 1, 1, tzinfo=UTC)
    fga = store.client(lambda: end + timedelta(seconds=clock.now - 1_000.1))
    await fga.write([member(7, expires_at=end)], ledger=Ledger())
    cached = CachedAuthority(fga, seconds=SECONDS, size=9, clock=clock)
    assert await views(cached, 7)
    clock.now += 0.2
    assert await views(cached, 7)  # late, by less than SECONDS
    clock.now += SECONDS - 0.2
    assert not await views(cached, 7)


async def test_bounded(fga: OpenFga, clock: Clock) -> None:
    cached = CachedAuthority(fga, seconds=SECONDS, size=50, clock=clock)
    for first in range(0, 500, 40):
        await cached.batch_check("ann", map(can_view, range(first, first + 40)), ledger=Ledger())
        await cached.list_objects(f"user-{first}", "can_view", "organization", ledger=Ledger())
        assert cached.weight <= 100
    ledger = Ledger()
    await cached.batch_check("ann", map(can_view, range(480, 520)), ledger=ledger)  # the newest were kept
    assert asked(ledger) == 0
    await cached.batch_check("ann", [can_view(0)], ledger=ledger)
    assert asked(ledger) == 1


async def test_list_larger_than_the_bound_is_not_kept_and_drives_nothing_out(fga: OpenFga, clock: Clock) -> None:
    cached = CachedAuthority(fga, seconds=SECONDS, size=2, clock=clock)
    ledger = Ledger()
    assert await listed(cached, subject="bob") == frozenset()
    for _ in range(2):
        found = await cached.list_objects("ann", "can_view", "organization", ledger=ledger)
        assert found.ids == {"1", "2"}
    assert asked(ledger) == 2
    assert cached.weight == 1


async def test_aged_verdicts_leave_memory(cached: CachedAuthority, clock: Clock) -> None:
    await cached.batch_check("ann", map(can_view, range(100)), ledger=Ledger())
    assert cached.weight == 100
    clock.now += SECONDS
    await views(cached, 1)
    assert cached.weight == 1


async def test_what_openfga_does_not_take_is_denied_and_not_kept(cached: CachedAuthority) -> None:
    ledger = Ledger()
    odd = [Check("can_view", "organization:" + "9" * 100_000), Check("", "organization:1"), Check("can_view", "x y")]
    assert await cached.batch_check("ann", odd, ledger=ledger) == Checked(frozenset())
    assert asked(ledger) == 0
    assert cached.weight == 0


class Undecided:
    """An authority without a verdict, as OpenFGA's item errors are read (tests/loaders/openfga/test_faults.py)."""

    version = 0

    def __init__(self) -> None:
        self.calls = 0

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        self.calls += 1
        return Checked(granted=frozenset(), undecided=frozenset(checks))

    async def list_objects(self, subject_id: str, relation: str, type_: str, *, ledger: Ledger) -> Listed:
        self.calls += 1
        raise PermissionsUnavailable("OpenFGA cannot be reached.")


async def test_undecided_and_failed_are_not_kept(clock: Clock) -> None:
    source = Undecided()
    cached = CachedAuthority(source, seconds=SECONDS, size=9, clock=clock)
    for _ in range(2):
        answer = await cached.batch_check("ann", [can_view(1)], ledger=Ledger())
        assert answer == Checked(frozenset(), frozenset({can_view(1)}))
        with pytest.raises(PermissionsUnavailable):
            await listed(cached)
    assert source.calls == 4
    assert cached.weight == 0
