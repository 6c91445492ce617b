"""What is kept of a plan: one for all values, none of a request's values, within a bound, and one statement."""

import asyncio
import gc
from collections.abc import Callable
from json import loads
from typing import Any
from uuid import UUID
from weakref import ref

import asyncpg
import pytest
from graphql import OperationDefinitionNode, parse

from gateway.lifespan import Runtime
from gateway.settings import Settings
from loaders import prepared
from loaders.bounded_cache import BoundedCache
from loaders.encode.node_id import encode_node_id
from loaders.fetch import fetch
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.postgres.statements import Statements
from resolvers.permissions.guards import Public
from resolvers.planned import PlannedRead
from schema.build import build, graphql_schema
from schema.mapping import ids as global_ids
from schema.mapping.object import OBJECTS
from schema.mapping.plans import Plan, Plans
from tests.plans.ways import Ways
from tests.schema.mapping.building import read_of
from tests.waiting import until

POINT = "query($id: ID!) { sense { organization(id: $id) { name } } }"
LIST = """
query($n: Int, $order: SortOrder!, $code: Boolean!) {
  sense { organizations(first: $n, orderBy: [{name: $order}]) { nodes { name code @include(if: $code) } } }
}
"""


def _find(
    plans: Plans, key: str, document: str, variables: dict[str, Any], *, name: str | None = None
) -> tuple[Plan, list[Any]]:
    parsed = parse(document)
    node = next(
        each
        for each in parsed.definitions
        if isinstance(each, OperationDefinitionNode) and name in (None, each.name and each.name.value)
    )
    coerced = plans.coerced(key, parsed, node, variables)
    assert coerced is not None
    found = plans.find(key, parsed, node, coerced, 1000)
    assert found is not None
    return found


def _try(plans: Plans, document: str, variables: dict[str, Any]) -> Plan | None:
    parsed = parse(document)
    (node,) = (each for each in parsed.definitions if isinstance(each, OperationDefinitionNode))
    coerced = plans.coerced(document, parsed, node, variables)
    assert coerced is not None
    found = plans.find(document, parsed, node, coerced, 1000)
    return None if found is None else found[0]


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


def test_a_list_is_one_value_wherever_it_is_used() -> None:
    plans = Plans(graphql_schema(build()))
    terms = ", ".join("{id: {in: $i}}" for _ in range(40))
    document = f"query($i: [ID!]!) {{ sense {{ organizations(where: {{or: [{terms}]}}) {{ totalCount }} }} }}"
    ids = [encode_node_id("SenseOrganization", [str(70_000 + key)]) for key in range(1_000)]
    before = global_ids._key.cache_info().misses
    plan, values = _find(plans, "forty", document, {"i": ids})
    assert global_ids._key.cache_info().misses - before == len(ids)
    assert len(plan.values) == len(values) == 1


def test_a_list_that_is_too_long_or_used_too_often_has_no_plan() -> None:
    plans = Plans(graphql_schema(build()))
    for document, count in (
        ("query($i: [ID!]!) { sense { organizations(where: {id: {in: $i}}) { totalCount } } }", 1_001),
        ("query($i: [ID!]!) { sense { frames(where: {id: {in: $i}}) { totalCount } } }", 1_001),
    ):
        for ids, found in ((["U2Vuc2U"] * count, None), ([], Plan)):
            assert type(_try(plans, document, {"i": ids})) is (found or type(None))
    often = ", ".join("{name: {in: $i}}" for _ in range(40))
    document = f"query($i: [String!]!) {{ sense {{ organizations(where: {{or: [{often}]}}) {{ totalCount }} }} }}"
    assert _try(plans, document, {"i": ["x"] * 1_000}) is not None
    assert _try(plans, document, {"i": ["x"] * 2_000}) is None


def test_what_stands_under_many_decisions_is_found() -> None:
    """Of one place to look at a decision: keys that held all earlier ones ended in a `RecursionError`."""
    plans = Plans(graphql_schema(build()))
    document = "query($w: SenseOrganizationFilter!) { sense { organizations(where: $w) { totalCount } } }"
    terms = [{"name": {"isNull": place % 2 == 0}} for place in range(490)]
    first, _ = _find(plans, "many", document, {"w": {"or": terms}})
    assert _find(plans, "many", document, {"w": {"or": terms}})[0] is first
    other, _ = _find(plans, "many", document, {"w": {"or": terms[::-1]}})
    assert other is not first
    assert _find(plans, "many", document, {"w": {"or": terms}})[0] is first
    assert plans.weight > 490


def test_ids_of_several_columns_are_one_value() -> None:
    """One slot, and one plan however many there are."""
    plans = Plans(graphql_schema(build()))
    document = "query($i: [ID!]!) { sense { frames(where: {id: {in: $i}}) { totalCount } } }"
    made = [_find(plans, "wide", document, {"i": [_frame_id(n) for n in range(count)]}) for count in (0, 1, 2, 1_000)]
    assert len({id(plan) for plan, _ in made}) == 1
    assert [[len(value) for value in values] for _, values in made] == [[0], [1], [2], [1_000]]


def _frame_id(number: int) -> str:
    return encode_node_id("SenseFrame", [str(UUID(int=number)), "2026-01-01T00:00:00+00:00", str(UUID(int=number))])


def test_a_plan_weighs_what_its_document_does() -> None:
    plans = Plans(graphql_schema(build()))
    small = "query A { sense { organizations { totalCount } } }"
    _find(plans, "small", small, {})
    before = plans.weight
    _find(plans, "large", small + " ".join(f"query B{n} {{ __typename }}" for n in range(280)), {}, name="A")
    assert plans.weight - before > 500


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


@pytest.mark.parametrize("fields", [1, 600], ids=["short", "long"])
async def test_values_share_a_prepared_statement(settings: Settings, fields: int) -> None:
    """Also a long one, such as of all lists of a dashboard."""
    shown = " ".join(f"f{place}: name" for place in range(fields))
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
                f'{{ sense {{ organizations(first: {n}, where: {{name: {{like: "{like}"}}}}) '
                f"{{ totalCount nodes {{ {shown} }} }} }} }}"
            )
            await fetch(read_of(document), stores=Only(), ledger=Ledger())
        prepared = "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%organizations%'"
        sent = [row[0] for row in await postgres.fetch(prepared, ledger=Ledger()) if "pg_prepared" not in row[0]]
        assert len(sent) == 1
        assert fields == 1 or 24_000 < len(sent[0]) < 32_000
    finally:
        await postgres.close()


def test_a_read_of_an_unguarded_table_has_no_plan() -> None:
    read = read_of("{ sense { organizations { totalCount } } }")
    table = OBJECTS["SenseOrganization"].table
    PlannedRead(read, {table: Public("a test")}, 0)
    with pytest.raises(Exception, match="Nothing says who may read"):
        PlannedRead(read, {}, 0)


async def test_nothing_is_planned_for_who_may_read_nothing(ways: Ways) -> None:
    document = "{ sense { organizations(first: 7) { nodes { name code } } } }"
    plans = ways.operations._planned._plans
    before = plans.weight
    assert '"UNAUTHENTICATED"' in await ways.answered(document, user="nobody")
    assert plans.weight == before
    await ways.planned(document)
    assert plans.weight > before


async def test_what_is_known_of_callers_keeps_no_plan_alive(
    runtime: Runtime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new document left its plan in memory, until 25,000 of them were known."""
    monkeypatch.setattr(prepared, "_prepared", BoundedCache(0))
    ways = Ways(runtime, settings.limits)
    await ways.planned(LIST, {"n": 1, "order": "ASC", "code": True})
    plans = ways.operations._planned._plans
    (plan,) = (made for made, _ in plans._tree._entries.values() if isinstance(made, Plan))
    kept = [ref(made) for made, _ in plan.reads[0]._guarded._entries.values()]
    assert [made() is None for made in kept] == [False]
    del ways, plans, plan
    gc.collect()
    assert [made() is None for made in kept] == [True]


async def test_equal_lists_share_a_statement_whatever_they_are_asked_beside(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that differ in constants. A document of 99 equal lists took 300 ms of CPU for their statements."""
    made = _counted_compilations(monkeypatch)
    lists = " ".join(f"a{n}: organizations(first: {n + 1}) {{ nodes {{ shared: code }} }}" for n in range(20))
    await ways.planned(f"{{ sense {{ {lists} }} }}")
    await ways.planned("{ sense { holds { totalCount } organizations(first: 30) { nodes { shared: code } } } }")
    assert [sql for sql in made if "shared" in sql] == [next(sql for sql in made if "shared" in sql)]


@pytest.mark.parametrize(
    "lists",
    [
        [f"organizations {{ nodes {{ turn{n}: code }} }}" for n in range(20)],
        ['holds(where: {createdAt: {ne: "0001-01-01T00:00:00Z"}}) { nodes { odd: message } }'] * 20,
    ],
    ids=["lists that are new", "values that the list's statement does not fit"],
)
async def test_others_are_served_between_two_compilations(
    ways: Ways, monkeypatch: pytest.MonkeyPatch, lists: list[str]
) -> None:
    await ways.planned(
        '{ sense { holds(where: {createdAt: {ne: "2026-01-01T00:00:00Z"}}) { nodes { odd: message } } } }'
    )
    rounds, compiled_in = 0, list[int]()

    async def others() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    _counted_compilations(monkeypatch, lambda: compiled_in.append(rounds))
    asked = " ".join(f"a{n}: {each}" for n, each in enumerate(lists))
    going_on = asyncio.create_task(others())
    await ways.planned(f"{{ sense {{ {asked} }} }}")
    going_on.cancel()
    assert len(compiled_in) == len(set(compiled_in)) == 20


def _counted_compilations(monkeypatch: pytest.MonkeyPatch, before: Callable[[], None] = lambda: None) -> list[str]:
    compile_, made = Statements._compiled, list[str]()

    def counted(*asked: Any) -> Any:
        before()
        statement = compile_(*asked)
        made.append(statement.sql)
        return statement

    monkeypatch.setattr(Statements, "_compiled", counted)
    return made


async def test_what_compares_with_too_much_is_refused_before_it_is_built(ways: Ways) -> None:
    often = ", ".join("{name: {in: $i}}" for _ in range(40))
    document = f"query($i: [String!]!) {{ sense {{ organizations(where: {{or: [{often}]}}) {{ totalCount }} }} }}"
    assert '"COST_EXCEEDED"' in await ways.answered(document, {"i": ["x"] * 2_000})
    assert '"UNAUTHENTICATED"' in await ways.answered(document, {"i": ["x"] * 2_000}, "nobody")
    ids = "query($i: [ID!]!) { sense { organizations(where: {id: {in: $i}}) { totalCount } } }"
    too_long = {"i": [encode_node_id("SenseOrganization", ["1"])] * 1_001}
    assert "at most 1000 are looked up" in await ways.answered(ids, too_long)
    before = global_ids._key.cache_info()
    assert '"UNAUTHENTICATED"' in await ways.answered(ids, too_long, "nobody")
    assert global_ids._key.cache_info() == before


async def test_an_empty_list_holds_not_even_a_null(ways: Ways) -> None:
    document = """query($i: [Float!]!) { sense { frames { all: aggregate { count } }
      none: frames(where: {altitude: {in: $i}}) { totalCount }
      any: frames(where: {altitude: {notIn: $i}}) { totalCount }
      other: frames(where: {not: {altitude: {in: $i}}}) { totalCount } } }"""
    answer = loads(await ways.planned(document, {"i": []}))["data"]["sense"]
    (all_,) = answer["frames"]["all"]
    assert [answer[key]["totalCount"] for key in ("none", "any", "other")] == [0, all_["count"], all_["count"]]
    every = "query($i: [String!]!) { sense { a: organizations { totalCount } b: organizations(where:"
    every += " {trackLogs: {every: {s3LogKey: {notIn: $i}}}}) { totalCount } } }"
    answer = loads(await ways.planned(every, {"i": []}))["data"]["sense"]
    assert answer["a"] == answer["b"]


async def test_orders_are_bounded(ways: Ways) -> None:
    document = "query($o: [SenseOrganizationOrderBy!]) { sense { organizations(orderBy: $o) { totalCount } } }"
    terms = [{"name": "ASC"}] * 65
    assert '"errors"' not in await ways.planned(document, {"o": terms[:64]})
    assert "`orderBy` has 65 terms" in await ways.answered(document, {"o": terms})


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
