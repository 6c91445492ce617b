"""Calls of OpenFGA belong to the document: with no verdict kept, a hundred times the rows cost the same ones."""

import math
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from gateway.lifespan import open_runtime
from gateway.settings import Settings
from loaders.openfga import names
from loaders.openfga.client import MAX_CHECKS, OpenFga
from resolvers.subject import Subject
from tests.guards.conftest import Granted
from tests.guards.many import COUNT, Many, many
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
LEVELS = "{ sense { organizations(first: 5) { nodes { rowId holds(first: 2) { nodes { organization { name } } } } } } }"


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
    """A page: the admin, the list that is full, the keys read ahead. Below others: every object once, fifty a call."""
    subject, _ = world.members["half"]
    assert (await _calls(forgetful, PAGE, subject))[0] == 2 + math.ceil(100 / MAX_CHECKS)
    distinct = math.ceil((COUNT + 100) / MAX_CHECKS)  # those of the sample data, and of other tests, too
    assert (await _calls(forgetful, LEVELS, subject))[0] <= 2 + distinct
