"""Guards made of guards: what they come to for a stranger, a user who sees two organizations and a system admin."""

from collections.abc import Collection

import pytest

from loaders.description import Table
from loaders.errors import Unauthenticated
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple
from loaders.read import And, Col, Compare, Exists, Never, Op, Or, Predicate, Read
from resolvers.permissions.guards import Admins, AllOf, AnyOf, Own, RowGuard, SignedIn, Through, Visible, Where
from resolvers.permissions.station import guard
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import ANONYMOUS, Subject
from tests.loaders.openfga.stores import Store
from tests.resolvers.permissions.tables import FRAME_BATCHES, TO_TRACK

PENDING = Where("status", "pending")
MINE = Own("status", "id")
PERSONAL = Own("status", "id", personal=True)
SEEN = Visible("organization", "can_view", "organization_id")
ORGANIZATIONS = Compare(Col("organization_id"), Op.IN, (1, 2))
IS_PENDING = Compare(Col("status"), Op.EQ, "pending")
IS_NULL = Compare(Col("status"), Op.IS_NULL, True)


def is_mine(name: str) -> Predicate:
    return Compare(Col("status"), Op.EQ, name)


CASES: dict[str, tuple[RowGuard, Predicate | None, Predicate | None, Predicate | None]] = {
    "signed in": (SignedIn("a test"), None, None, None),
    "admins": (Admins(), Never(), Never(), None),
    "own": (MINE, is_mine("stranger"), is_mine("ann"), None),
    "personal": (PERSONAL, is_mine("stranger"), is_mine("ann"), is_mine("root")),
    "a word": (PENDING, IS_PENDING, IS_PENDING, IS_PENDING),
    "nothing": (Where("status", None), IS_NULL, IS_NULL, IS_NULL),
    "through": (Through(TO_TRACK, SEEN), Never(), Exists(TO_TRACK, ORGANIZATIONS), None),
    "any": (AnyOf((MINE, PENDING)), Or((is_mine("stranger"), IS_PENDING)), Or((is_mine("ann"), IS_PENDING)), None),
    "any, some nothing": (AnyOf((Admins(), PENDING)), IS_PENDING, IS_PENDING, None),
    "any, all nothing": (AnyOf((Admins(), Through(TO_TRACK, Admins()))), Never(), Never(), None),
    "all": (
        AllOf((PENDING, Through(TO_TRACK, SEEN))),
        Never(),
        And((IS_PENDING, Exists(TO_TRACK, ORGANIZATIONS))),
        IS_PENDING,
    ),
    "all, everything": (AllOf((SignedIn("a test"), MINE)), is_mine("stranger"), is_mine("ann"), None),
    "none to hold": (AllOf(()), None, None, None),
    "none to choose": (AnyOf(()), Never(), Never(), Never()),
}


async def nothing_distinct(table: Table, column: str, where: Predicate | None) -> Collection[object]:
    raise AssertionError(f"{table.name}.{column} was asked for")


@pytest.fixture
async def verdicts(store: Store) -> dict[str, Verdicts]:
    openfga = store.client()
    member = (RelationTuple(names.user("ann"), "member", names.organization(id_)) for id_ in (1, 2))
    await openfga.write([*member, RelationTuple(names.user("root"), "admin", names.SYSTEM)], ledger=Ledger())
    return {name: Verdicts(Subject(name), openfga, Ledger()) for name in ("stranger", "ann", "root")}


@pytest.mark.parametrize("case", CASES)
async def test_what_a_guard_comes_to(case: str, verdicts: dict[str, Verdicts]) -> None:
    row_guard, *expected = CASES[case]
    read = Read(FRAME_BATCHES)
    found = [
        (await guard(read, {FRAME_BATCHES: row_guard}, verdicts=each, distinct=nothing_distinct)).where
        for each in verdicts.values()
    ]
    assert found == expected


@pytest.mark.parametrize("case", CASES)
async def test_the_anonymous_subject_is_refused(case: str, store: Store) -> None:
    nobody = Verdicts(ANONYMOUS, store.client(), Ledger())
    with pytest.raises(Unauthenticated):
        await guard(Read(FRAME_BATCHES), {FRAME_BATCHES: CASES[case][0]}, verdicts=nobody, distinct=nothing_distinct)
