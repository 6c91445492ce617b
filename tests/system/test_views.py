"""What each of the demo's users sees, and that what is hidden cannot be told from what is not there."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.system.client import Client
from tests.system.mutations import mutation
from tests.system.stores import Direct

COUNTS = """
{
  gen { dataSources { totalCount } datasets { totalCount } }
  sense {
    organizations { totalCount } trackLogs { totalCount } holds { totalCount }
    tracks { totalCount } frames { totalCount }
  }
  aura { workspaces { totalCount nodes { chunks { totalCount } } } }
}
"""
IDS = """
{
  gen { dataSources { nodes { id name } } datasets { nodes { id name } } }
  sense {
    organizations { nodes { id code } }
    north: trackLogs(first: 1, where: {organization: {code: {eq: "north"}}}) { nodes { id rowId } }
    tracks(first: 1000) { nodes { id organization { code } frames(first: 1) { nodes { id } } } }
    holds(where: {organization: {code: {eq: "north"}}}) { nodes { id } }
  }
  aura { workspaces { nodes { id chunks(first: 1) { nodes { id } } } } }
}
"""
NODE = "query Node($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id } }"


@dataclass(frozen=True, slots=True)
class Ids:
    """Global ids of rows, as the administrator sees them."""

    warehouse: str
    lake: str
    data_source: str
    south: str
    north: str
    north_rows: tuple[str, ...]
    workspace: str
    chunk: str

    @property
    def all(self) -> tuple[str, ...]:
        named = (self.warehouse, self.lake, self.data_source, self.south, self.north, self.workspace, self.chunk)
        return (*named, *self.north_rows)


@pytest.fixture(scope="session")
async def ids(client: Client) -> Ids:
    data = (await client.ask(IDS)).data
    datasets = {node["name"]: node["id"] for node in data["gen"]["datasets"]["nodes"]}
    organizations = {node["code"]: node["id"] for node in data["sense"]["organizations"]["nodes"]}
    track = next(node for node in data["sense"]["tracks"]["nodes"] if node["organization"]["code"] == "north")
    (workspace,) = data["aura"]["workspaces"]["nodes"]
    return Ids(
        warehouse=datasets["nycflights13"],
        lake=datasets["nycflights13-lake"],
        data_source=next(node["id"] for node in data["gen"]["dataSources"]["nodes"] if node["name"] == "flights-lake"),
        south=organizations["south"],
        north=organizations["north"],
        north_rows=(
            data["sense"]["north"]["nodes"][0]["id"],
            track["id"],
            track["frames"]["nodes"][0]["id"],
            data["sense"]["holds"]["nodes"][0]["id"],
        ),
        workspace=workspace["id"],
        chunk=workspace["chunks"]["nodes"][0]["id"],
    )


def _counts(data: Any) -> dict[str, int]:
    counts = {f"gen.{name}": found["totalCount"] for name, found in data["gen"].items()}
    counts |= {f"sense.{name}": found["totalCount"] for name, found in data["sense"].items()}
    workspaces = data["aura"]["workspaces"]
    counts["aura.workspaces"] = workspaces["totalCount"]
    counts["aura.chunks"] = sum(node["chunks"]["totalCount"] for node in workspaces["nodes"])
    return counts


async def _stored(direct: Direct, organization: str) -> dict[str, int]:
    """Rows in the stores; of Sense, those of the organizations whose code is LIKE the pattern."""
    (gen,) = await direct.postgres(
        "axion_gen",
        'SELECT (SELECT count(*) FROM data_sources) AS "gen.dataSources",'
        ' (SELECT count(*) FROM datasets) AS "gen.datasets"',
    )
    (sense,) = await direct.postgres(
        "axion_sense",
        "WITH o AS (SELECT id FROM organizations WHERE code LIKE $1)"
        ' SELECT (SELECT count(*) FROM o) AS "sense.organizations", (SELECT array_agg(id) FROM o) AS ids,'
        ' (SELECT count(*) FROM road_data.track_logs WHERE organization_id IN (TABLE o)) AS "sense.trackLogs",'
        ' (SELECT count(*) FROM road_data.holds WHERE organization_id IN (TABLE o)) AS "sense.holds"',
        organization,
    )
    (telemetry,) = await direct.clickhouse(
        "SELECT (SELECT count() FROM tracks WHERE has({ids:Array(Int64)}, organization_id)) AS t,"
        " (SELECT count() FROM frames WHERE has({ids:Array(Int64)}, organization_id)) AS f",
        {"ids": sense.pop("ids")},
    )
    (aura,) = await direct.postgres(
        "auradb",
        'SELECT (SELECT count(*) FROM workspaces) AS "aura.workspaces",'
        ' (SELECT count(*) FROM rag_chunks) AS "aura.chunks"',
    )
    return gen | sense | {"sense.tracks": telemetry["t"], "sense.frames": telemetry["f"]} | aura


async def test_admin_sees_all(client: Client, direct: Direct) -> None:
    counts = _counts((await client.ask(COUNTS)).data)
    assert counts == await _stored(direct, "%")
    assert all(counts.values())


async def test_analyst_sees_one_dataset_one_organization_and_the_workspace(client: Client, direct: Direct) -> None:
    counts = _counts((await client.ask(COUNTS, user="analyst")).data)
    assert counts == await _stored(direct, "south") | {"gen.dataSources": 0, "gen.datasets": 1}
    assert counts["sense.frames"] < _counts((await client.ask(COUNTS)).data)["sense.frames"]


async def test_analyst_reads_the_tables_of_the_one_dataset(client: Client, ids: Ids) -> None:
    document = """
    query Tables($id: ID!) {
      gen {
        dataset(id: $id) { name dataSource { name } tables { name } table(name: "airlines") { rows { totalCount } } }
      }
    }
    """
    answer = await client.ask(document, {"id": ids.warehouse}, user="analyst")
    assert answer.data["gen"]["dataset"] == {
        "name": "nycflights13",
        "dataSource": None,
        "tables": [{"name": name} for name in ("airlines", "airports", "flights", "planes", "weather")],
        "table": {"rows": {"totalCount": 16}},
    }
    assert (await client.ask(document, {"id": ids.lake}, user="analyst")).data["gen"]["dataset"] is None


async def test_who_reads_a_table_is_not_told_the_name_of_its_data_source(client: Client, ids: Ids) -> None:
    """By the statements of its store neither, nor where an answer says whom it asked."""
    document = """
    query Table($id: ID!) { gen { dataset(id: $id) {
      table(name: "airlines") { rows(first: 1) { nodes } } metric(name: "flights") { answer { dataSource } }
    } } }
    """
    where = '{ gen { dataSources(where: {name: {eq: "flights-clickhouse"}}) { nodes { rowId } } } }'
    (source,) = (await client.ask(where)).data["gen"]["dataSources"]["nodes"]
    answer = await client.ask(document, {"id": ids.warehouse}, user="analyst")
    store = f"datasource:{source['rowId']}"
    assert answer.data["gen"]["dataset"]["metric"] == {"answer": {"dataSource": store}}
    assert store in answer.statements
    assert "flights-clickhouse" not in str(answer.body)


async def test_analyst_finds_no_row_of_another_organization(client: Client) -> None:
    document = """
    {
      sense {
        trackLogs(first: 1000) { nodes { organization { code } } }
        tracks(first: 1000) { nodes { organization { code } log { organization { code } } } }
        holds(first: 1000) { nodes { organization { code } } }
      }
    }
    """
    sense = (await client.ask(document, user="analyst")).data["sense"]
    south = {"code": "south"}
    assert len(sense["trackLogs"]["nodes"]) == len(sense["tracks"]["nodes"]) > 100
    for name in ("trackLogs", "tracks", "holds"):
        assert all(node["organization"] == south for node in sense[name]["nodes"])
    assert all(node["log"] == {"organization": south} for node in sense["tracks"]["nodes"])


async def test_stranger_sees_nothing(client: Client) -> None:
    counts = _counts((await client.ask(COUNTS, user="stranger")).data)
    assert counts == dict.fromkeys(counts, 0)


async def test_search_is_closed_to_strangers(client: Client, ids: Ids) -> None:
    document = 'query S($w: ID!) { aura { search(workspaceId: $w, text: "session") { totalCount nodes { id } } } }'
    found = {user: await client.ask(document, {"w": ids.workspace}, user=user) for user in ("analyst", "stranger")}
    assert len(found["analyst"].data["aura"]["search"]["nodes"]) == 50
    assert found["stranger"].data["aura"]["search"] == {"totalCount": 0, "nodes": []}


@pytest.mark.parametrize("user", ["analyst", "stranger"])
async def test_hidden_objects_are_absent_by_id(client: Client, ids: Ids, user: str) -> None:
    visible = {ids.warehouse, ids.south, ids.workspace, ids.chunk} if user == "analyst" else set()
    for id_ in ids.all:
        data = (await client.ask(NODE, {"id": id_}, user=user)).data
        assert (data["node"] is not None) == (id_ in visible)
        assert (await client.ask(NODE, {"id": id_})).data["node"]["id"] == id_
    nodes = (await client.ask(NODES, {"ids": list(ids.all)}, user=user)).data["nodes"]
    assert nodes == [{"id": id_} if id_ in visible else None for id_ in ids.all]


@pytest.mark.parametrize(
    ("field", "where", "visible"),
    [
        ("sense { trackLogs(where: %s) { totalCount } }", '{organization: {code: {eq: "north"}}}', 0),
        ("sense { trackLogs(where: %s) { totalCount } }", '{organization: {code: {ne: "south"}}}', 0),
        ("sense { trackLogs(where: %s) { totalCount } }", '{not: {organization: {code: {eq: "north"}}}}', 157),
        ("sense { organizations(where: %s) { totalCount } }", '{code: {eq: "north"}}', 0),
        ("gen { datasets(where: %s) { totalCount } }", '{dataSource: {name: {eq: "flights-clickhouse"}}}', 0),
        ("gen { datasets(where: %s) { totalCount } }", '{dataSource: {name: {ne: "flights-lake"}}}', 0),
    ],
)
async def test_filters_reveal_nothing_of_hidden_rows(client: Client, field: str, where: str, visible: int) -> None:
    """A relation that leads to a hidden row leads nowhere, so guesses about it all answer alike."""
    document = "{ " + field % where + " }"
    domain = (await client.ask(document, user="analyst")).data
    (found,) = next(iter(domain.values())).values()
    assert found == {"totalCount": visible}


async def test_anonymous_is_told_to_sign_in(client: Client) -> None:
    answer = await client.ask("{ __typename viewer { subject } " + COUNTS.strip()[1:], user=None)
    assert answer.status == 200
    assert answer.codes == ["UNAUTHENTICATED"] * 8
    assert answer.body["data"] == {
        "__typename": "Query",
        "viewer": None,
        "gen": dict.fromkeys(("dataSources", "datasets")),
        "sense": dict.fromkeys(("organizations", "trackLogs", "holds", "tracks", "frames")),
        "aura": {"workspaces": None},
    }
    assert answer.statements == {}


async def test_anonymous_reads_the_schema(client: Client) -> None:
    answer = await client.ask("{ __typename __schema { queryType { name } } }", user=None)
    assert answer.data == {"__typename": "Query", "__schema": {"queryType": {"name": "Query"}}}


@pytest.mark.parametrize("field", ["tracks { nodes { id } }", "frames(first: 1) { totalCount nodes { id } }"])
async def test_a_denial_asks_no_store(client: Client, field: str) -> None:
    """The stranger sees no organization, so no telemetry: OpenFGA says so, and ClickHouse is not asked."""
    answer = await client.ask("{ sense { " + field + " } }", user="stranger")
    assert next(iter(answer.data["sense"].values()))["nodes"] == []
    assert set(answer.statements) <= {"openfga"}


async def test_a_denied_mutation_changes_nothing(client: Client, direct: Direct) -> None:
    settings = {"url": "http://127.0.0.1:1", "database": "d", "username": "u", "password": "p"}
    added = {"name": "not-mine", "connectorType": "clickhouse", "settings": settings}
    answer = await client.ask(mutation("genDataSourceCreate"), {"input": added}, user="analyst")
    told = answer.data["it"]
    assert (told["__typename"], told["code"]) == ("NotAllowed", "FORBIDDEN")
    assert set(answer.statements) <= {"openfga"}
    assert await direct.postgres("axion_gen", "SELECT 1 FROM data_sources WHERE name = 'not-mine'") == []
