"""Under random tuples, filters, orders and page sizes, the rows shown are those that a Check of every row allows."""

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from loaders.description import Table
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from resolvers.subject import Subject
from schema.mapping.object import OBJECTS
from tests.plans.ways import Ways
from tests.system.actors.oracle import Oracle, Row
from tests.system.stores import Connection

EXAMPLES = 60
ORGANIZATIONS, SOURCES, DATASETS = 8, 2, 4
FLAGS = ("has_admin_datasource", "has_view_dataset", "has_view_table", "has_query_dataset")
LISTS = {
    "organizations": ("sense", "SenseOrganization", "name"),
    "holds": ("sense", "SenseHold", "message"),
    "dataSources": ("gen", "GenDataSource", "name"),
    "datasets": ("gen", "GenDataset", "name"),
}
_SENSE = """
WITH o AS (INSERT INTO organizations (name, code)
  SELECT 'random ' || n % 3, 'random-' || n FROM generate_series(1, $1::int) AS n RETURNING id),
h AS (INSERT INTO road_data.holds (organization_id, location, message)
  SELECT id, ST_SetSRID(ST_MakePoint(6, 46, 0), 4326), 'random ' || n FROM o, generate_series(1, 3) AS n)
SELECT 1
"""
_GEN = """
WITH s AS (INSERT INTO data_sources (id, name, connector_type)
  SELECT gen_random_uuid(), 'random-' || n, 'clickhouse' FROM generate_series(1, $1::int) AS n RETURNING id, name)
INSERT INTO datasets (id, data_source_id, name)
  SELECT gen_random_uuid(), s.id, 'random ' || s.name || n % 2 || n FROM s, generate_series(1, $2::int) AS n
"""
_CLEAN = {
    "axion_sense": (
        "DELETE FROM road_data.holds WHERE message LIKE 'random %'",
        "DELETE FROM organizations WHERE code LIKE 'random-%'",
    ),
    "axion_gen": (
        "DELETE FROM datasets WHERE name LIKE 'random %'",
        "DELETE FROM data_sources WHERE name LIKE 'random-%'",
    ),
}


@dataclass(frozen=True, slots=True)
class World:
    """The rows made for this test, by type."""

    rows: Mapping[str, list[Row]]

    def of_table(self, table: Table) -> list[Row]:
        return next(rows for name, rows in self.rows.items() if OBJECTS[name].table == table)


@pytest.fixture(scope="module")
async def world(admin_url: str, openfga: OpenFga) -> AsyncIterator[World]:
    urls = {store: make_url(admin_url).set(database=store).render_as_string(hide_password=False) for store in _CLEAN}
    sense, gen = await asyncpg.connect(urls["axion_sense"]), await asyncpg.connect(urls["axion_gen"])
    try:
        await _clean(sense, gen)
        await sense.execute(_SENSE, ORGANIZATIONS)
        await gen.execute(_GEN, SOURCES, DATASETS)
        rows = {
            "SenseOrganization": await sense.fetch("SELECT id FROM organizations WHERE code LIKE 'random-%'"),
            "SenseHold": await sense.fetch(
                "SELECT id, organization_id FROM road_data.holds WHERE message ~ '^random '"
            ),
            "GenDataSource": await gen.fetch("SELECT id, name FROM data_sources WHERE name LIKE 'random-%'"),
            "GenDataset": await gen.fetch("SELECT id, data_source_id FROM datasets WHERE name LIKE 'random %'"),
        }
        made = World({name: [dict(row) for row in found] for name, found in rows.items()})
        source_of = {row["id"]: names.object_name("datasource", row["name"]) for row in made.rows["GenDataSource"]}
        parents = [RelationTuple(names.SYSTEM, "parent", each) for each in source_of.values()]
        parents += [
            RelationTuple(source_of[row["data_source_id"]], "parent", names.object_name("dataset", row["id"]))
            for row in made.rows["GenDataset"]
        ]
        await openfga.write(parents, ledger=Ledger())
        yield made
        await openfga.write(deletes=parents, ledger=Ledger())
    finally:
        await _clean(sense, gen)
        await sense.close()
        await gen.close()


async def _clean(sense: Connection, gen: Connection) -> None:
    """Also what a run that was killed has left."""
    for connection, statements in ((sense, _CLEAN["axion_sense"]), (gen, _CLEAN["axion_gen"])):
        for statement in statements:
            await connection.execute(statement)


@dataclass(frozen=True, slots=True)
class Case:
    """`roles`: held or not, its flag, whether a parent role has it instead, and the place it is assigned at."""

    memberships: tuple[str, ...]
    roles: tuple[tuple[bool, str, bool, int], ...]
    list_: str
    filter_: str
    order: str
    size: int
    backward: bool


_MEMBERSHIP = st.sampled_from(["", "", "member", "admin", "member ended", "member ending", "admin ended"])
_PLACES = 1 + SOURCES + SOURCES * DATASETS
_ROLE = st.tuples(st.booleans(), st.sampled_from(FLAGS), st.booleans(), st.integers(0, _PLACES - 1))
CASES = st.builds(
    Case,
    memberships=st.tuples(*[_MEMBERSHIP] * ORGANIZATIONS),
    roles=st.lists(_ROLE, max_size=4).map(tuple),
    list_=st.sampled_from(sorted(LISTS)),
    filter_=st.sampled_from(["", "ne", "not like"]),
    order=st.sampled_from(["", "ASC", "DESC"]),
    size=st.sampled_from([1, 2, 3, 7, 50]),
    backward=st.booleans(),
)


def _tuples(case: Case, subject: Subject, world: World) -> list[RelationTuple]:
    user, now = names.user(subject.id), datetime.now(UTC)
    ends = {"ended": now - timedelta(seconds=1), "ending": now + timedelta(hours=1)}
    found = []
    for row, membership in zip(world.rows["SenseOrganization"], case.memberships, strict=True):
        relation, _, end = membership.partition(" ")
        if relation:
            found.append(RelationTuple(user, relation, names.organization(row["id"]), ends.get(end)))
    sources = [names.object_name("datasource", row["name"]) for row in world.rows["GenDataSource"]]
    datasets = [names.object_name("dataset", row["id"]) for row in world.rows["GenDataset"]]
    places = [names.SYSTEM, *sources, *datasets]
    for held, flag, inherited, place in case.roles:
        role, parent = f"role:random-{secrets.token_hex(6)}", f"role:random-{secrets.token_hex(6)}"
        found.append(RelationTuple("user:*", flag, parent if inherited else role))
        found.append(RelationTuple(parent, "parent", role))
        found.append(RelationTuple(role, "assigned_role", places[place]))
        found += [RelationTuple(user, "assignee", role if held else parent)]  # of the parent only: that grants nothing
    return found


def _document(case: Case) -> str:
    domain, _, word = LISTS[case.list_]
    conditions = {
        "": f'{{{word}: {{startsWith: "random"}}}}',
        "ne": f'{{and: [{{{word}: {{startsWith: "random"}}}}, {{{word}: {{ne: "random 1"}}}}]}}',
        "not like": f'{{and: [{{{word}: {{startsWith: "random"}}}}, {{not: {{{word}: {{like: "%1"}}}}}}]}}',
    }
    order = f"orderBy: [{{{word}: {case.order}}}]" if case.order else ""
    return f"""query P($first: Int, $last: Int, $after: String, $before: String) {{ {domain} {{ {case.list_}(
      where: {conditions[case.filter_]} {order} first: $first last: $last after: $after before: $before
    ) {{ totalCount nodes {{ rowId }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"""


async def _walk(ways: Ways, subject: Subject | str, case: Case, size: int) -> list[str]:
    """All rows by full pages."""
    found: list[str] = []
    cursor = None
    while True:
        page = {"last": size, "before": cursor} if case.backward else {"first": size, "after": cursor}
        answer = json.loads(await ways.answered(_document(case), page, subject))
        assert "errors" not in answer, answer["errors"]
        list_ = answer["data"][LISTS[case.list_][0]][case.list_]
        ids, info = [node["rowId"] for node in list_["nodes"]], list_["pageInfo"]
        found = ids + found if case.backward else found + ids
        if not info["hasPreviousPage" if case.backward else "hasNextPage"]:
            assert list_["totalCount"] == len(found)
            return found
        assert len(ids) == size
        cursor = info["startCursor" if case.backward else "endCursor"]


async def test_rows_are_what_a_check_of_every_row_allows(world: World, ways: Ways, openfga: OpenFga) -> None:
    @given(case=CASES)
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def drawn(case: Case) -> None:
        cases.append(case)

    cases: list[Case] = []
    drawn()
    shown = 0
    for case in cases:
        subject = Subject(f"test|{secrets.token_hex(6)}", user_id=-1)
        tuples = _tuples(case, subject, world)
        await openfga.write(tuples, ledger=Ledger())
        try:
            mapping = OBJECTS[LISTS[case.list_][1]]
            oracle = Oracle(subject, openfga, world.of_table)
            rows = await oracle.visible(mapping.table, mapping.guard, world.rows[mapping.name])
            allowed = {str(row["id"]) for row in rows}
            everything = await _walk(ways, "admin", case, 50)
            expected = [id_ for id_ in everything if id_ in allowed]
            assert await _walk(ways, subject, case, case.size) == expected, case
            shown += len(expected)
        finally:
            await openfga.write(deletes=tuples, ledger=Ledger())
    assert shown
