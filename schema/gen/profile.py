from loaders.tables.axion_gen import catalog
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type


@table_type(catalog.TableProfile, store="axion_gen", guard=Visible("dataset", "can_view_table", "dataset_id"))
class GenTableProfile:
    """What a remote table holds, as the last `genTableProfileRefresh` found it: counts, ranges, samples."""

    table_name = column()
    columns = column()
    row_count = column()
    statistics = column()
    sample_values = column()
    refreshed_at = column()
