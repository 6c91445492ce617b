"""What was decided by verdicts holds while memory gives the same ones, and no longer."""

import pytest

from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from resolvers.permissions.cached import CachedAuthority
from resolvers.permissions.verdicts import ADMIN, Grounds, Only, Verdicts
from resolvers.subject import ANONYMOUS, Subject
from tests.loaders.openfga.stores import Store

ANN = Subject("ann", user_id=1)
MEMBER = RelationTuple(names.user("ann"), "member", names.organization(1))
ALSO = RelationTuple(names.user("ann"), "member", names.organization(2))
ORGANIZATIONS = ("organization", "can_view")


@pytest.fixture
async def fga(store: Store) -> OpenFga:
    client = store.client()
    await client.write([MEMBER], ledger=Ledger())
    return client


def remembered(fga: OpenFga) -> CachedAuthority:
    return CachedAuthority(fga, seconds=1, size=100, clock=lambda: 0.0)


async def decided(kept: CachedAuthority) -> Grounds:
    verdicts = Verdicts(ANN, kept, Ledger(), memory=kept)
    await verdicts.visible(*ORGANIZATIONS)
    grounds = verdicts.grounds()
    assert grounds == Grounds(((ADMIN, False),), ((ORGANIZATIONS, Only(frozenset({"1"}))),))
    return grounds


async def test_it_holds_for_the_next_request_without_a_question(fga: OpenFga) -> None:
    kept, ledger = remembered(fga), Ledger()
    grounds = await decided(kept)
    next_ = Verdicts(ANN, kept, ledger, memory=kept)
    assert next_.still(grounds)
    assert await next_.visible(*ORGANIZATIONS) == Only(frozenset({"1"}))
    assert ledger.stores == {}


@pytest.mark.parametrize("revoked", [True, False])
async def test_it_ends_with_a_change_of_what_is_seen(fga: OpenFga, revoked: bool) -> None:
    kept = remembered(fga)
    grounds = await decided(kept)
    await fga.write(*(([], [MEMBER]) if revoked else ([ALSO], [])), ledger=Ledger())
    assert not Verdicts(ANN, kept, Ledger(), memory=kept).still(grounds)  # nothing is remembered any more
    asked = Verdicts(ANN, kept, Ledger(), memory=kept)
    await asked.visible(*ORGANIZATIONS)
    assert not asked.still(grounds)
    assert not Verdicts(ANN, kept, Ledger(), memory=kept).still(grounds)  # something else is


async def test_it_ends_when_the_caller_becomes_admin(fga: OpenFga) -> None:
    kept = remembered(fga)
    grounds = await decided(kept)
    await fga.write([RelationTuple(names.user("ann"), "admin", names.SYSTEM)], ledger=Ledger())
    asked = Verdicts(ANN, kept, Ledger(), memory=kept)
    assert await asked.is_admin()
    assert not asked.still(grounds)


async def test_it_is_the_callers_own_and_needs_a_memory(fga: OpenFga) -> None:
    kept = remembered(fga)
    grounds = await decided(kept)
    assert not Verdicts(Subject("bob"), kept, Ledger(), memory=kept).still(grounds)
    assert not Verdicts(ANN, kept, Ledger()).still(grounds)


async def test_without_verdicts_it_holds_for_ever(fga: OpenFga) -> None:
    verdicts = Verdicts(ANONYMOUS, fga, Ledger())
    assert await verdicts.visible(*ORGANIZATIONS) == Only(frozenset())
    assert verdicts.grounds() == Grounds((), ())
