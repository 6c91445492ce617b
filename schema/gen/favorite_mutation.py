"""Mutations of favorites. Adding and removing are idempotent, so a client can repeat them without checking."""

from typing import Any

import strawberry

from loaders.postgres.stored_table import StoredTable
from loaders.read import Value
from resolvers.context import Context
from resolvers.gen.favorites import OWNER, add_favorite, remove_favorite
from resolvers.idempotency import MutationRequest
from resolvers.permissions.guards import SignedIn
from resolvers.target import Target
from schema.mapping.ids import uuid_key
from schema.mapping.mutation import idempotent_mutation
from schema.mapping.object import OBJECTS, policies
from schema.mapping.payload import make_payload

GenFavoriteDashboardAddPayload = make_payload(
    "GenFavoriteDashboardAddPayload", "favorite", "GenFavoriteDashboard", "The dashboard is a favorite."
)
GenFavoriteDatasetAddPayload = make_payload(
    "GenFavoriteDatasetAddPayload", "favorite", "GenFavoriteDataset", "The dataset is a favorite."
)
GenFavoriteTableAddPayload = make_payload(
    "GenFavoriteTableAddPayload", "favorite", "GenFavoriteTable", "The table is a favorite."
)
_REMOVED = "Whether it was a favorite."


@strawberry.type(description="The dashboard is no longer a favorite.")
class GenFavoriteDashboardRemovePayload:
    removed: bool = strawberry.field(description=_REMOVED)


@strawberry.type(description="The dataset is no longer a favorite.")
class GenFavoriteDatasetRemovePayload:
    removed: bool = strawberry.field(description=_REMOVED)


@strawberry.type(description="The table is no longer a favorite.")
class GenFavoriteTableRemovePayload:
    removed: bool = strawberry.field(description=_REMOVED)


@strawberry.input
class _Dashboard:
    dashboard_id: strawberry.ID = strawberry.field(description="Global id of the dashboard.")


@strawberry.input(description="The dashboard to mark.")
class GenFavoriteDashboardAddInput(_Dashboard):
    pass


@strawberry.input(description="The dashboard to unmark.")
class GenFavoriteDashboardRemoveInput(_Dashboard):
    pass


@strawberry.input
class _Dataset:
    dataset_id: strawberry.ID = strawberry.field(description="Global id of the dataset.")


@strawberry.input(description="The dataset to mark.")
class GenFavoriteDatasetAddInput(_Dataset):
    pass


@strawberry.input(description="The dataset to unmark.")
class GenFavoriteDatasetRemoveInput(_Dataset):
    pass


@strawberry.input
class _Table:
    dataset_id: strawberry.ID = strawberry.field(description="Global id of the dataset.")
    table_name: str = strawberry.field(description="Name of the table, as the engine has it.")


@strawberry.input(description="The remote table to mark.")
class GenFavoriteTableAddInput(_Table):
    pass


@strawberry.input(description="The remote table to unmark.")
class GenFavoriteTableRemoveInput(_Table):
    pass


def _target(name: str, references: dict[str, str], names: dict[str, str]) -> Target:
    table = OBJECTS[name].table
    far = {column: OBJECTS[type_].table for column, type_ in references.items()}
    return Target(StoredTable.of(table), OWNER, names, far)


_DASHBOARDS = _target("GenFavoriteDashboard", {"dashboard_id": "GenDashboard"}, {"dashboard_id": "dashboardId"})
_DATASETS = _target("GenFavoriteDataset", {"dataset_id": "GenDataset"}, {"dataset_id": "datasetId"})
_TABLES = _target(
    "GenFavoriteTable", {"dataset_id": "GenDataset"}, {"dataset_id": "datasetId", "table_name": "tableName"}
)


_OWN = SignedIn("A mark is its maker's own, and what it is on must be seen to be marked.")


def _dashboard(given: _Dashboard) -> dict[str, Value]:
    return {"dashboard_id": uuid_key(given.dashboard_id, "GenDashboard")}


def _dataset(given: _Dataset) -> dict[str, Value]:
    return {"dataset_id": uuid_key(given.dataset_id, "GenDataset")}


def _table(given: _Table) -> dict[str, Value]:
    return {"dataset_id": uuid_key(given.dataset_id, "GenDataset"), "table_name": given.table_name}


async def _add_dashboard(context: Context, given: GenFavoriteDashboardAddInput, asked: MutationRequest) -> Any:
    return GenFavoriteDashboardAddPayload(
        key=await add_favorite(context, _DASHBOARDS, _dashboard(given), policies(), asked)
    )


async def _add_dataset(context: Context, given: GenFavoriteDatasetAddInput, asked: MutationRequest) -> Any:
    return GenFavoriteDatasetAddPayload(key=await add_favorite(context, _DATASETS, _dataset(given), policies(), asked))


async def _add_table(context: Context, given: GenFavoriteTableAddInput, asked: MutationRequest) -> Any:
    return GenFavoriteTableAddPayload(key=await add_favorite(context, _TABLES, _table(given), policies(), asked))


async def _remove_dashboard(context: Context, given: GenFavoriteDashboardRemoveInput, asked: MutationRequest) -> Any:
    return GenFavoriteDashboardRemovePayload(
        removed=await remove_favorite(context, _DASHBOARDS, _dashboard(given), asked)
    )


async def _remove_dataset(context: Context, given: GenFavoriteDatasetRemoveInput, asked: MutationRequest) -> Any:
    return GenFavoriteDatasetRemovePayload(removed=await remove_favorite(context, _DATASETS, _dataset(given), asked))


async def _remove_table(context: Context, given: GenFavoriteTableRemoveInput, asked: MutationRequest) -> Any:
    return GenFavoriteTableRemovePayload(removed=await remove_favorite(context, _TABLES, _table(given), asked))


@strawberry.type
class FavoriteMutation:
    gen_favorite_dashboard_add = idempotent_mutation(
        _add_dashboard,
        takes=GenFavoriteDashboardAddInput,
        answers=GenFavoriteDashboardAddPayload,
        guard=_OWN,
        description="Adds a dashboard to your favorites; does nothing if it is one already.",
    )
    gen_favorite_dashboard_remove = idempotent_mutation(
        _remove_dashboard,
        takes=GenFavoriteDashboardRemoveInput,
        answers=GenFavoriteDashboardRemovePayload,
        guard=_OWN,
        description="Removes a dashboard from your favorites; does nothing if it is not one.",
    )
    gen_favorite_dataset_add = idempotent_mutation(
        _add_dataset,
        takes=GenFavoriteDatasetAddInput,
        answers=GenFavoriteDatasetAddPayload,
        guard=_OWN,
        description="Adds a dataset to your favorites; does nothing if it is one already.",
    )
    gen_favorite_dataset_remove = idempotent_mutation(
        _remove_dataset,
        takes=GenFavoriteDatasetRemoveInput,
        answers=GenFavoriteDatasetRemovePayload,
        guard=_OWN,
        description="Removes a dataset from your favorites; does nothing if it is not one.",
    )
    gen_favorite_table_add = idempotent_mutation(
        _add_table,
        takes=GenFavoriteTableAddInput,
        answers=GenFavoriteTableAddPayload,
        guard=_OWN,
        description="Adds a remote table to your favorites; does nothing if it is one already.",
    )
    gen_favorite_table_remove = idempotent_mutation(
        _remove_table,
        takes=GenFavoriteTableRemoveInput,
        answers=GenFavoriteTableRemovePayload,
        guard=_OWN,
        description="Removes a remote table from your favorites; does nothing if it is not one.",
    )
