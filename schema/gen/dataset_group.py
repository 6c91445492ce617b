from loaders.read import Join
from loaders.tables.axion_gen import catalog
from resolvers.permissions.guards import Through, Visible
from schema.gen import dataset as _declared_first  # noqa: F401 - its table is what the guard walks to
from schema.mapping.declare import column, table_type, to_many
from schema.mapping.object import OBJECTS

_TO_DATASETS = Join(OBJECTS["GenDataset"].table, ("id",), ("dataset_group_id",))


@table_type(catalog.DatasetGroup, store="axion_gen", guard=Through(_TO_DATASETS, Visible("dataset", "can_view", "id")))
class GenDatasetGroup:
    """A folder of datasets, visible to those who can see a dataset in it, and to administrators."""

    name = column()
    description = column()
    position = column()
    created_at = column()
    updated_at = column()
    datasets = to_many("GenDataset", remote="dataset_group_id", description="The datasets shown in it.")
