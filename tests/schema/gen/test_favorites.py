"""Favorites: adding and removing are idempotent, and nobody else can see them, not even administrators."""

from dataclasses import replace
from typing import Any

import pytest

from tests.schema.gen.world import World

MARKS = """{ gen {
  favoriteDashboards { nodes { dashboard { name } } }
  favoriteDatasets { nodes { dataset { name } } }
  favoriteTables { nodes { tableName dataset { name } } }
} }"""
NOTHING: dict[str, list[Any]] = {"favoriteDashboards": [], "favoriteDatasets": [], "favoriteTables": []}
FAVORITES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "Dashboard": ({"dashboardId": "@dashboard"}, "favoriteDashboards", {"dashboard": {"name": "Delays"}}),
    "Dataset": ({"datasetId": "@flights"}, "favoriteDatasets", {"dataset": {"name": "flights"}}),
    "Table": (
        {"datasetId": "@flights", "tableName": "planes"},
        "favoriteTables",
        {"tableName": "planes", "dataset": {"name": "flights"}},
    ),
}


@pytest.fixture
async def shared(world: World) -> World:
    given = {"name": "Delays", "visibility": "EVERYONE"}
    done = await world.do("ann", "genDashboardCreate", given, "dashboard { id }")
    return replace(world, ids={**world.ids, "dashboard": done["dashboard"]["id"]})


async def marks(world: World, user: str) -> dict[str, Any]:
    found = (await world.ask(user, MARKS))["gen"]
    return {name: connection["nodes"] for name, connection in found.items()}


@pytest.mark.parametrize("kind", FAVORITES)
async def test_marked_twice_and_unmarked_twice(shared: World, kind: str) -> None:
    given, root, mark = FAVORITES[kind]
    added = [await shared.do("bob", f"genFavorite{kind}Add", given, "favorite { id createdAt }") for _ in range(2)]
    assert added[0]["favorite"] == added[1]["favorite"]
    assert await marks(shared, "bob") == NOTHING | {root: [mark]}
    for user in ("ann", "admin"):
        assert await marks(shared, user) == NOTHING
    removed = [await shared.do("bob", f"genFavorite{kind}Remove", given, "removed") for _ in range(2)]
    assert [each["removed"] for each in removed] == [True, False]
    assert await marks(shared, "bob") == NOTHING


@pytest.mark.parametrize("kind", ["Dataset", "Table"])
async def test_what_is_hidden_cannot_be_marked(shared: World, kind: str) -> None:
    given = FAVORITES[kind][0] | {"datasetId": "@secret"}
    done = await shared.do("bob", f"genFavorite{kind}Add", given)
    assert (done["__typename"], done["field"]) == ("InvalidInput", "datasetId")


async def test_objects_show_your_own_mark(shared: World) -> None:
    await shared.do("bob", "genFavoriteDashboardAdd", {"dashboardId": "@dashboard"})
    await shared.do("admin", "genFavoriteDatasetAdd", {"datasetId": "@flights"})
    document = """{ gen {
      dashboards { nodes { favorite { __typename } } }
      datasets(where: {name: {eq: "flights"}}) { nodes { favorite { __typename } } }
    } }"""
    dashboard, dataset = {"__typename": "GenFavoriteDashboard"}, {"__typename": "GenFavoriteDataset"}
    for user, expected in {"ann": (None, None), "bob": (dashboard, None), "admin": (None, dataset)}.items():
        found = (await shared.ask(user, document))["gen"]
        assert found["dashboards"]["nodes"] == [{"favorite": expected[0]}], user
        assert found["datasets"]["nodes"] == [{"favorite": expected[1]}], user
    only = "{ gen { dashboards(where: {favorite: {createdAt: {isNull: false}}}) { totalCount } } }"
    assert [(await shared.ask(user, only))["gen"]["dashboards"]["totalCount"] for user in ("ann", "bob")] == [0, 1]
