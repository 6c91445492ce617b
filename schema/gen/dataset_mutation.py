"""Mutations of datasets and what describes them, for their administrators; of their groups, for the system's."""

from typing import Any

import strawberry

from loaders.openfga import names
from resolvers.context import Context
from resolvers.gen.curation_check import check_curation
from resolvers.gen.datasets import delete_dataset, remote_schema, table_names
from resolvers.gen.tile_bundles import note_bundle
from resolvers.idempotency import Asked
from resolvers.permissions.fields import Written
from resolvers.permissions.guards import AdminWrite, WriteGuard
from schema.gen.granted import deleted_payload
from schema.mapping.filters import row_key, uuid_key
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


async def _delete(context: Context, given: GenDatasetDeleteInput, asked: Asked) -> Any:
    key = uuid_key(given.id, "GenDataset")
    await delete_dataset(context, key, asked)
    return GenDatasetDeletePayload(deleted_id=given.id, objects=(names.dataset(key),))


_MAPS = OBJECTS["GenDatasetMap"]
_MAP_TARGET = write_target(_MAPS, _ADMINS, ("built_at", "size_bytes"))
GenDatasetMapRefreshPayload = make_payload(
    "GenDatasetMapRefreshPayload", "dataset_map", "GenDatasetMap", "What there is was noted."
)


@strawberry.input(description="Which map's bundle to look at.")
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
        description="Renames or describes a dataset, puts it into a group, or says anew which remote tables are in it: "
        "reads that come later go there. For its administrators.",
    )
    gen_dataset_delete = idempotent_mutation(
        _delete,
        takes=GenDatasetDeleteInput,
        answers=GenDatasetDeletePayload,
        guard=Written(_ITSELF),
        description="Deletes a dataset and what describes it; the remote tables and the dashboards stay, without what "
        "asks it, and those shared with it become private. For its administrators.",
    )
    gen_dataset_group_create = creates(
        "GenDatasetGroup",
        guard=_SYSTEM,
        columns=_GROUP,
        description="Makes a folder for datasets. For administrators.",
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
        description="Removes a folder of datasets; the datasets stay. For administrators.",
    )
    gen_dataset_map_create = creates(
        "GenDatasetMap",
        guard=_ADMINS,
        columns=_MAP,
        description="Plans vector tiles of a remote table. For the dataset's administrators.",
    )
    gen_dataset_map_update = updates(
        "GenDatasetMap",
        guard=_ADMINS,
        columns=_MAP,
        description="Changes what tiles of a remote table are made of. For the dataset's administrators.",
    )
    gen_dataset_map_refresh = mutation(
        _note_bundle,
        takes=GenDatasetMapRefreshInput,
        answers=GenDatasetMapRefreshPayload,
        guard=Written(_ADMINS),
        each_time="it notes what is there now",
        description="Looks for a map's PMTiles bundle in the gateway's bucket and notes its size and since when, "
        "or that there is none: call it when a bundle was put there or taken away. For the dataset's administrators.",
    )
    gen_dataset_map_delete = deletes(
        "GenDatasetMap", guard=_ADMINS, description="Removes a map of a remote table. For the dataset's administrators."
    )
    gen_curation_override_create = creates(
        "GenCurationOverride",
        guard=_ADMINS,
        columns=_CURATION,
        check=check_curation,
        description="Says how a remote table or column is shown. A column that is hidden must be there. "
        "For the dataset's administrators.",
    )
    gen_curation_override_update = updates(
        "GenCurationOverride",
        guard=_ADMINS,
        columns=_CURATION,
        check=check_curation,
        description="Changes how a remote table or column is shown. A column that is hidden must be there. "
        "For the dataset's administrators.",
    )
    gen_curation_override_delete = deletes(
        "GenCurationOverride",
        guard=_ADMINS,
        description="Lets a remote table or column be shown as the engine has it. For the dataset's administrators.",
    )
    gen_tooltip_template_create = creates(
        "GenTooltipTemplate",
        guard=_ADMINS,
        columns=_TOOLTIP,
        description="Says what is shown of a row that is pointed at. For the dataset's administrators.",
    )
    gen_tooltip_template_update = updates(
        "GenTooltipTemplate",
        guard=_ADMINS,
        columns=_TOOLTIP,
        description="Changes what is shown of a row that is pointed at. For the dataset's administrators.",
    )
    gen_tooltip_template_delete = deletes(
        "GenTooltipTemplate",
        guard=_ADMINS,
        description="Removes a tooltip of a remote table. For the dataset's administrators.",
    )
    gen_discovery_checkpoint_create = creates(
        "GenDiscoveryCheckpoint",
        guard=_ADMINS,
        columns=_CHECKPOINT,
        description="Begins an agent's exploration of a dataset. For the dataset's administrators.",
    )
    gen_discovery_checkpoint_update = updates(
        "GenDiscoveryCheckpoint",
        guard=_ADMINS,
        columns=_CHECKPOINT,
        description="Notes how far an agent has come. For the dataset's administrators.",
    )
    gen_discovery_checkpoint_delete = deletes(
        "GenDiscoveryCheckpoint",
        guard=_ADMINS,
        description="Lets an agent begin anew. For the dataset's administrators.",
    )
