"""openfga-sdk as reference: it gets the same answers to random checks about random grants as our client.

The SDK has its own decoder, and uses one ListObjects where our client does; the two share only the server.
"""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from openfga_sdk.client import ClientConfiguration, OpenFgaClient
from openfga_sdk.client.models import (
    ClientBatchCheckItem,
    ClientBatchCheckRequest,
    ClientListObjectsRequest,
    ClientTuple,
)
from openfga_sdk.credentials import CredentialConfiguration, Credentials

from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.parents import dataset_parent, datasource_parent
from loaders.openfga.tuples import Check, RelationTuple, rfc3339
from tests.loaders.openfga.stores import Store
from tests.seeds import seeds

NOW = datetime(2030, 1, 1, tzinfo=UTC)
CONTEXT: dict[str, int | str] = {"current_time": rfc3339(NOW)}
PEOPLE = ("ann", "bob", "eve:1#x", "*")
ROLES = range(5)
ORGANIZATIONS = range(8)
SOURCES = ("s0", "eu west: 1")
DATASETS = [(str(i), SOURCES[i % len(SOURCES)]) for i in range(6)]
TABLES = ("flights", "odd %: name")
FLAGS = ("has_admin_datasource", "has_view_dataset", "has_view_table", "has_query_dataset")
RELATIONS = {
    "datasource": ("can_admin", "can_view"),
    "dataset": ("can_admin", "can_view", "can_view_table"),
    "organization": ("can_admin", "can_view", "nope"),
    "system": ("admin",),
}


@pytest.fixture
async def sdk(store: Store, openfga_url: str, openfga_token: str) -> AsyncIterator[OpenFgaClient]:
    credentials = Credentials(method="api_token", configuration=CredentialConfiguration(api_token=openfga_token))
    async with OpenFgaClient(
        ClientConfiguration(api_url=openfga_url, store_id=store.id, credentials=credentials)
    ) as client:
        yield client


@pytest.mark.parametrize("seed", seeds(3, of="sdk"), ids="seed-{}".format)
async def test_both_are_answered_the_same(store: Store, sdk: OpenFgaClient, seed: int) -> None:
    chance = random.Random(seed)
    fga = store.client(lambda: NOW)
    await fga.write(_grants(chance), ledger=Ledger())
    granted, asked = 0, 0
    for person in PEOPLE:
        checks = _checks(chance)
        ours = await fga.batch_check(person, checks, ledger=Ledger())
        assert ours.granted == await _granted(sdk, person, checks)
        assert not ours.undecided
        granted, asked = granted + len(ours.granted), asked + len(checks)
        for type_, relation in (("dataset", "can_view"), ("datasource", "can_admin"), ("organization", "can_view")):
            listed = await fga.list_objects(person, relation, type_, ledger=Ledger())
            assert listed.complete
            request = ClientListObjectsRequest(user=names.user(person), relation=relation, type=type_, context=CONTEXT)
            theirs = await sdk.list_objects(request)
            assert listed.ids == {names.id_of(name) for name in theirs.objects}
    assert 0 < granted < asked


def _grants(chance: random.Random) -> list[RelationTuple]:
    """The catalog's parents, and about half of what can be granted; one membership in two ends, before now or after."""
    assignable = [names.datasource(name) for name in SOURCES]
    assignable += [names.dataset(guid) for guid, _ in DATASETS]
    assignable += [names.table(guid, table) for guid, _ in DATASETS for table in TABLES]
    grants = [datasource_parent(name) for name in SOURCES]
    grants += [dataset_parent(guid, datasource=source) for guid, source in DATASETS]
    for role in map(names.role, ROLES):
        grants += [RelationTuple("user:*", flag, role) for flag in FLAGS if chance.random() < 0.5]
        grants += [RelationTuple(names.user(who), "assignee", role) for who in PEOPLE if chance.random() < 0.3]
        grants += [RelationTuple(role, "assigned_role", object_) for object_ in assignable if chance.random() < 0.2]
    ends = (None, None, NOW - timedelta(microseconds=1), NOW, NOW + timedelta(microseconds=1))
    for organization in map(names.organization, ORGANIZATIONS):
        grants += [
            RelationTuple(names.user(who), relation, organization, chance.choice(ends))
            for who in PEOPLE
            for relation in ("member", "admin")
            if chance.random() < 0.3
        ]
    grants.append(RelationTuple(names.user(chance.choice(PEOPLE)), "admin", names.SYSTEM))
    return grants


def _checks(chance: random.Random) -> list[Check]:
    """More than two batches of them; those of tables carry their dataset, and no table's parent is stored."""
    objects = {
        "datasource": [names.datasource(name) for name in SOURCES],
        "dataset": [names.dataset(guid) for guid, _ in DATASETS],
        "organization": [names.organization(id_) for id_ in ORGANIZATIONS],
        "system": [names.SYSTEM],
    }
    checks = [
        Check(relation, object_)
        for type_, relations in RELATIONS.items()
        for relation in relations
        for object_ in objects[type_]
    ]
    checks += [
        Check(relation, names.table(guid, table), parent)
        for guid, _ in DATASETS
        for table in TABLES
        for relation in ("can_admin", "can_view")
        for parent in (None, names.dataset(guid), names.dataset(chance.choice(DATASETS)[0]))
    ]
    checks = list(dict.fromkeys(checks))
    chance.shuffle(checks)
    return checks


async def _granted(sdk: OpenFgaClient, person: str, checks: Sequence[Check]) -> set[Check]:
    items = [
        ClientBatchCheckItem(
            user=names.user(person),
            relation=check.relation,
            object=check.object,
            correlation_id=str(i),
            context=CONTEXT,
            contextual_tuples=[ClientTuple(user=check.parent, relation="parent", object=check.object)]
            if check.parent
            else None,
        )
        for i, check in enumerate(checks)
    ]
    answer = await sdk.batch_check(ClientBatchCheckRequest(checks=items))
    assert len(answer.result) == len(checks)
    return {checks[int(item.correlation_id)] for item in answer.result if item.allowed}
