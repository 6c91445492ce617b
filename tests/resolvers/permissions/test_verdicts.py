"""One request's verdicts against a real OpenFGA, the calls counted."""

import asyncio
from collections.abc import Iterable

import pytest

from loaders.errors import Forbidden, PermissionsUnavailable, Unauthenticated
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import MAX_CHECKS, MAX_LISTED, Checked, Listed, OpenFga
from loaders.openfga.tuples import Check, RelationTuple
from resolvers.permissions.verdicts import ADMIN, Everything, Only, Unbounded, Verdicts
from resolvers.subject import ANONYMOUS, Subject
from tests.loaders.openfga.stores import Store

ANN = Subject("ann", user_id=1)
ROOT = Subject("root", user_id=2)


@pytest.fixture
async def fga(store: Store) -> OpenFga:
    client = store.client()
    grants = [RelationTuple(names.user("ann"), "member", names.organization(i)) for i in range(1, 4)]
    await client.write([*grants, RelationTuple(names.user("root"), "admin", names.SYSTEM)], ledger=Ledger())
    return client


def asked(ledger: Ledger) -> int:
    usage = ledger.stores.get("openfga")
    return 0 if usage is None else usage.statements


async def test_checks_of_one_moment_are_one_call_and_each_is_asked_once(fga: OpenFga) -> None:
    ledger = Ledger()
    verdicts = Verdicts(ANN, fga, ledger)
    names_ = [names.organization(i) for i in range(10)]
    answers = await asyncio.gather(*(verdicts.check("can_view", name) for name in names_ + names_))
    assert answers == [1 <= i <= 3 for i in range(10)] * 2
    assert asked(ledger) == 1
    assert await verdicts.check("can_view", names_[1])
    assert not await verdicts.is_admin()
    assert asked(ledger) == 1


async def test_admin_may_do_what_no_tuple_says(fga: OpenFga) -> None:
    ledger = Ledger()
    verdicts = Verdicts(ROOT, fga, ledger)
    assert await verdicts.check("can_view", names.organization(9))
    assert await verdicts.visible("organization", "can_view") == Everything()
    assert await verdicts.filter("organization", "can_view", [8, "9"]) == {"8", "9"}
    await verdicts.require_admin()
    assert asked(ledger) == 1  # an admin is not asked about one by one


async def test_visible_is_one_check_and_one_list(fga: OpenFga) -> None:
    ledger = Ledger()
    verdicts = Verdicts(ANN, fga, ledger)
    first, second = await asyncio.gather(
        verdicts.visible("organization", "can_view"), verdicts.visible("organization", "can_view")
    )
    assert first == second == Only(frozenset({"1", "2", "3"}))
    assert await verdicts.visible("dataset", "can_view") == Only(frozenset())
    assert asked(ledger) == 3


async def test_more_than_can_be_listed_is_unbounded_and_is_filtered(fga: OpenFga) -> None:
    more = [RelationTuple(names.user("ann"), "member", names.organization(i)) for i in range(4, MAX_LISTED + 10)]
    await fga.write(more, ledger=Ledger())
    ledger = Ledger()
    verdicts = Verdicts(ANN, fga, ledger)
    assert await verdicts.visible("organization", "can_view") == Unbounded()
    before = asked(ledger)
    candidates = range(MAX_LISTED, MAX_LISTED + 100)
    assert await verdicts.filter("organization", "can_view", candidates) == {
        str(i) for i in range(MAX_LISTED, MAX_LISTED + 10)
    }
    assert (asked(ledger), asked(ledger.aside)) == (before, 100 // MAX_CHECKS)


async def test_anonymous_is_never_asked_about(fga: OpenFga) -> None:
    await fga.write([RelationTuple("user:*", "has_view_dataset", "role:1")], ledger=Ledger())
    ledger = Ledger()
    verdicts = Verdicts(ANONYMOUS, fga, ledger)
    assert not await verdicts.is_admin()
    assert not await verdicts.check("has_view_dataset", "role:1")
    assert await verdicts.visible("organization", "can_view") == Only(frozenset())
    assert await verdicts.filter("organization", "can_view", [1]) == frozenset()
    for demand in (verdicts.require_admin(), verdicts.require("can_view", names.organization(1))):
        with pytest.raises(Unauthenticated, match="bearer token"):
            await demand
    assert asked(ledger) == 0


async def test_require(fga: OpenFga) -> None:
    verdicts = Verdicts(ANN, fga, Ledger())
    await verdicts.require("can_view", names.organization(1))
    for demand in (verdicts.require("can_admin", names.organization(1)), verdicts.require_admin()):
        with pytest.raises(Forbidden):
            await demand


async def test_an_unknown_relation_is_no(fga: OpenFga) -> None:
    verdicts = Verdicts(ANN, fga, Ledger())
    assert not await verdicts.check("can_fly", names.organization(1))
    with pytest.raises(PermissionsUnavailable, match="axion migrate openfga"):
        await verdicts.visible("organization", "can_fly")


async def test_one_waiter_cancelled_does_not_cancel_the_others(fga: OpenFga) -> None:
    verdicts = Verdicts(ANN, fga, Ledger())
    gone = asyncio.create_task(verdicts.check("can_view", names.organization(1)))
    stays = asyncio.create_task(verdicts.check("can_view", names.organization(1)))
    await asyncio.sleep(0)  # both have asked
    gone.cancel()
    assert await stays
    with pytest.raises(asyncio.CancelledError):
        await gone


class Undecided:
    """An authority where a cache of verdicts will stand: it has a verdict for what it is given."""

    def __init__(self, granted: frozenset[Check], undecided: frozenset[Check]) -> None:
        self._answer = Checked(granted, undecided)

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        return self._answer

    async def list_objects(self, subject_id: str, relation: str, type_: str, *, ledger: Ledger) -> Listed:
        return Listed(frozenset(), complete=False)


OWN = Check("can_view", "organization:1")


@pytest.mark.parametrize(
    ("granted", "undecided", "verdict"),
    [
        ({OWN}, {ADMIN}, True),
        ({ADMIN}, {OWN}, True),
        (set(), {OWN}, None),
        (set(), {ADMIN}, None),
        (set(), {OWN, ADMIN}, None),
        (set(), set(), False),
        ({Check("can_view", "organization:2")}, set(), False),
    ],
)
async def test_no_verdict_is_never_a_yes(granted: set[Check], undecided: set[Check], verdict: bool | None) -> None:
    verdicts = Verdicts(ANN, Undecided(frozenset(granted), frozenset(undecided)), Ledger())
    if verdict is None:
        with pytest.raises(PermissionsUnavailable):
            await verdicts.check(OWN.relation, OWN.object)
    else:
        assert await verdicts.check(OWN.relation, OWN.object) is verdict
