"""Drift created on both sides is reported and repaired, on a real OpenFGA and migrated databases."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from loaders.ledger import Ledger
from loaders.openfga import outbox
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from loaders.postgres.client import Postgres
from migrations.openfga.drift import KINDS, Drift, Kind
from migrations.openfga.reconcile import Outcome, reconcile
from migrations.openfga.wanted import TYPES
from migrations.runner import run as migrate
from migrations.targets import DatabaseName, Targets
from tests.loaders.openfga.stores import Store, fresh_store
from tests.migrations.cluster import connection_as, dropped_afterwards, fresh_targets

NAMES: tuple[DatabaseName, ...] = ("axion_gen", "axion_sense", "auradb", "powernode")
GUID = "01990000-0000-7000-8000-000000000001"
GONE = "01990000-0000-7000-8000-00000000dead"
END = datetime(2030, 1, 1, tzinfo=UTC)
ROWS = {
    "axion_gen": f"""
        TRUNCATE data_sources, users, openfga_outbox CASCADE;
        DELETE FROM roles WHERE NOT is_built_in;
        INSERT INTO data_sources (id, name, connector_type) VALUES ('{GUID}', 'f: 1', 'clickhouse');
        INSERT INTO datasets (id, data_source_id, name) VALUES ('{GUID}', '{GUID}', 'd');
        INSERT INTO users (id, external_auth_id, is_active) VALUES (1, 'ann', true), (2, 'idle', false);
        INSERT INTO roles (id, name, parent_role_id, has_view_table) VALUES (100, 'Roads', 2, true);
        INSERT INTO user_roles (user_id, role_id) VALUES (1, 100), (2, 100);
        INSERT INTO role_assignments (id, role_id, resource_type, data_source_id, dataset_id, table_name) VALUES
            (gen_random_uuid(), 100, 'system', NULL, NULL, NULL),
            (gen_random_uuid(), 100, 'datasource', '{GUID}', NULL, NULL),
            (gen_random_uuid(), 100, 'dataset', NULL, '{GUID}', NULL),
            (gen_random_uuid(), 100, 'table', NULL, '{GUID}', 'a b');
    """,
    "axion_sense": """
        TRUNCATE users, organizations CASCADE;
        INSERT INTO users (id, external_auth_id) VALUES (1, 'ann'), (2, 'bob');
        INSERT INTO organizations (id, name, code) VALUES (5, 'South', 'south');
        INSERT INTO user_org (user_id, organization_id, expires_at) VALUES (1, 5, NULL), (2, 5, '2030-01-01Z');
    """,
    "auradb": "",
    "powernode": "",
}
WANTED = {
    RelationTuple("role:1#assignee", "admin", "system:axion-gen"),
    *(
        RelationTuple("user:*", f"has_{flag}", "role:1")
        for flag in ("admin_datasource", "view_dataset", "view_table", "query_dataset")
    ),
    *(RelationTuple("user:*", f"has_{flag}", "role:2") for flag in ("view_dataset", "view_table")),
    RelationTuple("user:*", "has_view_table", "role:100"),
    RelationTuple("role:2", "parent", "role:100"),
    RelationTuple("user:ann", "assignee", "role:100"),
    RelationTuple("system:axion-gen", "parent", "datasource:f%3A%201"),
    RelationTuple("datasource:f%3A%201", "parent", f"dataset:{GUID}"),
    RelationTuple(f"dataset:{GUID}", "parent", f"table:{GUID}/a%20b"),
    *(
        RelationTuple("role:100", "assigned_role", object_)
        for object_ in ("system:axion-gen", "datasource:f%3A%201", f"dataset:{GUID}", f"table:{GUID}/a%20b")
    ),
    RelationTuple("user:ann", "member", "organization:5"),
    RelationTuple("user:bob", "member", "organization:5", END),
}
ORPHANED = {
    RelationTuple(f"dataset:{GONE}", "parent", f"table:{GONE}/a"),
    RelationTuple("datasource:f%3A%201", "parent", f"dataset:{GONE}"),
    RelationTuple("datasource:gone", "parent", f"dataset:{GUID}"),
    RelationTuple("role:999", "assigned_role", f"dataset:{GUID}"),
    RelationTuple("user:ann", "assignee", "role:999"),
    RelationTuple("user:ann", "admin", "organization:999"),
    RelationTuple("user:ann", "member", "workspace:gone"),
    RelationTuple("user:ann", "member", f"account:{GONE}"),
    RelationTuple("role:999#assignee", "admin", "system:axion-gen"),
}
UNRECORDED = {
    RelationTuple("user:eve", "assignee", "role:1"),
    RelationTuple("user:*", "has_admin_datasource", "role:2"),
    RelationTuple("role:2", "assigned_role", "system:axion-gen"),
    RelationTuple("user:eve", "member", "organization:5"),
}
KEPT = {
    RelationTuple("user:root", "admin", "system:axion-gen"),  # there is no row for these
    RelationTuple("user:ann", "admin", "organization:5"),
    RelationTuple(f"dataset:{GUID}", "parent", f"table:{GUID}/listed"),  # written by a listing
}


@pytest.fixture(scope="module")
def targets(admin_url: str) -> Iterator[Targets]:
    with dropped_afterwards(fresh_targets(admin_url)) as targets:
        migrate("roles", targets)
        for name in NAMES:
            migrate(name, targets)
        yield targets


@pytest.fixture
async def databases(targets: Targets) -> AsyncIterator[dict[str, Postgres]]:
    opened: dict[str, Postgres] = {}
    for name in NAMES:
        database = targets.databases[name]
        with connection_as(database.migrate, database) as connection:
            connection.execute(ROWS[name].encode() or b"SELECT 1")
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        opened[name] = await Postgres.open(name, url, pool_max=2, statement_timeout_ms=10_000)
    yield opened
    for postgres in opened.values():
        await postgres.close()


@pytest.fixture
async def store(openfga_url: str, openfga_token: str) -> AsyncIterator[Store]:
    async with fresh_store(openfga_url, openfga_token) as fresh:
        yield fresh


@pytest.fixture
def fga(store: Store) -> OpenFga:
    return store.client()


class Ran:
    def __init__(self) -> None:
        self.told: list[Drift] = []

    def of(self, kind: Kind) -> set[RelationTuple]:
        return {drift.tuple for drift in self.told if drift.kind == kind}


async def run(databases: dict[str, Postgres], fga: OpenFga, repair: tuple[Kind, ...] = ()) -> tuple[Outcome, Ran]:
    ran = Ran()
    return await reconcile(databases, fga, repair=repair, tell=ran.told.append), ran


async def stored(fga: OpenFga) -> set[RelationTuple]:
    return {tuple_ async for tuple_ in fga.read(ledger=Ledger())}


def test_every_database_is_compared() -> None:
    assert set(TYPES) == set(NAMES)


async def test_an_empty_store_is_filled(databases: dict[str, Postgres], fga: OpenFga) -> None:
    outcome, ran = await run(databases, fga)
    assert outcome.found == {"missing": len(WANTED), "orphaned": 0, "unrecorded": 0}
    assert ran.of("missing") == WANTED
    assert not outcome.is_clean
    assert await stored(fga) == set()  # told, and left as it was
    outcome, _ = await run(databases, fga, KINDS)
    assert (outcome.repaired, outcome.is_clean, outcome.undelivered) == (len(WANTED), True, 0)
    assert await stored(fga) == WANTED
    outcome, ran = await run(databases, fga)
    assert ran.told == []
    assert outcome.is_clean


async def test_drift_of_both_sides_is_told_and_repaired(databases: dict[str, Postgres], fga: OpenFga) -> None:
    lost = {RelationTuple("user:ann", "assignee", "role:100"), RelationTuple("user:ann", "member", "organization:5")}
    await fga.write(sorted(WANTED - lost | ORPHANED | UNRECORDED | KEPT, key=str), ledger=Ledger())
    outcome, ran = await run(databases, fga)
    assert {kind: ran.of(kind) for kind in KINDS} == {"missing": lost, "orphaned": ORPHANED, "unrecorded": UNRECORDED}
    outcome, _ = await run(databases, fga, ("missing", "orphaned"))
    assert not outcome.is_clean
    assert await stored(fga) == WANTED | KEPT | UNRECORDED
    outcome, _ = await run(databases, fga, KINDS)
    assert outcome.is_clean
    assert await stored(fga) == WANTED | KEPT


@pytest.mark.parametrize("end", [None, END + timedelta(microseconds=1)])
async def test_a_membership_that_ends_at_another_time_is_put_right(
    end: datetime | None, databases: dict[str, Postgres], fga: OpenFga
) -> None:
    right, wrong = (RelationTuple("user:bob", "member", "organization:5", each) for each in (END, end))
    await fga.write([*(WANTED - {right}), wrong], ledger=Ledger())
    outcome, ran = await run(databases, fga, KINDS)
    assert (ran.of("missing"), ran.of("unrecorded")) == ({right}, {wrong})
    assert outcome.is_clean
    assert await stored(fga) == WANTED


async def test_one_object_with_more_drift_than_a_batch(
    databases: dict[str, Postgres], fga: OpenFga, targets: Targets
) -> None:
    """The notes of its first batch are no change of somebody else's to the second."""
    database = targets.databases["axion_gen"]
    with connection_as(database.migrate, database) as connection:
        connection.execute(
            "INSERT INTO users (id, external_auth_id) SELECT n, 'user-' || n FROM generate_series(1000, 1349) n;"
            "INSERT INTO user_roles (user_id, role_id) SELECT n, 100 FROM generate_series(1000, 1349) n"
        )
    outcome, _ = await run(databases, fga, KINDS)
    assert (outcome.found["missing"], outcome.repaired) == (len(WANTED) + 350, len(WANTED) + 350)
    assert len([found async for found in fga.read(object_="role:100", relation="assignee", ledger=Ledger())]) == 351


async def test_what_is_on_its_way_is_no_drift(databases: dict[str, Postgres], fga: OpenFga, targets: Targets) -> None:
    await fga.write(sorted(WANTED, key=str), ledger=Ledger())
    gen = databases["axion_gen"]
    database = targets.databases["axion_gen"]
    with connection_as(database.migrate, database) as connection:
        connection.execute("DELETE FROM user_roles")
    async with gen.transaction() as session:
        await outbox.note(session, deletes=[RelationTuple("user:ann", "assignee", "role:100")])
    outcome, ran = await run(databases, fga, KINDS)
    assert ran.told == []
    assert (outcome.is_clean, outcome.undelivered, outcome.refused) == (True, 1, 0)


async def test_a_note_openfga_refuses_is_told(databases: dict[str, Postgres], fga: OpenFga) -> None:
    await fga.write(sorted(WANTED, key=str), ledger=Ledger())
    gen = databases["axion_gen"]
    async with gen.transaction() as session:
        await outbox.note(session, writes=[RelationTuple("user:ann", "no_such_relation", "role:100")])
    await outbox.settle(gen, fga, ["role:100"], ledger=Ledger())
    outcome, ran = await run(databases, fga)
    assert ran.told == []
    assert (outcome.is_clean, outcome.undelivered, outcome.refused) == (False, 1, 1)


async def test_a_repair_does_not_undo_what_is_decided_meanwhile(
    databases: dict[str, Postgres], fga: OpenFga, targets: Targets
) -> None:
    """The holder is missing when compared, and taken away before the repair: it stays away."""
    await fga.write(sorted(WANTED - {RelationTuple("user:ann", "assignee", "role:100")}, key=str), ledger=Ledger())
    gen = databases["axion_gen"]
    database = targets.databases["axion_gen"]
    told: list[Drift] = []

    def taken_away(drift: Drift) -> None:
        told.append(drift)
        with connection_as(database.migrate, database) as connection:
            connection.execute("DELETE FROM user_roles")
            connection.execute(
                "INSERT INTO openfga_outbox (object, deletes, writes, delivered_at)"
                " VALUES ('role:100', '[]', '[]', clock_timestamp())"
            )

    outcome = await reconcile(databases, fga, repair=KINDS, tell=taken_away)
    assert [drift.tuple.user for drift in told] == ["user:ann"]
    assert (outcome.repaired, outcome.is_clean) == (0, False)
    assert [found async for found in fga.read(object_="role:100", relation="assignee", ledger=Ledger())] == []
    assert not await outbox.waiting(gen, ["role:100"], ledger=Ledger())
