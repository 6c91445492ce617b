"""Datasets changed, grouped and removed, with what describes them and what roles may do there."""

import pytest

from loaders.encode.node_id import decode_node_id
from loaders.openfga import names
from tests.resolvers.gen.conftest import GenStores
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
    await create(world, BY_NAME["GenDashboard"], datasetId="@flights")
    role = await world.do("admin", "genRoleCreate", {"name": "Pilots"}, "role { id }")
    assigned = {"id": role["role"]["id"], "resourceType": "DATASET", "datasetId": "@flights"}
    done = await world.do("admin", "genRoleAssignResource", assigned)
    assert done["__typename"] == "GenRoleAssignResourcePayload", done

    done = await world.do("steward", "genDatasetDelete", {"id": "@flights"}, "deletedId permissionsPending")

    assert (done["deletedId"], done["permissionsPending"]) == (world.ids["flights"], False)
    assert await world.ask("admin", "{ gen { datasets { nodes { name } } } }") == {
        "gen": {"datasets": {"nodes": [{"name": "secret"}]}}
    }
    for name in ("GenTableFilter", "GenDatasetMap", "GenCurationOverride", "GenTooltipTemplate", "GenDashboard"):
        assert await ids(world, "admin", BY_NAME[name]) == [], name
    assert (await world.do("steward", "genDatasetDelete", {"id": "@flights"}))["__typename"] == "Absent"
    steward = world.as_("steward").verdicts
    assert not await steward.check("can_admin", names.dataset(decode_node_id(world.ids["flights"])[1]))
