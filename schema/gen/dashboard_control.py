from loaders.tables.axion_gen import dashboards
from schema.gen.dashboard_widget import ON_VISIBLE_DASHBOARD
from schema.gen.filter_values import control_values
from schema.gen.filter_words import GenFilterKind, GenFilterOperator
from schema.gen.table import TABLES
from schema.mapping.declare import column, resolved, table_type, to_many, to_one


@table_type(dashboards.DashboardFilter, store="axion_gen", guard=ON_VISIBLE_DASHBOARD)
class GenDashboardControl:
    """A dashboard filter that its readers can set (table `dashboard_filters`). Its choices can come from a table."""

    name = column()
    label = column()
    kind = column("The kind of value it takes.", enum=GenFilterKind)
    column_name = column()
    operator = column("How it compares the column with its value.", enum=GenFilterOperator)
    default_value = column()
    is_required = column()
    targets = column()
    table_name = column()
    position = column()
    created_at = column()
    updated_at = column()
    dashboard = to_one("GenDashboard", local="dashboard_id", description="The dashboard it is on.")
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset its choices are read from.")
    parent = to_one("GenDashboardControl", local="parent_filter_id", description="The filter that narrows its choices.")
    children = to_many("GenDashboardControl", remote="parent_filter_id", description="The filters it narrows.")
    values = resolved(
        control_values,
        requires=("id", "dashboard_id", "dataset_id", "table_name"),
        guard=TABLES,
        description="The values it can be set to: distinct values of its column in the table of its choices. Null "
        "without a table.",
    )
