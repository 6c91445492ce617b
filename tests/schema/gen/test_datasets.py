"""Datasets are changed, grouped and deleted, with their metadata and permissions."""

from typing import Any

import pytest

from loaders.encode.node_id import decode_node_id
from loaders.ledger import Ledger
from loaders.openfga import names
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.entities import WIDGET
from tests.schema.gen.test_entities import BY_NAME, create, ids
from tests.schema.gen.world import World


async def test_a_group_is_seen_by_who_sees_a_dataset_in_it(world: World) -> None:
    made = await world.do("admin", "genDatasetGroupCreate", {"name": "Air"}, "datasetGroup { id }")
    group = made["datasetGroup"]["id"]
    document = "{ gen { datasetGroups { nodes { name datasets { nodes { name } } } } } }"
    change = {"id": "@flights", "patch": {"datasetGroupId": group, "description": "All flights"}}
    done = await world.do("steward", "genDatasetUpdate", change)
    assert (done["__typename"], done["field"]) == ("InvalidInput", "datasetGroupId")  # a steward sees no empty group
    done = await world.do("admin", "genDatasetUpdate", change, "dataset { description group { name } }")
    assert done["dataset"] == {"description": "All flights", "group": {"name": "Air"}}
    await world.do("admin", "genDatasetUpdate", {"id": "@secret", "patch": {"datasetGroupId": group}})
    seen = {"ann": [["flights"]], "steward": [["flights"]], "admin": [["flights", "secret"]], "stranger": []}
    for user, expected in seen.items():
        nodes = (await world.ask(user, document))["gen"]["datasetGroups"]["nodes"]
        assert [[dataset["name"] for dataset in node["datasets"]["nodes"]] for node in nodes] == expected, user


@pytest.mark.parametrize(("user", "failure"), [("ann", "NotAllowed"), ("stranger", "Absent")])
async def test_who_may_not_remove_a_dataset(world: World, user: str, failure: str) -> None:
    assert (await world.do(user, "genDatasetDelete", {"id": "@flights"}))["__typename"] == failure
    assert (await world.ask("admin", "{ gen { datasets { totalCount } } }"))["gen"]["datasets"]["totalCount"] == 2


async def test_a_removed_dataset_takes_what_describes_it(world: World, stores: GenStores) -> None:
    for name in ("GenTableFilter", "GenDatasetMap", "GenCurationOverride", "GenTooltipTemplate"):
        await create(world, BY_NAME[name])
    about = {"datasetId": "@flights", "visibility": "DATASET"}
    shared = await world.do("ann", "genDashboardCreate", {"name": "Kept", **about}, "dashboard { id }")
    kept = shared["dashboard"]["id"]
    for given in (WIDGET, {"title": "Read me", "kind": "TEXT", "content": "Hello"}):
        widget = await world.do("ann", "genDashboardWidgetCreate", {**given, "dashboardId": kept})
        assert widget["__typename"] == "GenDashboardWidgetCreatePayload", widget
    role = await world.do("admin", "genRoleCreate", {"name": "Pilots"}, "role { id }")
    assigned = {"id": role["role"]["id"], "resourceType": "DATASET", "datasetId": "@flights"}
    done = await world.do("admin", "genRoleAssignResource", assigned)
    assert done["__typename"] == "GenRoleAssignResourcePayload", done

    done = await world.do("steward", "genDatasetDelete", {"id": "@flights"}, "deletedId permissionsPending")

    assert (done["deletedId"], done["permissionsPending"]) == (world.ids["flights"], False)
    assert await world.ask("admin", "{ gen { datasets { nodes { name } } } }") == {
        "gen": {"datasets": {"nodes": [{"name": "secret"}]}}
    }
    for name in ("GenTableFilter", "GenDatasetMap", "GenCurationOverride", "GenTooltipTemplate"):
        assert await ids(world, "admin", BY_NAME[name]) == [], name
    document = "{ gen { dashboards { nodes { id visibility dataset { id } widgets { nodes { title } } } } } }"
    left = {"id": kept, "visibility": "PRIVATE", "dataset": None, "widgets": {"nodes": [{"title": "Read me"}]}}
    assert (await world.ask("ann", document))["gen"]["dashboards"]["nodes"] == [left]
    assert (await world.do("steward", "genDatasetDelete", {"id": "@flights"}))["__typename"] == "Absent"
    steward = world.as_("steward").verdicts
    assert not await steward.check("can_admin", names.dataset(decode_node_id(world.ids["flights"])[1]))


async def test_a_dataset_is_pointed_at_other_tables(world: World) -> None:
    places = "dataset { remoteSchema tableNames }"
    change = {"id": "@flights", "patch": {"remoteSchema": "other", "tableNames": ["b", "a", "b"]}}
    done = await world.do("steward", "genDatasetUpdate", change, places)
    assert done["dataset"] == {"remoteSchema": "other", "tableNames": ["b", "a"]}
    back = {"id": "@flights", "patch": {"remoteSchema": None, "tableNames": None}}
    done = await world.do("steward", "genDatasetUpdate", back, places)
    assert done["dataset"] == {"remoteSchema": None, "tableNames": None}
    done = await world.do("ann", "genDatasetUpdate", change, places)
    assert done["__typename"] == "NotAllowed"


@pytest.mark.parametrize(
    ("field", "value"), [("remoteSchema", ""), ("tableNames", []), ("tableNames", [""]), ("tableNames", ["a\0"])]
)
async def test_tables_that_cannot_be(world: World, field: str, value: object) -> None:
    done = await world.do("admin", "genDatasetUpdate", {"id": "@flights", "patch": {field: value}})
    assert (done["__typename"], done["field"]) == ("InvalidInput", field)


@pytest.mark.parametrize(("user", "failure"), [("steward", "NotAllowed"), ("ann", "NotAllowed"), ("admin", "Conflict")])
async def test_a_data_source_stays_while_datasets_are_over_it(world: World, user: str, failure: str) -> None:
    done = await world.do(user, "genDataSourceDelete", {"id": "@east"})
    assert done["__typename"] == failure
    if failure == "Conflict":
        assert done["message"] == "Datasets are over data source 'east': 'flights'. Delete them first."
    sources = await world.ask("admin", "{ gen { dataSources { nodes { name datasets { totalCount } } } } }")
    assert {"name": "east", "datasets": {"totalCount": 1}} in sources["gen"]["dataSources"]["nodes"]


async def test_a_removed_data_source_leaves_no_permission_to_who_takes_its_name(
    world: World, stores: GenStores
) -> None:
    role = await world.do("admin", "genRoleCreate", {"name": "Sailors"}, "role { id }")
    assigned = {"id": role["role"]["id"], "resourceType": "DATASOURCE", "dataSourceId": "@east"}
    done = await world.do("admin", "genRoleAssignResource", assigned)
    assert done["__typename"] == "GenRoleAssignResourcePayload", done
    await world.do("admin", "genDatasetDelete", {"id": "@flights"})
    assert await world.as_("steward").verdicts.check("can_admin", names.datasource("east"))

    done = await world.do("admin", "genDataSourceDelete", {"id": "@east"}, "deletedId permissionsPending")

    assert (done["deletedId"], done["permissionsPending"]) == (world.ids["east"], False)
    left = stores.openfga.read(object_=names.datasource("east"), ledger=Ledger())
    assert [tuple_ async for tuple_ in left] == []
    rows = await stores.postgres["axion_gen"].fetch(
        "SELECT 1 FROM role_assignments WHERE data_source_id IS NOT NULL", ledger=Ledger()
    )
    assert not rows
    assert (await world.do("admin", "genDataSourceDelete", {"id": "@east"}))["__typename"] == "Absent"
    made = {"name": "east", "connectorType": "clickhouse", "settings": {"url": "http://127.0.0.1:1"}}
    assert (await world.do("admin", "genDataSourceCreate", made))["__typename"] == "GenDataSourceCreatePayload"
    assert not await world.as_("steward").verdicts.check("can_admin", names.datasource("east"))


async def test_a_dataset_is_put_into_a_group_as_it_is_made(world: World) -> None:
    group = (await world.do("admin", "genDatasetGroupCreate", {"name": "New York"}, "datasetGroup { id }"))[
        "datasetGroup"
    ]
    given = {"dataSourceId": "@east", "datasetGroupId": group["id"]}
    hidden = await world.do("steward", "genDatasetCreate", {**given, "name": "hidden"})
    assert (hidden["__typename"], hidden["field"]) == ("InvalidInput", "datasetGroupId")
    shown = "dataset { group { name } }"
    assert (await world.do("admin", "genDatasetCreate", {**given, "name": "a"}, shown))["dataset"] == {
        "group": {"name": "New York"}
    }
    assert (await world.do("steward", "genDatasetCreate", {**given, "name": "b"}, shown))["dataset"] == {
        "group": {"name": "New York"}
    }


@pytest.mark.parametrize(
    ("mutation", "given", "field"),
    [
        ("genDatasetCreate", {"dataSourceId": "@flights", "name": "d"}, "dataSourceId"),
        ("genDatasetCreate", {"dataSourceId": "@east", "name": "d", "datasetGroupId": "@flights"}, "datasetGroupId"),
        ("genDatasetUpdate", {"id": "@east", "patch": {"name": "d"}}, "id"),
        ("genDatasetDelete", {"id": "nonsense"}, "id"),
        ("genDataSourceUpdate", {"id": "@flights", "description": "d"}, "id"),
        ("genTableProfileRefresh", {"datasetId": "@east", "tableName": "t"}, "datasetId"),
        ("genRoleAssignUser", {"id": "@east", "userId": "@flights"}, "id"),
    ],
)
async def test_an_id_that_does_not_fit_is_named(world: World, mutation: str, given: dict[str, Any], field: str) -> None:
    done = await world.do("admin", mutation, given)
    assert (done["__typename"], done["code"], done["field"]) == ("InvalidInput", "INVALID_ID", field)
    assert f"`{field}`" in done["message"]


async def test_settings_that_are_no_secrets_are_for_administrators(world: World) -> None:
    document = "query Of($id: ID!) { gen { dataSource(id: $id) { options } } }"
    for user in ("admin", "steward"):
        found = await world.ask(user, document, {"id": "@east"})
        assert found["gen"]["dataSource"]["options"]["url"] == "http://127.0.0.1:1"
    assert (await world.ask("ann", document, {"id": "@east"}))["gen"]["dataSource"] is None
