"""Calls of OpenFGA belong to the document: with no verdict kept, a hundred times the rows cost the same ones."""

import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from gateway.lifespan import open_runtime
from gateway.settings import Settings
from loaders.encode.node_id import encode_node_id
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from resolvers.subject import Subject
from tests.guards.conftest import Granted
from tests.guards.many import Many, many
from tests.plans.conftest import PATIENCE_MS
from tests.plans.ways import Ways
from tests.system.stores import Connection

FEW, MANY = 2, 200
NESTED = """
{ sense {
  organizations(first: 200) { totalCount nodes { code holds(first: 5) { totalCount nodes {
    message organization { name holds(first: 1) { totalCount } }
  } } } }
  holds(first: 200, where: {organization: {code: {startsWith: "calls-"}}}) { nodes { organization { code } } }
} }
"""
PAGE = '{ sense { organizations(first: 20, where: {code: {startsWith: "many"}}) { nodes { rowId } } } }'
AHEAD = 1
"""Calls for the keys that are read ahead to fill a page of twenty rows: half of them are hidden."""
BELOW = {
    "to-many": "organizations(first: 5, MADE) { nodes { holds(first: 2) { totalCount nodes { rowId } } } }",
    "itself": "organizations(first: 5, MADE) { nodes { holds(first: 2) { nodes { organization { code } } } } }",
    "itself, to-many": "holds(first: 20) { nodes { organization { code holds { aggregate { count } } } } }",
    "nodes": 'nodes(ids: ["ID", "ID"]) { ... on SenseOrganization { code holds { nodes { organization { code } } } } }',
    "one object": 'organization(id: "ID") { code holds { nodes { organization { code } } } }',
}
"""Lists whose nested rows are guarded by the objects that the rows above them name."""


@pytest.fixture
async def forgetful(settings: Settings) -> AsyncIterator[Ways]:
    """Every request asks anew; store and model of OpenFGA are found already."""
    openfga = settings.openfga.model_copy(update={"verdict_seconds": 0, "timeout_ms": PATIENCE_MS})
    async with open_runtime(settings.model_copy(update={"openfga": openfga})) as runtime:
        ways = Ways(runtime, settings.limits)
        await ways.answered("{ sense { organizations(first: 1) { totalCount } } }", None, "analyst")
        yield ways


@pytest.fixture
async def connection(admin_url: str) -> AsyncIterator[Connection]:
    url = make_url(admin_url).set(database="axion_sense").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    await _clean(connection)
    yield connection
    await _clean(connection)
    await connection.close()


async def _clean(connection: Connection) -> None:
    await connection.execute("DELETE FROM road_data.holds WHERE message = 'calls'")
    await connection.execute("DELETE FROM organizations WHERE code LIKE 'calls-%'")


async def _calls(ways: Ways, document: str, subject: Subject) -> tuple[int, str]:
    context = ways.context(subject)
    answer = await ways.answered_in(document, context)
    assert '"errors"' not in answer, answer
    return sum(usage.statements for store, usage in context.ledger.entries() if store == "openfga"), answer


async def test_of_an_ordinary_member(forgetful: Ways, connection: Connection, granted: Granted) -> None:
    """The check for the admin and the list of organizations, whatever there is of either: organizations and rows."""
    for count in (FEW, MANY):
        await _clean(connection)
        sql = "INSERT INTO organizations (name, code) SELECT n, 'calls-' || n FROM generate_series(1, $1::int) n"
        await connection.execute(sql, count)
        made = await connection.fetch("SELECT id FROM organizations WHERE code LIKE 'calls-%'")
        sql = (
            "INSERT INTO road_data.holds (organization_id, location, message)"
            " SELECT unnest($1::bigint[]), ST_SetSRID(ST_MakePoint(6, 46, 0), 4326), 'calls'"
        )
        await connection.execute(sql, [row["id"] for row in made])
        subject = await granted(*(("member", names.organization(row["id"])) for row in made))
        calls, answer = await _calls(forgetful, NESTED, subject)
        assert answer.count('"message": "calls"') == count
        assert calls == 2


@pytest.fixture(scope="module")
async def world(admin_url: str, granted: Granted, openfga: OpenFga) -> AsyncIterator[Many]:
    url = make_url(admin_url).set(database="axion_sense").render_as_string(hide_password=False)
    async with many(url, granted, openfga) as made:
        yield made


async def test_of_who_sees_too_many_to_list(forgetful: Ways, world: Many) -> None:
    """The admin, the list that is full, and the keys read ahead."""
    for name in ("half", "all"):
        subject, _ = world.members[name]
        assert (await _calls(forgetful, PAGE, subject))[0] == 2 + AHEAD


@pytest.mark.parametrize("below", BELOW)
async def test_below_a_page_only_what_its_rows_lead_to_is_checked(forgetful: Ways, world: Many, below: str) -> None:
    """Of thousands of organizations: what the page needed, and nothing more for the levels below."""
    subject, allowed = world.members["half"]
    id_ = encode_node_id("SenseOrganization", (str(min(allowed)),))
    document = BELOW[below].replace("MADE", 'where: {code: {startsWith: "many"}}').replace("ID", id_)
    asked = f"{{ {document} }}" if below == "nodes" else f"{{ sense {{ {document} }} }}"
    calls, answer = await _calls(forgetful, asked, subject)
    assert any(f'"{key}": ' in answer for key in ("rowId", "code"))
    assert calls <= 2 + AHEAD


@pytest.mark.parametrize(
    "field", ["organizations(where: {id: {eq: $id}}) { nodes { rowId } }", "organization(id: $id) { rowId }"]
)
async def test_as_many_are_asked_about_whether_a_row_is_hidden_or_absent(
    forgetful: Ways, world: Many, field: str
) -> None:
    """Else the time of an empty answer would tell them apart: a call of OpenFGA takes milliseconds."""
    subject, allowed = world.members["half"]
    document = f"query Q($id: ID!) {{ sense {{ it: {field} }} }}"
    told = []
    for id_ in (min(set(world.ids) - allowed), 2**62):
        context = forgetful.context(subject)
        variables = {"id": encode_node_id("SenseOrganization", (str(id_),))}
        answer = await forgetful.answered_in(document, context, variables)
        told.append((answer, [(store, usage.statements) for store, usage in context.ledger.entries()]))
    assert told[0] == told[1]
    assert '"rowId"' not in told[0][0]


async def test_a_kept_verdict_does_not_tell_that_a_row_of_its_object_is_there(ways: Ways, world: Many) -> None:
    """Else the object would be asked about first, and its rows be told by how soon they are denied."""
    subject, allowed = world.members["half"]
    organization = encode_node_id("SenseOrganization", (str(min(set(world.ids) - allowed)),))
    of_it = "query Q($id: ID!) { sense { holds(where: {organization: {id: {eq: $id}}}) { nodes { id } } } }"
    found = json.loads(await ways.answered(of_it, {"id": organization}, "admin"))
    hold = found["data"]["sense"]["holds"]["nodes"][0]["id"]

    async def calls(id_: str) -> int:
        context = ways.context(subject)
        answer = await ways.answered_in("query Q($id: ID!) { node(id: $id) { id } }", context, {"id": id_})
        assert json.loads(answer) == {"data": {"node": None}}
        return sum(usage.statements for store, usage in context.ledger.entries() if store == "openfga")

    await calls(organization)
    assert await calls(hold) == await calls(encode_node_id("SenseHold", (str(2**62),))) == 1
