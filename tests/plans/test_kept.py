"""What is kept of a plan: one for all values, none of a request's values, within a bound, and one statement."""

import asyncio
from typing import Any

import asyncpg
import pytest
from graphql import OperationDefinitionNode, parse

from gateway.settings import Settings
from loaders.encode.node_id import encode_node_id
from loaders.fetch import fetch
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from resolvers.permissions.guards import Public
from resolvers.planned import PlannedRead
from schema.build import build, graphql_schema
from schema.mapping.object import OBJECTS
from schema.mapping.plan import Plan, Plans
from tests.loaders.jobs.waiting import until
from tests.plans.ways import Ways
from tests.schema.mapping.building import read_of

POINT = "query($id: ID!) { sense { organization(id: $id) { name } } }"
LIST = """
query($n: Int, $order: SortOrder!, $code: Boolean!) {
  sense { organizations(first: $n, orderBy: [{name: $order}]) { nodes { name code @include(if: $code) } } }
}
"""


def _find(plans: Plans, key: str, document: str, variables: dict[str, Any]) -> tuple[Plan, list[Any]]:
    parsed = parse(document)
    (node,) = (each for each in parsed.definitions if isinstance(each, OperationDefinitionNode))
    coerced = plans.coerced(key, node, variables)
    assert coerced is not None
    found = plans.find(key, parsed, node, coerced, 1000)
    assert found is not None
    return found


def _id(key: int) -> dict[str, str]:
    return {"id": encode_node_id("SenseOrganization", [str(key)])}


def test_one_plan_for_all_values() -> None:
    plans = Plans(graphql_schema(build()))
    first, ones = _find(plans, "point", POINT, _id(1))
    second, twos = _find(plans, "point", POINT, _id(2))
    assert first is second
    assert (ones, twos) == ([1], [2])


def test_a_plan_for_each_decision() -> None:
    plans = Plans(graphql_schema(build()))
    asked = [
        {"n": n, "order": order, "code": code} for order in ("ASC", "DESC") for code in (True, False) for n in (1, 2)
    ]
    found = [_find(plans, "list", LIST, variables)[0] for variables in [*asked, *asked]]
    assert len({id(plan) for plan in found}) == 4
    assert [id(plan) for plan in found[:8]] == [id(plan) for plan in found[8:]]


def test_nothing_of_a_request_stays_in_a_plan() -> None:
    plans = Plans(graphql_schema(build()))
    secret = "a value of the first request"
    document = "query($n: String) { sense { organizations(where: {name: {eq: $n}}) { totalCount } } }"
    plan, values = _find(plans, "where", document, {"n": secret})
    assert values == [secret]
    assert secret not in repr((plan.texts, plan.values, [read.read for read in plan.reads]))


def test_plans_are_bounded() -> None:
    plans = Plans(graphql_schema(build()), bound=100)
    for key in range(100):
        document = f"{{ sense {{ organizations {{ totalCount nodes {{ a{key}: name }} }} }} }}"
        _find(plans, f"document {key}", document, {})
        assert 0 < plans.weight <= 100


async def test_values_share_a_prepared_statement(settings: Settings) -> None:
    url = settings.databases.axion_sense.app_url.get_secret_value()
    postgres = await Postgres.open("axion_sense", url, pool_max=1, statement_timeout_ms=20_000)

    class Only:
        columnar: dict[str, Any] = {}

        @property
        def postgres(self) -> dict[str, Postgres]:
            return {"axion_sense": postgres}

    try:
        for n, like in ((1, "a%"), (2, "%"), (3, "x")):
            document = (
                f'{{ sense {{ organizations(first: {n}, where: {{name: {{like: "{like}"}}}}) {{ totalCount }} }} }}'
            )
            await fetch(read_of(document), stores=Only(), ledger=Ledger())
        prepared = "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%organizations%'"
        sent = [row[0] for row in await postgres.fetch(prepared, ledger=Ledger()) if "pg_prepared" not in row[0]]
        assert len(sent) == 1
    finally:
        await postgres.close()


def test_a_read_of_an_unguarded_table_has_no_plan() -> None:
    read = read_of("{ sense { organizations { totalCount } } }")
    table = OBJECTS["SenseOrganization"].table
    PlannedRead(read, {table: Public("a test")}, 0)
    with pytest.raises(Exception, match="Nothing says who may read"):
        PlannedRead(read, {}, 0)


async def test_a_cancelled_plan_cancels_its_query(ways: Ways, admin_url: str) -> None:
    document = "{ sense { organizations { totalCount } holds { totalCount } } }"
    await ways.planned(document)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'axion-gateway'"
    )
    holder = await asyncpg.connect(admin_url, database="axion_sense")
    watcher = await asyncpg.connect(admin_url, database="axion_sense")
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE road_data.holds IN ACCESS EXCLUSIVE MODE")
            before = await watcher.fetchval(waiting)
            asking = asyncio.create_task(ways.answered(document))

            async def blocked() -> bool:
                return bool(await watcher.fetchval(waiting) > before)

            async def free() -> bool:
                return bool(await watcher.fetchval(waiting) <= before)

            await until(blocked, timeout_s=10)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await until(free, timeout_s=10)
    finally:
        await holder.close()
        await watcher.close()
