"""What curation hides does not exist, for any user and in any way of reading: tables and columns."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from loaders.description import Column, ColumnType, Kind
from loaders.encode.node_id import decode_node_id
from loaders.errors import NotFound
from loaders.tables.axion_gen.catalog import DatasetMap
from loaders.tables.uuid7 import uuid7
from resolvers.gen.tiles import bundle_path, visible_bundle
from resolvers.profiles.result import Basis, Bin, ColumnFigures, Profile
from resolvers.profiles.stored import keep
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.new_york import asked, made
from tests.schema.gen.world import World

TABLE = 'query($id: ID!) { gen { dataset(id: $id) { table(name: "flights") { %s } } } }'
DASHBOARD = """query($id: ID!) { gen { dashboard(id: $id) {
  widgets { nodes { title answer { rows columns { name } } } } controls { nodes { values { values } } }
} } }"""
CURATED = {"datasetId": "@nyc", "tableName": "flights"}


@pytest.mark.parametrize(
    ("column", "instead"), [("Tailnum", "Give 'tailnum'."), ("tail_num", "List its `columns`."), ("", None)]
)
async def test_a_column_that_is_not_there_is_not_hidden(nyc: World, column: str, instead: str | None) -> None:
    done = await nyc.do(
        "admin",
        "genCurationOverrideCreate",
        {**CURATED, "columnName": column, "isHidden": True},
        "curationOverride { id }",
    )
    assert (done["__typename"], done["field"]) == ("InvalidInput", "columnName")
    if instead is not None:
        assert done["message"] == f"Table flights has no column {column!r}, so nothing would be hidden. {instead}"


async def test_nor_is_it_by_a_change(nyc: World) -> None:
    seen = await made(nyc, "GenCurationOverride", {**CURATED, "columnName": "tailNum"}, user="admin")
    update = "genCurationOverrideUpdate"
    done = await nyc.do("admin", update, {"id": seen, "patch": {"isHidden": True}}, "curationOverride { id }")
    assert (done["__typename"], done["field"]) == ("InvalidInput", "columnName")
    patch = {"isHidden": True, "columnName": "tailnum"}
    done = await nyc.do("admin", update, {"id": seen, "patch": patch}, "curationOverride { id }")
    assert done["__typename"] == "GenCurationOverrideUpdatePayload"


ASKED = (
    'rows(select: ["tailnum"], first: 1) { nodes }',
    'rows(select: ["origin"], where: {column: "tailnum", startsWith: "N1"}) { totalCount }',
    'rows(select: ["origin"], where: {not: {column: "tailnum", isNull: true}}, first: 1) { nodes }',
    'rows(select: ["origin"], orderBy: [{column: "tailnum"}], first: 1) { nodes }',
    'aggregate(groupBy: ["tailnum"], measures: [{function: COUNT}])',
    'aggregate(measures: [{function: MAX, column: "tailnum"}])',
    'aggregate(where: {column: "tailnum", eq: "N14228"}, measures: [{function: COUNT}])',
    'estimate(where: {column: "tailnum", eq: "N14228"}) { rows }',
)
MAPS = "query($id: ID!) { gen { dataset(id: $id) { maps { nodes { rowId url } } } } }"
PROFILED = """query($id: ID!) { gen { dataset(id: $id) { profiles { nodes {
  tableName rowCount columns excludedColumns statistics sampleValues columnProfiles { name min } drift { added removed }
  history(first: 9) { nodes { version columnProfiles { name min } excludedColumns } }
} } } } }"""


async def hide(world: World, table: str, column: str | None) -> None:
    given: dict[str, Any] = {"datasetId": "@nyc", "tableName": table, "isHidden": True}
    await made(world, "GenCurationOverride", given if column is None else {**given, "columnName": column}, user="admin")


@pytest.mark.parametrize("user", ["ann", "admin"])
async def test_a_hidden_column(nyc: World, user: str) -> None:
    await hide(nyc, "flights", "tailnum")
    answer = await asked(nyc, user, TABLE % "columns { name } rows(first: 1) { nodes }", {"id": "@nyc"})
    found = answer.data["gen"]["dataset"]["table"]
    assert "tailnum" not in found["rows"]["nodes"][0]
    assert [column["name"] for column in found["columns"]] == list(found["rows"]["nodes"][0])
    assert len(found["columns"]) == 18
    for field in ASKED:
        hidden = await asked(nyc, user, TABLE % field, {"id": "@nyc"})
        absent = await asked(nyc, user, TABLE % field.replace("tailnum", "no_such"), {"id": "@nyc"})
        assert [error["code"] for error in hidden.errors] == ["UNKNOWN_COLUMN"], field
        assert hidden.errors[0]["message"] == absent.errors[0]["message"].replace("no_such", "tailnum")
        assert hidden.statements(nyc.stores["nyc"]) == 1, "it is described, and its rows are not read"


async def test_a_hidden_column_of_a_dashboard(nyc: World) -> None:
    board = await made(nyc, "GenDashboard", {"name": "Board", "datasetId": "@nyc", "visibility": "DATASET"}, user="ann")
    widget = {"dashboardId": board, "kind": "TABLE", "datasetId": "@nyc", "tableName": "flights"}
    query = {"groupBy": ["tailnum"], "measures": [{"function": "COUNT"}], "limit": 1}
    await made(nyc, "GenDashboardWidget", {**widget, "title": "by plane", "query": query}, user="ann")
    await made(nyc, "GenDashboardWidget", {**widget, "title": "rows", "query": {"limit": 1}}, user="ann")
    control = {"dashboardId": board, "name": "plane", "kind": "SELECT", "columnName": "tailnum", "operator": "IN"}
    await made(nyc, "GenDashboardControl", {**control, "tableName": "flights", "datasetId": "@nyc"}, user="ann")
    await hide(nyc, "flights", "tailnum")
    answer = await asked(nyc, "ann", DASHBOARD, {"id": board})
    grouped, rows = answer.data["gen"]["dashboard"]["widgets"]["nodes"]
    assert grouped == {"title": "by plane", "answer": None}
    assert "tailnum" not in rows["answer"]["rows"][0]
    assert {error["code"] for error in answer.errors} == {"UNKNOWN_COLUMN"}


@pytest.mark.parametrize("user", ["ann", "admin"])
async def test_a_hidden_table(nyc: World, user: str) -> None:
    await hide(nyc, "flights", None)
    listing = "query($id: ID!) { gen { dataset(id: $id) { tables { name } table(name: %s) { rows { totalCount } } } } }"
    answer = await asked(nyc, user, listing % '"flights"', {"id": "@nyc"})
    assert answer.errors == []
    found = answer.data["gen"]["dataset"]
    assert found["table"] is None
    assert [table["name"] for table in found["tables"]] == ["airlines", "planes", "weather"]
    assert answer.statements(nyc.stores["nyc"]) == 1, "they are listed"


def profile_of(*names: str, excluded: tuple[str, ...] = ()) -> Profile:
    columns = tuple(Column(name, ColumnType(Kind.TEXT), nullable=True) for name in (*names, *excluded))
    figures = tuple((name, ColumnFigures(0, 1, min="secret", histogram=(Bin("secret", "x", 1),))) for name in names)
    samples = tuple((name, ("secret",)) for name in names)
    return Profile(columns, excluded, Basis.TABLE, 5, 10, figures=figures, samples=samples)


@pytest.mark.parametrize("column", [None, "lat"])
async def test_the_tiles_of_a_hidden_table_or_column(nyc: World, stores: GenStores, column: str | None) -> None:
    given = {"datasetId": "@nyc", "tableName": "airports", "name": "where", "geometryColumn": "lat"}
    await made(nyc, "GenDatasetMap", given, user="admin")
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.update(DatasetMap).values(built_at=sa.func.now()))
    (shown,) = (await nyc.ask("ann", MAPS, {"id": "@nyc"}))["gen"]["dataset"]["maps"]["nodes"]
    dataset_id, map_id = UUID(decode_node_id(nyc.ids["nyc"])[1]), UUID(shown["rowId"])
    assert shown["url"] == bundle_path(dataset_id, "airports", map_id)
    assert await visible_bundle(nyc.as_("ann"), dataset_id, "airports", map_id)
    await hide(nyc, "airports", column)
    for user in ("ann", "admin"):
        (hidden,) = (await nyc.ask(user, MAPS, {"id": "@nyc"}))["gen"]["dataset"]["maps"]["nodes"]
        assert hidden == {"rowId": shown["rowId"], "url": None}
        with pytest.raises(NotFound):
            await visible_bundle(nyc.as_(user), dataset_id, "airports", map_id)


@pytest.mark.parametrize("user", ["ann", "admin"])
async def test_a_profile_from_before_a_column_was_hidden(nyc: World, user: str) -> None:
    """Nor does it tell of one that was hidden when it was made; another table's column of that name stays."""
    dataset = UUID(decode_node_id(nyc.ids["nyc"])[1])
    for table in ("flights", "planes"):
        for found in (profile_of("origin"), profile_of("origin", "tailnum", excluded=("year",))):
            await keep(nyc.as_("admin"), dataset, table, found, job_id=uuid7())
    before = await asked(nyc, user, PROFILED, {"id": "@nyc"})
    for column in ("tailnum", "year"):
        await hide(nyc, "flights", column)
    answer = await asked(nyc, user, PROFILED, {"id": "@nyc"})
    assert (before.errors, answer.errors) == ([], [])
    assert answer.statements("axion_gen") == before.statements("axion_gen")
    by_table = {row.pop("tableName"): row for row in answer.data["gen"]["dataset"]["profiles"]["nodes"]}
    assert [row.pop("tableName") for row in before.data["gen"]["dataset"]["profiles"]["nodes"]] == list(by_table)
    assert by_table["planes"] in before.data["gen"]["dataset"]["profiles"]["nodes"]
    assert "tailnum" not in str(by_table["flights"])
    assert "year" not in str(by_table["flights"])
    shown = [{"name": "origin", "min": "secret"}]
    assert by_table["flights"]["columnProfiles"] == shown
    assert list(by_table["flights"]["statistics"]) == list(by_table["flights"]["sampleValues"]) == ["origin"]
    assert [each["columnProfiles"] for each in by_table["flights"]["history"]["nodes"]] == [shown, shown]
    await hide(nyc, "flights", None)
    hidden = await asked(nyc, user, PROFILED, {"id": "@nyc"})
    rows = hidden.data["gen"]["dataset"]["profiles"]["nodes"]
    assert [row["columnProfiles"] for row in rows if row["tableName"] == "flights"] == [[]]


async def test_a_profile_from_before_a_schedule_excluded_a_column(nyc: World) -> None:
    """Its figures and samples are gone at once, in all versions; the column is still known of."""
    dataset = UUID(decode_node_id(nyc.ids["nyc"])[1])
    for table in ("flights", "planes"):
        await keep(nyc.as_("admin"), dataset, table, profile_of("origin", "tailnum"), job_id=uuid7())

    async def profiles() -> dict[str, Any]:
        answer = await asked(nyc, "ann", PROFILED, {"id": "@nyc"})
        assert answer.errors == []
        return {row["tableName"]: row for row in answer.data["gen"]["dataset"]["profiles"]["nodes"]}

    before = await profiles()
    schedule: dict[str, Any] = {"schedule": {"everyMinutes": 60}, "excludeColumns": ["tailnum"]}
    given = {"datasetId": "@nyc", "tableName": "flights"}
    done = await nyc.do("admin", "genTableProfileScheduleSet", given | schedule)
    assert done["__typename"] == "GenTableProfileScheduleSetPayload", done
    after = await profiles()
    told = [{"name": "origin", "min": "secret"}, {"name": "tailnum", "min": None}]
    assert after["planes"] == before["planes"]
    assert after["flights"]["columnProfiles"] == told
    assert list(after["flights"]["statistics"]) == list(after["flights"]["sampleValues"]) == ["origin"]
    assert [each["columnProfiles"] for each in after["flights"]["history"]["nodes"]] == [told]
    await nyc.do("admin", "genTableProfileScheduleSet", given | {"schedule": None})
    assert await profiles() == before


async def test_a_later_mutation_of_a_document_shows_what_it_has_changed_itself(nyc: World) -> None:
    shown = "... on GenDatasetUpdatePayload { dataset { tables { name } } }"
    document = f"""mutation($id: ID!) {{
      one: genDatasetUpdate(input: {{id: $id, patch: {{tableNames: ["planes"]}}}}) {{ {shown} }}
      two: genDatasetUpdate(input: {{id: $id, patch: {{tableNames: ["airlines", "flights"]}}}}) {{ {shown} }}
    }}"""
    answer = await asked(nyc, "admin", document, {"id": "@nyc"})
    assert answer.data == {
        "one": {"dataset": {"tables": [{"name": "planes"}]}},
        "two": {"dataset": {"tables": [{"name": "airlines"}, {"name": "flights"}]}},
    }
