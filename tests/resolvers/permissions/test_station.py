"""The guard station from tuples in a real OpenFGA to the `Read` a store is given."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pytest

from loaders.description import Table
from loaders.errors import Code, PermissionsUnavailable, Unauthenticated
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import MAX_LISTED, OpenFga
from loaders.openfga.tuples import RelationTuple
from loaders.read import (
    And,
    Col,
    Compare,
    Connection,
    Exists,
    Field,
    Never,
    Nodes,
    Op,
    Page,
    Predicate,
    Read,
    Related,
)
from resolvers.permissions.guards import Policies, Unguarded, Whole
from resolvers.permissions.station import guard
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import ANONYMOUS, Subject
from tests.loaders.openfga.stores import Store
from tests.resolvers.permissions.tables import (
    DATASETS,
    FRAME_BATCHES,
    FRAMES,
    LICENCES,
    ORGANIZATIONS,
    POLICIES,
    TO_BATCHES,
    TO_FRAMES,
    TO_TRACK,
    TO_TRACKS,
    TRACK_LOGS,
    USERS,
)

ANN = Subject("ann", user_id=1)
ROOT = Subject("root", user_id=2)
STRANGER = Subject("stranger", user_id=3)


@dataclass
class Distinct:
    """What a store's SELECT DISTINCT would give; remembers what it was asked for."""

    values: Collection[object] = ()
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, table: Table, column: str, where: Predicate | None) -> Collection[object]:
        self.asked.append((table.name, column))
        return self.values


@pytest.fixture
async def fga(store: Store) -> OpenFga:
    client = store.client()
    await client.write(
        [
            RelationTuple(names.user("ann"), "member", names.organization(1)),
            RelationTuple(names.user("ann"), "member", names.organization(2)),
            RelationTuple(names.user("root"), "admin", names.SYSTEM),
        ],
        ledger=Ledger(),
    )
    return client


def calls(ledger: Ledger) -> int:
    usage = ledger.stores.get("openfga")
    return 0 if usage is None else usage.statements


def tree(
    *, organizations: Predicate | None, tracks: Predicate | None, batches: Predicate | None, frames: Predicate | None
) -> Read:
    """organizations { tracks { batches frames } }, over two stores."""
    inner = (
        Field("batches", Related(TO_BATCHES, Read(FRAME_BATCHES, connection=Connection(()), where=batches))),
        Field("frames", Related(TO_FRAMES, Read(FRAMES, connection=Connection(()), where=frames))),
    )
    middle = Read(TRACK_LOGS, connection=Connection((("nodes", Nodes(inner)),)), where=tracks)
    outer = (Field("tracks", Related(TO_TRACKS, middle)),)
    return Read(ORGANIZATIONS, connection=Connection((("nodes", Nodes(outer)),)), where=organizations)


PLAIN = tree(organizations=None, tracks=None, batches=None, frames=None)


def within(*ids: int) -> Compare:
    return Compare(Col("organization_id"), Op.IN, ids)


async def test_a_member_reads_their_organizations_at_every_level(fga: OpenFga) -> None:
    ledger = Ledger()
    guarded = await guard(PLAIN, POLICIES, verdicts=Verdicts(ANN, fga, ledger), distinct=Distinct())
    assert guarded == tree(
        organizations=Compare(Col("id"), Op.IN, (1, 2)),
        tracks=within(1, 2),
        batches=Exists(TO_TRACK, within(1, 2)),
        frames=within(1, 2),
    )
    assert calls(ledger) == 2  # admin, and one list for the one type and relation


async def test_admin_reads_the_read_as_it_was(fga: OpenFga) -> None:
    ledger = Ledger()
    assert await guard(PLAIN, POLICIES, verdicts=Verdicts(ROOT, fga, ledger), distinct=Distinct()) == PLAIN
    assert calls(ledger) == 1


async def test_a_stranger_reads_nothing(fga: OpenFga) -> None:
    guarded = await guard(PLAIN, POLICIES, verdicts=Verdicts(STRANGER, fga, Ledger()), distinct=Distinct())
    assert guarded == tree(organizations=Never(), tracks=Never(), batches=Never(), frames=Never())


async def test_calls_do_not_grow_with_objects(fga: OpenFga) -> None:
    counts = []
    for upper in (9, 900):
        grants = [RelationTuple(names.user("ann"), "member", names.organization(i)) for i in range(3, upper + 1)]
        await fga.write(grants, ledger=Ledger())
        ledger = Ledger()
        guarded = await guard(PLAIN, POLICIES, verdicts=Verdicts(ANN, fga, ledger), distinct=Distinct())
        assert guarded.where == Compare(Col("id"), Op.IN, tuple(range(1, upper + 1)))
        counts.append(calls(ledger))
    assert counts == [2, 2]


async def test_too_many_to_list_are_checked_per_candidate(fga: OpenFga) -> None:
    grants = [RelationTuple(names.user("ann"), "member", names.organization(i)) for i in range(3, MAX_LISTED + 50)]
    await fga.write(grants, ledger=Ledger())
    distinct = Distinct([5, None, MAX_LISTED + 10, MAX_LISTED + 999])
    ledger = Ledger()
    read = Read(FRAME_BATCHES, connection=Connection(()))
    guarded = await guard(read, POLICIES, verdicts=Verdicts(ANN, fga, ledger), distinct=distinct)
    assert guarded.where == Exists(TO_TRACK, within(5, MAX_LISTED + 10))
    assert distinct.asked == [("track_logs", "organization_id")]
    assert (calls(ledger), calls(ledger.aside)) == (2, 1)  # admin and the list that is full; one batch


async def test_below_a_page_only_what_its_rows_lead_to_is_checked(fga: OpenFga) -> None:
    """Of what is joined by the guard's column nothing is read; of another store's rows two joins away, all objects."""
    grants = [RelationTuple(names.user("ann"), "member", names.organization(i)) for i in range(3, MAX_LISTED + 50)]
    await fga.write(grants, ledger=Ledger())
    asked: list[tuple[str, str, Predicate | None]] = []
    shown: list[Read] = []

    async def distinct(table: Table, column: str, where: Predicate | None) -> Collection[object]:
        asked.append((table.name, column, where))
        return [9, MAX_LISTED + 999]

    async def rows(read: Read) -> object:
        shown.append(read)
        ids = ["5", str(MAX_LISTED + 998)] if len(shown) == 1 else ["5"]
        return {
            "edges": [{"cursor": "", "node": {"o": id_}} for id_ in ids],
            "nodes": [{"c0": id_} for id_ in ids],
        }

    ledger = Ledger()
    read = replace(PLAIN, page=Page(limit=2))
    verdicts = Verdicts(ANN, fga, ledger)
    guarded = await guard(read, POLICIES, verdicts=verdicts, distinct=distinct, rows=rows)
    expected = tree(
        organizations=Compare(Col("id"), Op.IN, (5,)),
        tracks=within(5),
        batches=Exists(TO_TRACK, within(9)),
        frames=within(9),
    )
    assert guarded == replace(expected, page=Page(limit=2))
    of_page = Exists(TO_BATCHES, Exists(TO_TRACK, And((within(5),))))
    assert asked == [("track_logs", "organization_id", of_page), ("frames", "organization_id", None)]
    assert [each.where for each in shown] == [None, Compare(Col("id"), Op.IN, (5,))]
    assert (calls(ledger), calls(ledger.aside)) == (2, 2)  # admin and the list; the page, and what lies below


async def test_no_more_rows_are_read_ahead_than_a_page_has(fga: OpenFga) -> None:
    """A stream has no largest page: all objects there are are checked for it, and no row is read before."""
    grants = [RelationTuple(names.user("ann"), "member", names.organization(i)) for i in range(3, MAX_LISTED + 50)]
    await fga.write(grants, ledger=Ledger())

    async def rows(read: Read) -> object:
        raise AssertionError(f"{read.page.limit} rows are read")

    distinct, verdicts = Distinct([5, MAX_LISTED + 999]), Verdicts(ANN, fga, Ledger())
    read = replace(PLAIN, page=Page(limit=100_000_000))
    guarded = await guard(read, POLICIES, verdicts=verdicts, distinct=distinct, rows=rows)
    assert guarded.where == Compare(Col("id"), Op.IN, (5,))


async def test_no_candidate_is_never(fga: OpenFga) -> None:
    grants = [RelationTuple(names.user("ann"), "member", names.organization(i)) for i in range(3, MAX_LISTED + 50)]
    await fga.write(grants, ledger=Ledger())
    verdicts = Verdicts(ANN, fga, Ledger())
    guarded = await guard(Read(ORGANIZATIONS), POLICIES, verdicts=verdicts, distinct=Distinct([None]))
    assert guarded.where == Never()


async def test_anonymous_is_refused_before_anything_is_asked(fga: OpenFga) -> None:
    ledger = Ledger()
    for read in (PLAIN, Read(USERS), Read(LICENCES, where=Exists(TO_TRACKS))):
        with pytest.raises(Unauthenticated):
            await guard(read, POLICIES, verdicts=Verdicts(ANONYMOUS, fga, ledger), distinct=Distinct())
    public = Read(LICENCES)
    assert await guard(public, POLICIES, verdicts=Verdicts(ANONYMOUS, fga, ledger), distinct=Distinct()) == public
    assert calls(ledger) == 0


@pytest.mark.parametrize("subject", [ANONYMOUS, ANN, ROOT])
@pytest.mark.parametrize("read", [Read(FRAMES), PLAIN, Read(ORGANIZATIONS, where=Exists(TO_FRAMES))])
async def test_a_table_without_a_policy_cannot_be_read(fga: OpenFga, read: Read, subject: Subject) -> None:
    policies: Policies = {table: policy for table, policy in POLICIES.items() if table != FRAMES}
    ledger = Ledger()
    with pytest.raises(Unguarded, match="frames") as caught:
        await guard(read, policies, verdicts=Verdicts(subject, fga, ledger), distinct=Distinct())
    assert caught.value.code is Code.INTERNAL_ERROR
    assert calls(ledger) == 0


async def test_ids_that_are_no_uuid_match_nothing(fga: OpenFga) -> None:
    guid = uuid.UUID("01920000-0000-7000-8000-00000000000a")
    await fga.write(
        [
            RelationTuple("user:*", "has_view_dataset", "role:1"),
            RelationTuple(names.user("ann"), "assignee", "role:1"),
            RelationTuple("role:1", "assigned_role", names.dataset(guid)),
            RelationTuple("role:1", "assigned_role", names.dataset("not-a-guid")),
        ],
        ledger=Ledger(),
    )
    guarded = await guard(Read(DATASETS), POLICIES, verdicts=Verdicts(ANN, fga, Ledger()), distinct=Distinct())
    assert guarded.where == Compare(Col("id"), Op.IN, (guid,))


@pytest.mark.parametrize(
    ("subject", "where"),
    [(ANN, Compare(Col("external_auth_id"), Op.EQ, "ann")), (ROOT, None)],
)
async def test_own_rows(fga: OpenFga, subject: Subject, where: Predicate | None) -> None:
    guarded = await guard(Read(USERS), POLICIES, verdicts=Verdicts(subject, fga, Ledger()), distinct=Distinct())
    assert guarded.where == where


@pytest.mark.parametrize(("subject", "where"), [(ANN, None), (ROOT, None), (STRANGER, Never())])
async def test_a_remote_table_is_one_object(fga: OpenFga, subject: Subject, where: Predicate | None) -> None:
    await fga.write(
        [
            RelationTuple("user:*", "has_view_table", "role:1"),
            RelationTuple(names.user("ann"), "assignee", "role:1"),
            RelationTuple("role:1", "assigned_role", names.dataset("d")),
        ],
        ledger=Ledger(),
    )
    remote = Table("datasource:s", None, "flights", FRAMES.columns)
    policies: Policies = {remote: Whole("can_view", names.table("d", "flights"), parent=names.dataset("d"))}
    verdicts = Verdicts(subject, fga, Ledger())
    assert (await guard(Read(remote), policies, verdicts=verdicts, distinct=Distinct())).where == where


async def test_no_verdict_reads_nothing(store: Store) -> None:
    down = await OpenFga.open(url="http://127.0.0.1:1", token=None, store=store.name, timeout_ms=500)
    for read in (PLAIN, Read(USERS), Read(LICENCES, where=Exists(TO_TRACKS))):
        with pytest.raises(PermissionsUnavailable):
            await guard(read, POLICIES, verdicts=Verdicts(ANN, down, Ledger()), distinct=Distinct())
    assert await guard(Read(LICENCES), POLICIES, verdicts=Verdicts(ANN, down, Ledger()), distinct=Distinct())
    await down.close()
