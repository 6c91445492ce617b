"""Who sees more objects than can be listed sees all of them, in full pages and order, and nothing else."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

import resolvers.answer
from loaders.encode.node_id import encode_node_id
from loaders.ledger import StoreUsage
from loaders.openfga.client import OpenFga
from resolvers.subject import Subject
from tests.guards.conftest import Granted
from tests.guards.many import COUNT, Many, many
from tests.plans.ways import Ways

WALK = """
query Walk($first: Int, $last: Int, $after: String, $before: String) {
  sense { LIST(ARGUMENTS first: $first, last: $last, after: $after, before: $before) {
    nodes { rowId organizationId: organization { rowId } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }
}
"""
ORGANIZATIONS = WALK.replace("LIST", "organizations").replace(" organizationId: organization { rowId }", "")
HOLDS = WALK.replace("LIST", "holds")


@pytest.fixture(scope="module")
async def world(admin_url: str, granted: Granted, openfga: OpenFga) -> AsyncIterator[Many]:
    url = make_url(admin_url).set(database="axion_sense").render_as_string(hide_password=False)
    async with many(url, granted, openfga) as made:
        yield made


async def ask(ways: Ways, subject: Subject | str, document: str, variables: dict[str, Any] | None = None) -> Any:
    answer = json.loads(await ways.answered(document, variables, subject))
    assert "errors" not in answer, answer["errors"]
    return answer["data"]["sense"]


async def walk(ways: Ways, subject: Subject | str, document: str, size: int, *, backward: bool = False) -> list[Any]:
    """All rows by pages of `size`, which are full but for the last."""
    found: list[Any] = []
    cursor: str | None = None
    while True:
        page = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        ((_, answer),) = (await ask(ways, subject, document, page)).items()
        info, nodes = answer["pageInfo"], answer["nodes"]
        found = nodes + found if backward else found + nodes
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return found
        assert len(nodes) == size
        cursor = info["startCursor" if backward else "endCursor"]


_FILTERS = (
    'where: {code: {startsWith: "many-"}}',
    'where: {name: {in: ["Many 1", "Many 4"]}}',
    'where: {and: [{code: {like: "many-%9%"}}, {not: {name: {eq: "Many 2"}}}]}',
    'where: {holds: {some: {message: {eq: "many 3"}}}}',
)
_ORDERS = ("", "orderBy: [{name: DESC}]", "orderBy: [{code: ASC}]", "orderBy: [{name: ASC}, {code: DESC}]")


async def test_pages_are_what_a_check_of_every_row_says(world: Many, ways: Ways) -> None:
    @given(
        member=st.sampled_from(["none", "few", "half", "all"]),
        filter_=st.sampled_from(_FILTERS),
        order=st.sampled_from(_ORDERS),
        size=st.sampled_from([7, 60, 333]),
        backward=st.booleans(),
    )
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def drawn(**drawn: Any) -> None:
        cases.append(drawn)

    cases: list[dict[str, Any]] = []
    drawn()
    for case in cases:
        document = ORGANIZATIONS.replace("ARGUMENTS", f"{case['filter_']} {case['order']}")
        subject, allowed = world.members[case["member"]]
        everything = await walk(ways, "admin", document, 1_000, backward=case["backward"])
        expected = [node for node in everything if int(node["rowId"]) in allowed]
        size = case["size"] if len(expected) < 10 * case["size"] else 1_000
        assert await walk(ways, subject, document, size, backward=case["backward"]) == expected, case


@pytest.mark.parametrize("member", ["half", "all"])
async def test_rows_of_many_tenants(world: Many, ways: Ways, member: str) -> None:
    subject, allowed = world.members[member]
    document = HOLDS.replace("ARGUMENTS", "orderBy: [{message: DESC}]")
    everything = await walk(ways, "admin", document, 1_000)
    expected = [node for node in everything if int(node["organizationId"]["rowId"]) in allowed]
    assert await walk(ways, subject, document, 1_000) == expected


_NESTED = {
    "organizations": "rowId holds(first: 2) { totalCount nodes { rowId organization { rowId } } }",
    "holds": "organization { rowId holds(first: 5) { aggregate { count } edges { node { organization { name } } } } }",
}


@pytest.mark.parametrize(
    ("list_", "arguments"),
    [
        ("organizations", "orderBy: [{name: DESC}]"),
        ("organizations", 'where: {holds: {some: {organization: {name: {eq: "Many 3"}}}}}'),
        ("holds", "orderBy: [{organization: {name: ASC}}]"),
        ("holds", 'where: {message: {eq: "many 2"}}'),
    ],
)
async def test_what_is_nested_is_what_a_check_of_every_row_says(
    world: Many, ways: Ways, list_: str, arguments: str
) -> None:
    subject, allowed = world.members["half"]
    document = f"""query Q($first: Int, $last: Int, $after: String, $before: String) {{ sense {{
      {list_}({arguments}, first: $first, last: $last, after: $after, before: $before) {{
        nodes {{ {_NESTED[list_]} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"""
    everything = await walk(ways, "admin", document, 1_000)
    expected = [node for node in everything if int(node.get("organization", node)["rowId"]) in allowed]
    assert expected
    assert await walk(ways, subject, document, 300) == expected


async def test_one_object_of_too_many_to_list(world: Many, ways: Ways) -> None:
    subject, allowed = world.members["half"]
    document = (
        "query One($id: ID!) { sense { organization(id: $id) { rowId holds { nodes { organization { rowId } } } } } }"
    )
    for id_ in (min(allowed), min(set(world.ids) - allowed)):
        found = await ask(ways, subject, document, {"id": encode_node_id("SenseOrganization", (str(id_),))})
        hold = {"organization": {"rowId": str(id_)}}
        shown = {"rowId": str(id_), "holds": {"nodes": [hold] * (1 + id_ % 2)}}
        assert found == {"organization": shown if id_ in allowed else None}


async def test_counts_and_figures_are_of_visible_rows(world: Many, ways: Ways) -> None:
    subject, allowed = world.members["half"]
    document = """
    { sense {
      organizations(first: 1) { totalCount nodes { rowId } aggregate { count } }
      counted: organizations(first: 1, where: {code: {ne: "x"}}) { totalCount nodes { rowId } }
      holds(first: 1) { nodes { organization { rowId holds { totalCount } } } }
    } }
    """
    answer = await ask(ways, subject, document)
    assert answer["organizations"]["totalCount"] == answer["counted"]["totalCount"] == len(allowed)
    assert answer["organizations"]["aggregate"] == [{"count": len(allowed)}]
    (hold,) = answer["holds"]["nodes"]
    assert int(hold["organization"]["rowId"]) in allowed
    assert hold["organization"]["holds"]["totalCount"] == 1 + int(hold["organization"]["rowId"]) % 2


async def test_telemetry_of_too_many_organizations_to_list(world: Many, ways: Ways) -> None:
    """ClickHouse's lists are guarded in the same way: a member of thousands sees no one else's tracks."""
    subject, _ = world.members["half"]
    assert await ask(ways, subject, "{ sense { tracks(first: 5) { totalCount nodes { id } } } }") == {
        "tracks": {"totalCount": 0, "nodes": []}
    }


async def test_beyond_what_is_checked_a_count_is_null_and_a_figure_an_error(
    world: Many, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolvers.answer, "_MAX_CHECKED", COUNT - 1)
    subject, allowed = world.members["half"]
    list_ = '{ sense { organizations(first: 20, where: {code: {startsWith: "many"}}) { PARTS } } }'
    answer = (await ask(ways, subject, list_.replace("PARTS", "totalCount nodes { rowId } pageInfo { hasNextPage }")))[
        "organizations"
    ]
    assert answer["totalCount"] is None
    assert answer["pageInfo"]["hasNextPage"]
    assert len(answer["nodes"]) == 20
    assert {int(node["rowId"]) for node in answer["nodes"]} <= allowed
    refused = json.loads(await ways.answered(list_.replace("PARTS", "aggregate { count }"), None, subject))
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["COST_EXCEEDED"]
    assert refused["data"] == {"sense": {"organizations": None}}


async def test_a_page_costs_the_same_however_many_there_are(world: Many, ways: Ways) -> None:
    """The admin check, the list that is full, and the checks of the keys read ahead: 50 of them, and 200 if need be."""
    for name in ("half", "all"):
        subject, _ = world.members[name]
        context = ways.context(subject)
        document = '{ sense { organizations(first: 20, where: {code: {startsWith: "many"}}) { nodes { rowId } } } }'
        await ways.answered_in(document, context)
        statements = Counter[str]()
        for store, usage in context.ledger.entries():
            statements[store] += usage.statements
        assert statements.pop("openfga", 0) <= 4  # fewer where verdicts are kept
        assert statements == {"axion_sense": 2}


@pytest.mark.parametrize(
    "parts", ["nodes { rowId }", "totalCount", "nodes { holds { totalCount } }", "aggregate { count }"]
)
async def test_what_is_told_of_the_stores_is_the_same_of_hidden_and_absent_rows(
    world: Many, ways: Ways, parts: str
) -> None:
    """Reading ahead and checking would tell of each hidden row: only the gateway's metrics have that."""
    subject, allowed = world.members["half"]
    hidden = min(set(world.ids) - allowed)
    document = "query Q($id: BigInt) { sense { organizations(where: {rowId: {gte: $id, lte: $id}}) { PARTS } } }"
    told = []
    for id_ in (hidden, 2**62):
        context = ways.context(subject)
        answer = await ways.answered_in(document.replace("PARTS", parts), context, {"id": str(id_)})
        stores = dict(context.ledger.stores)
        asked = stores.pop("openfga", StoreUsage())
        assert asked.statements <= 2  # whether admin, and the list that is full: kept or not
        told.append((answer, {store: (usage.statements, usage.rows, usage.bytes) for store, usage in stores.items()}))
    assert told[0] == told[1]
