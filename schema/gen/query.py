"""Gen's root: data sources and the datasets over them."""

import strawberry

from schema.mapping.roots import connection_root, object_root


@strawberry.type(description="The data catalog, and the remote tables behind it.")
class GenQuery:
    data_source = object_root("GenDataSource", "A data source by its global id.")
    data_sources = connection_root("GenDataSource", "The data sources you may see.")
    dataset = object_root("GenDataset", "A dataset by its global id.")
    datasets = connection_root("GenDataset", "The datasets you may see.")
