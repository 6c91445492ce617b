from loaders.tables.axion_gen import dashboards
from resolvers.permissions.guards import Visible
from schema.gen.filter_words import GenFilterKind, GenFilterOperator
from schema.mapping.declare import column, table_type, to_one


@table_type(dashboards.TableFilter, store="axion_gen", guard=Visible("dataset", "can_view", "dataset_id"))
class GenTableFilter:
    """An optional or required filter of a remote table."""

    table_name = column()
    column_name = column()
    kind = column("The kind of value it takes.", enum=GenFilterKind)
    operator = column("How it compares the column with its value.", enum=GenFilterOperator)
    label = column()
    description = column()
    default_value = column()
    is_required = column()
    position = column()
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the table.")
