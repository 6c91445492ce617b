"""The client against a real OpenFGA."""

from datetime import UTC, datetime, timedelta

import pytest

from loaders.errors import PermissionsUnavailable, StoreQueryFailed
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.api import Api, Refused
from loaders.openfga.client import MAX_CHECKS, MAX_LISTED, OpenFga
from loaders.openfga.parents import dataset_parent, datasource_parent
from loaders.openfga.tuples import Check, RelationTuple
from tests.loaders.openfga.stores import Store, fresh_store

ANN = names.user("ann")
END = datetime(2030, 1, 1, tzinfo=UTC)


def member(organization: int, *, user: str = ANN, expires_at: datetime | None = None) -> RelationTuple:
    return RelationTuple(user, "member", names.organization(organization), expires_at)


def can_view(organization: int) -> Check:
    return Check("can_view", names.organization(organization))


def calls(ledger: Ledger) -> int:
    return ledger.stores["openfga"].statements


async def warm(store: Store, clock: datetime | None = None) -> OpenFga:
    """A client that has found its store and model, so that a ledger counts questions only."""
    fga = store.client() if clock is None else store.client(lambda: clock)
    await fga.ping(ledger=Ledger())
    return fga


async def test_each_distinct_check_is_asked_once_fifty_a_call(store: Store) -> None:
    fga = await warm(store)
    await fga.write([member(i) for i in range(0, 120, 2)], ledger=Ledger())
    checks = [can_view(i) for i in range(120)]
    ledger = Ledger()
    answer = await fga.batch_check("ann", checks + checks, ledger=ledger)
    assert answer.granted == {can_view(i) for i in range(0, 120, 2)}
    assert answer.undecided == frozenset()
    assert calls(ledger) == -(-120 // MAX_CHECKS)
    assert ledger.stores["openfga"].bytes > 0
    assert ledger.stores["openfga"].ms > 0


async def test_nothing_to_ask_is_no_call(store: Store) -> None:
    ledger = Ledger()
    fga = await warm(store)
    assert (await fga.batch_check("ann", [], ledger=ledger)).granted == frozenset()
    assert (await fga.batch_check("", [can_view(1)], ledger=ledger)).granted == frozenset()
    assert (await fga.list_objects("", "can_view", "organization", ledger=ledger)).ids == frozenset()
    assert ledger.stores == {}


async def test_bad_items_are_denied_and_spoil_nothing(store: Store) -> None:
    fga = await warm(store)
    await fga.write([member(1)], ledger=Ledger())
    bad = [
        Check("nope", names.organization(1)),
        Check("can_view", "nope:1"),
        Check("can_view", "no object"),
        Check("", "a:b"),
    ]
    answer = await fga.batch_check("ann", [*bad, can_view(1)], ledger=Ledger())
    assert answer.granted == {can_view(1)}
    assert answer.undecided == frozenset()


@pytest.mark.parametrize("subject", ["*", "role:1#assignee", "1#assignee", "user:ann", " ann", "ann\n"])
async def test_a_hostile_subject_is_only_itself(store: Store, subject: str) -> None:
    fga = await warm(store)
    everyone = [RelationTuple("user:*", "has_view_dataset", "role:1"), RelationTuple(ANN, "assignee", "role:1")]
    await fga.write([*everyone, RelationTuple("role:1#assignee", "admin", names.SYSTEM), member(1)], ledger=Ledger())
    checks = [
        Check("has_view_dataset", "role:1"),
        Check("assignee", "role:1"),
        Check("admin", names.SYSTEM),
        can_view(1),
    ]
    answer = await fga.batch_check(subject, checks, ledger=Ledger())
    assert answer.granted == {checks[0]}  # the flag is everyone's, which grants nothing by itself
    assert not (await fga.list_objects(subject, "can_view", "organization", ledger=Ledger())).ids


async def test_conditions_are_asked_with_the_clocks_time(store: Store) -> None:
    before, after = await warm(store, END - timedelta(microseconds=1)), await warm(store, END)
    await before.write([member(1, expires_at=END), member(2)], ledger=Ledger())
    for fga, seen in ((before, {1, 2}), (after, {2})):
        answer = await fga.batch_check("ann", [can_view(1), can_view(2)], ledger=Ledger())
        assert answer.granted == {can_view(i) for i in seen}
        listed = await fga.list_objects("ann", "can_view", "organization", ledger=Ledger())
        assert listed.ids == {str(i) for i in seen}
        assert listed.complete


async def test_a_list_of_the_limit_is_not_complete(store: Store) -> None:
    fga = await warm(store)
    await fga.write([member(i) for i in range(MAX_LISTED - 1)], ledger=Ledger())
    ledger = Ledger()
    listed = await fga.list_objects("ann", "can_view", "organization", ledger=ledger)
    assert (len(listed.ids), listed.complete) == (MAX_LISTED - 1, True)
    await fga.write([member(i) for i in range(MAX_LISTED - 1, MAX_LISTED + 5)], ledger=Ledger())
    listed = await fga.list_objects("ann", "can_view", "organization", ledger=ledger)
    assert (len(listed.ids), listed.complete) == (MAX_LISTED, False)
    assert calls(ledger) == 2


async def test_listed_ids_are_the_ids_that_were_written(store: Store) -> None:
    fga = await warm(store)
    odd = "eu west:1 #2*"
    await fga.write(
        [
            RelationTuple("user:*", "has_admin_datasource", "role:1"),
            RelationTuple(ANN, "assignee", "role:1"),
            RelationTuple("role:1", "assigned_role", names.datasource(odd)),
        ],
        ledger=Ledger(),
    )
    assert (await fga.list_objects("ann", "can_admin", "datasource", ledger=Ledger())).ids == {odd}


async def test_a_table_nobody_wrote_is_judged_by_its_dataset(store: Store) -> None:
    fga = await warm(store)
    await fga.write(
        [
            RelationTuple("user:*", "has_view_table", "role:1"),
            RelationTuple(ANN, "assignee", "role:1"),
            RelationTuple("role:1", "assigned_role", names.datasource("s")),
            datasource_parent("s"),
            dataset_parent("d1", datasource="s"),
        ],
        ledger=Ledger(),
    )
    under, elsewhere = (Check("can_view", names.table(d, "flights"), parent=names.dataset(d)) for d in ("d1", "d2"))
    bare = Check("can_view", names.table("d1", "flights"))
    answer = await fga.batch_check("ann", [under, elsewhere, bare], ledger=Ledger())
    assert answer.granted == {under}
    written = RelationTuple(names.dataset("d1"), "parent", names.table("d1", "flights"))
    await fga.write([written], ledger=Ledger())
    answer = await fga.batch_check("ann", [under, elsewhere, bare], ledger=Ledger())
    assert answer.granted == {under, bare}


async def test_write_is_repeatable_and_split_by_a_hundred(store: Store) -> None:
    fga = await warm(store)
    tuples = [member(i) for i in range(250)]
    ledger = Ledger()
    await fga.write(tuples, ledger=ledger)
    await fga.write(tuples, ledger=ledger)
    assert calls(ledger) == 6
    assert {tuple_ async for tuple_ in fga.read(ledger=Ledger())} == set(tuples)
    await fga.write(deletes=tuples, ledger=Ledger())
    await fga.write(deletes=tuples, ledger=Ledger())
    assert [tuple_ async for tuple_ in fga.read(ledger=Ledger())] == []


async def test_write_replaces_a_tuple_of_another_expiry(store: Store) -> None:
    fga = await warm(store)
    old, new = member(1, expires_at=END), member(1, expires_at=END + timedelta(days=1))
    await fga.write([old], ledger=Ledger())
    with pytest.raises(StoreQueryFailed, match="another expiry"):
        await fga.write([new], ledger=Ledger())
    assert [tuple_ async for tuple_ in fga.read(ledger=Ledger())] == [old]
    await fga.write([new], [old], ledger=Ledger())
    assert [tuple_ async for tuple_ in fga.read(ledger=Ledger())] == [new]


async def test_write_of_what_the_model_does_not_know_is_refused_whole(store: Store) -> None:
    fga = await warm(store)
    with pytest.raises(StoreQueryFailed) as caught:
        await fga.write([member(1), RelationTuple(ANN, "nope", names.organization(1))], ledger=Ledger())
    assert caught.value.extensions == {"code": "STORE_QUERY_FAILED", "store": "openfga"}
    assert [tuple_ async for tuple_ in fga.read(ledger=Ledger())] == []


async def test_read_filters(store: Store) -> None:
    fga = await warm(store)
    await fga.write([member(1), member(2), member(1, user=names.user("bob"))], ledger=Ledger())
    of_one = [t.user async for t in fga.read(object_=names.organization(1), ledger=Ledger())]
    assert sorted(of_one) == ["user:ann", "user:bob"]
    of_ann = [t.object async for t in fga.read(object_="organization:", user=ANN, relation="member", ledger=Ledger())]
    assert sorted(of_ann) == ["organization:1", "organization:2"]


async def test_a_wrong_token_denies(store: Store, openfga_url: str) -> None:
    api = await Api.open(url=openfga_url, token="not-the-token", timeout_ms=2_000)
    ledger = Ledger()
    with pytest.raises(Refused, match="token is valid") as caught:
        await OpenFga(api, store.name).batch_check("ann", [can_view(1)], ledger=ledger)
    assert isinstance(caught.value, PermissionsUnavailable)
    assert "not-the-token" not in repr(caught.value)
    assert calls(ledger) == 1
    await api.close()


async def test_a_missing_store_denies_until_it_is_there(openfga_url: str, openfga_token: str) -> None:
    async with fresh_store(openfga_url, openfga_token) as store:
        fga = OpenFga(store.api, "no-such-store")
        with pytest.raises(PermissionsUnavailable, match="axion migrate openfga"):
            await fga.ping(ledger=Ledger())
        with pytest.raises(PermissionsUnavailable, match="axion migrate openfga"):
            await fga.batch_check("ann", [can_view(1)], ledger=Ledger())


async def test_two_stores_of_one_name_deny(store: Store) -> None:
    await store.api.request("POST", "/stores", {"name": store.name}, ledger=Ledger())
    with pytest.raises(PermissionsUnavailable, match="2 stores"):
        await store.client().batch_check("ann", [can_view(1)], ledger=Ledger())
