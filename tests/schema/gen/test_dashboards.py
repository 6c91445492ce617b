"""Shared dashboards: who sees them, and that their data stay guarded by the dataset's permissions."""

from typing import Any

import pytest

from tests.schema.gen.entities import CONTROL, QUERY, WIDGET
from tests.schema.gen.world import World

SHOWN = """{ gen { dashboards {
  nodes { name widgets { totalCount nodes { title dataset { name } dashboard { name } } } controls { totalCount } }
} } }"""


async def made(world: World, type_: str, given: dict[str, Any], *, user: str = "ann") -> str:
    noun = type_[3].lower() + type_[4:]
    done = await world.do(user, f"gen{type_[3:]}Create", given, f"{noun} {{ id }}")
    assert done["__typename"] == f"{type_}CreatePayload", done
    id_: str = done[noun]["id"]
    return id_


@pytest.fixture
async def dashboard(world: World) -> str:
    """Ann's, with a widget over the flights, a text and a control; and one of admin's over what Ann may not see."""
    id_ = await made(world, "GenDashboard", {"name": "Delays", "datasetId": "@flights"})
    await made(world, "GenDashboardWidget", WIDGET | {"dashboardId": id_})
    text = {"dashboardId": id_, "title": "Read me", "kind": "TEXT", "content": "Delays in *minutes*."}
    await made(world, "GenDashboardWidget", text)
    secret = WIDGET | {"dashboardId": id_, "title": "Secret", "datasetId": "@secret"}
    await made(world, "GenDashboardWidget", secret, user="admin")
    await made(world, "GenDashboardControl", CONTROL | {"dashboardId": id_})
    return id_


FLIGHTS = {"title": "Delay by airport", "dataset": {"name": "flights"}, "dashboard": {"name": "Delays"}}
TEXT = {"title": "Read me", "dataset": None, "dashboard": {"name": "Delays"}}
SECRET = {"title": "Secret", "dataset": {"name": "secret"}, "dashboard": {"name": "Delays"}}
ALL, KNOWN, LITTLE = [FLIGHTS, TEXT, SECRET], [FLIGHTS, TEXT], [TEXT]


@pytest.mark.parametrize(
    ("visibility", "shown"),
    [
        ("PRIVATE", {"ann": KNOWN, "admin": ALL, "bob": None, "stranger": None}),
        ("DATASET", {"ann": KNOWN, "admin": ALL, "bob": KNOWN, "stranger": None}),
        ("EVERYONE", {"ann": KNOWN, "admin": ALL, "bob": KNOWN, "stranger": LITTLE}),
    ],
)
async def test_sharing(world: World, dashboard: str, visibility: str, shown: dict[str, Any]) -> None:
    change = {"id": dashboard, "patch": {"visibility": visibility}}
    assert (await world.do("ann", "genDashboardUpdate", change))["__typename"] == "GenDashboardUpdatePayload"
    for user, widgets in shown.items():
        nodes = (await world.ask(user, SHOWN))["gen"]["dashboards"]["nodes"]
        expected = {"name": "Delays", "widgets": {"totalCount": len(widgets or []), "nodes": widgets}}
        assert nodes == ([expected | {"controls": {"totalCount": 1}}] if widgets else []), user


async def test_what_is_shared_is_not_written_by_its_readers(world: World, dashboard: str) -> None:
    await world.do("ann", "genDashboardUpdate", {"id": dashboard, "patch": {"visibility": "EVERYONE"}})
    own = await made(world, "GenDashboard", {"name": "Bob's"}, user="bob")
    mine = await made(world, "GenDashboardWidget", WIDGET | {"dashboardId": own}, user="bob")
    attempts = (
        ("genDashboardUpdate", {"id": dashboard, "patch": {"visibility": "PRIVATE"}}),
        ("genDashboardDelete", {"id": dashboard}),
        ("genDashboardWidgetCreate", WIDGET | {"dashboardId": dashboard}),
        ("genDashboardWidgetUpdate", {"id": mine, "patch": {"dashboardId": dashboard}}),
        ("genDashboardControlCreate", CONTROL | {"dashboardId": dashboard, "name": "to"}),
    )
    for mutation, given in attempts:
        assert (await world.do("bob", mutation, given))["__typename"] == "NotAllowed", mutation


async def test_a_control_is_narrowed_by_one_of_its_own_dashboard(world: World, dashboard: str) -> None:
    other = await made(world, "GenDashboard", {"name": "Other"})
    parent = await made(world, "GenDashboardControl", CONTROL | {"dashboardId": dashboard, "name": "carrier"})
    child = CONTROL | {"dashboardId": dashboard, "name": "tail", "parentFilterId": parent}
    done = await world.do("ann", "genDashboardControlCreate", child, "dashboardControl { parent { name } }")
    assert done["dashboardControl"] == {"parent": {"name": "carrier"}}
    done = await world.do("ann", "genDashboardControlCreate", child | {"dashboardId": other})
    assert (done["__typename"], done["field"]) == ("InvalidInput", "parentFilterId")
    done = await world.do("ann", "genDashboardControlDelete", {"id": parent}, "deletedId")
    assert done["deletedId"] == parent
    left = await world.ask(
        "ann", '{ gen { dashboardControls(where: {name: {eq: "tail"}}) { nodes { parent { name } } } } }'
    )
    assert left["gen"]["dashboardControls"]["nodes"] == [{"parent": None}]


async def test_no_control_is_narrowed_by_itself(world: World, dashboard: str) -> None:
    line: list[str | None] = [None]
    for name in ("origin", "carrier", "tail"):
        given = CONTROL | {"dashboardId": dashboard, "name": name, "parentFilterId": line[-1]}
        line.append(await made(world, "GenDashboardControl", given))
    _, top, middle, bottom = line
    for parent in (top, middle, bottom):
        done = await world.do("ann", "genDashboardControlUpdate", {"id": top, "patch": {"parentFilterId": parent}})
        assert (done["__typename"], done["field"]) == ("Conflict", "parentFilterId"), done
    done = await world.do("ann", "genDashboardControlUpdate", {"id": bottom, "patch": {"parentFilterId": top}})
    assert done["__typename"] == "GenDashboardControlUpdatePayload", done


async def test_a_removed_dashboard_takes_what_is_on_it(world: World, dashboard: str) -> None:
    assert (await world.do("ann", "genDashboardDelete", {"id": dashboard}))["__typename"] == "GenDashboardDeletePayload"
    counts = "{ gen { dashboardWidgets { totalCount } dashboardControls { totalCount } } }"
    assert await world.ask("admin", counts) == {
        "gen": {"dashboardWidgets": {"totalCount": 0}, "dashboardControls": {"totalCount": 0}}
    }


async def test_a_widget_keeps_its_query_as_it_was_given(world: World, dashboard: str) -> None:
    document = '{ gen { dashboardWidgets(where: {kind: {eq: BAR}, query: {hasKey: "measures"}}) { nodes { query } } } }'
    data = await world.ask("ann", document)
    assert data["gen"]["dashboardWidgets"]["nodes"] == [{"query": QUERY}]


FOLDERS = "{ gen { dashboardGroups { nodes { name dashboards { nodes { name } } } } } }"


async def test_nobody_fills_the_folder_of_another(world: World) -> None:
    """What is in a folder keeps it in sight: only who may write it says what that is."""
    folder = await made(world, "GenDashboardGroup", {"name": "Ours"})
    shared = {"name": "Shared", "visibility": "EVERYONE", "dashboardGroupId": folder}
    first = await made(world, "GenDashboard", shared)
    alien = {"name": "Alien", "visibility": "EVERYONE"}
    done = await world.do("bob", "genDashboardCreate", alien | {"dashboardGroupId": folder})
    assert done["__typename"] == "NotAllowed"
    own = await made(world, "GenDashboard", alien, user="bob")
    move = {"id": own, "patch": {"dashboardGroupId": folder}}
    assert (await world.do("bob", "genDashboardUpdate", move))["__typename"] == "NotAllowed"
    assert (await world.do("stranger", "genDashboardUpdate", move))["__typename"] == "NotAllowed"
    await made(world, "GenDashboard", shared | {"name": "Of admin"}, user="admin")
    in_it = [{"name": "Ours", "dashboards": {"nodes": [{"name": "Shared"}, {"name": "Of admin"}]}}]
    assert (await world.ask("bob", FOLDERS))["gen"]["dashboardGroups"]["nodes"] == in_it
    await world.do("ann", "genDashboardUpdate", {"id": first, "patch": {"visibility": "PRIVATE"}})
    assert (await world.ask("bob", FOLDERS))["gen"]["dashboardGroups"]["nodes"] == []  # only its owner's show it
    assert len((await world.ask("ann", FOLDERS))["gen"]["dashboardGroups"]["nodes"]) == 1
