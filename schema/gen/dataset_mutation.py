"""Mutations of datasets and of what describes them, for datasets' administrators; of dataset groups, for system
administrators.
"""

from typing import Any

import strawberry

from loaders.openfga import names
from resolvers.context import Context
from resolvers.gen.curation_check import check_curation
from resolvers.gen.datasets import delete_dataset, remote_schema, table_names
from resolvers.gen.tile_bundles import note_bundle
from resolvers.idempotency import MutationRequest
from resolvers.permissions.fields import Written
from resolvers.permissions.guards import AdminWrite, WriteGuard
from schema.gen.granted import deleted_payload
from schema.mapping.ids import row_key, uuid_key
from schema.mapping.mutation import idempotent_mutation, mutation
from schema.mapping.object import OBJECTS, policies
from schema.mapping.payload import make_payload
from schema.mapping.write_target import write_target
from schema.mapping.writes import creates, deletes, updates

_ADMINS = WriteGuard("dataset", "can_admin", "dataset_id")
_ITSELF = WriteGuard("dataset", "can_admin", "id")
_SYSTEM = AdminWrite()
_GROUP = ("name", "description", "position")
_MAP = ("dataset_id", "table_name", "name", "geometry_column", "min_zoom", "max_zoom")
_CURATION = (
    "dataset_id",
    "table_name",
    "column_name",
    "display_name",
    "description",
    "is_hidden",
    "unit",
    "format",
    "semantic_type",
    "position",
)
_TOOLTIP = ("dataset_id", "table_name", "name", "template", "column_names")
_CHECKPOINT = ("dataset_id", "table_name", "agent", "status", "stage", "state")

GenDatasetDeletePayload = deleted_payload("GenDatasetDeletePayload", "GenDataset")


@strawberry.input(description="Which dataset to delete.")
class GenDatasetDeleteInput:
    id: strawberry.ID = strawberry.field(description="Global id of the dataset.")


async def _delete(context: Context, given: GenDatasetDeleteInput, asked: MutationRequest) -> Any:
    key = uuid_key(given.id, "GenDataset")
    await delete_dataset(context, key, asked)
    return GenDatasetDeletePayload(deleted_id=given.id, objects=(names.dataset(key),))


_MAPS = OBJECTS["GenDatasetMap"]
_MAP_TARGET = write_target(_MAPS, _ADMINS, ("built_at", "size_bytes"))
GenDatasetMapRefreshPayload = make_payload(
    "GenDatasetMapRefreshPayload", "dataset_map", "GenDatasetMap", "The state of the bundle was recorded."
)


@strawberry.input(description="The map whose bundle to check.")
class GenDatasetMapRefreshInput:
    id: strawberry.ID = strawberry.field(description="Global id of the map.")


async def _note_bundle(context: Context, given: GenDatasetMapRefreshInput) -> Any:
    key = row_key(given.id, _MAPS)
    await note_bundle(context, _MAP_TARGET, key, policies())
    return GenDatasetMapRefreshPayload(key=key)


@strawberry.type
class DatasetMutation:
    gen_dataset_update = updates(
        "GenDataset",
        guard=_ITSELF,
        columns=("name", "description", "dataset_group_id", "remote_schema", "table_names"),
        shapes={"remote_schema": remote_schema, "table_names": table_names},
        description="Changes a dataset's name, description, group or set of remote tables; "
        "later reads use the new tables. For its administrators.",
    )
    gen_dataset_delete = idempotent_mutation(
        _delete,
        takes=GenDatasetDeleteInput,
        answers=GenDatasetDeletePayload,
        guard=Written(_ITSELF),
        description="Deletes a dataset with its metadata. Remote tables stay, and so do dashboards, but not their "
        "widgets that query the dataset; dashboards shared with it become private. For its administrators.",
    )
    gen_dataset_group_create = creates(
        "GenDatasetGroup",
        guard=_SYSTEM,
        columns=_GROUP,
        description="Creates a folder for datasets. For administrators.",
    )
    gen_dataset_group_update = updates(
        "GenDatasetGroup",
        guard=_SYSTEM,
        columns=_GROUP,
        description="Changes a folder of datasets. For administrators.",
    )
    gen_dataset_group_delete = deletes(
        "GenDatasetGroup",
        guard=_SYSTEM,
        description="Deletes a folder of datasets; the datasets stay. For administrators.",
    )
    gen_dataset_map_create = creates(
        "GenDatasetMap",
        guard=_ADMINS,
        columns=_MAP,
        description="Defines vector tiles of a remote table. For the dataset's administrators.",
    )
    gen_dataset_map_update = updates(
        "GenDatasetMap",
        guard=_ADMINS,
        columns=_MAP,
        description="Changes the definition of a remote table's vector tiles. For the dataset's administrators.",
    )
    gen_dataset_map_refresh = mutation(
        _note_bundle,
        takes=GenDatasetMapRefreshInput,
        answers=GenDatasetMapRefreshPayload,
        guard=Written(_ADMINS),
        each_time="it notes what is there now",
        description="Looks for a map's PMTiles bundle in the gateway's bucket and records its size and age, "
        "or that there is none. Call it after a bundle was added or removed. For the dataset's administrators.",
    )
    gen_dataset_map_delete = deletes(
        "GenDatasetMap", guard=_ADMINS, description="Deletes a map of a remote table. For the dataset's administrators."
    )
    gen_curation_override_create = creates(
        "GenCurationOverride",
        guard=_ADMINS,
        columns=_CURATION,
        check=check_curation,
        description="Overrides how a remote table or column is shown. A hidden column must exist. "
        "For the dataset's administrators.",
    )
    gen_curation_override_update = updates(
        "GenCurationOverride",
        guard=_ADMINS,
        columns=_CURATION,
        check=check_curation,
        description="Changes how a remote table or column is shown. A hidden column must exist. "
        "For the dataset's administrators.",
    )
    gen_curation_override_delete = deletes(
        "GenCurationOverride",
        guard=_ADMINS,
        description="Shows a remote table or column as the engine describes it again. For the dataset's "
        "administrators.",
    )
    gen_tooltip_template_create = creates(
        "GenTooltipTemplate",
        guard=_ADMINS,
        columns=_TOOLTIP,
        description="Adds a tooltip template for rows of a remote table. For the dataset's administrators.",
    )
    gen_tooltip_template_update = updates(
        "GenTooltipTemplate",
        guard=_ADMINS,
        columns=_TOOLTIP,
        description="Changes a tooltip template. For the dataset's administrators.",
    )
    gen_tooltip_template_delete = deletes(
        "GenTooltipTemplate",
        guard=_ADMINS,
        description="Deletes a tooltip template. For the dataset's administrators.",
    )
    gen_discovery_checkpoint_create = creates(
        "GenDiscoveryCheckpoint",
        guard=_ADMINS,
        columns=_CHECKPOINT,
        description="Starts a checkpoint of an agent's exploration of a dataset. For the dataset's administrators.",
    )
    gen_discovery_checkpoint_update = updates(
        "GenDiscoveryCheckpoint",
        guard=_ADMINS,
        columns=_CHECKPOINT,
        description="Records how far an agent has explored. For the dataset's administrators.",
    )
    gen_discovery_checkpoint_delete = deletes(
        "GenDiscoveryCheckpoint",
        guard=_ADMINS,
        description="Deletes a checkpoint, so that the agent starts over. For the dataset's administrators.",
    )
