from loaders.read import Join
from loaders.tables.axion_gen import dashboards
from resolvers.permissions.guards import AllOf, AnyOf, Through, Visible, Where
from schema.gen.dashboard import VISIBLE_DASHBOARD
from schema.gen.table import TABLES
from schema.gen.widget_answer import widget_answer
from schema.mapping.declare import column, resolved, table_type, to_one
from schema.mapping.enums import enum_of_words
from schema.mapping.object import OBJECTS

GenWidgetKind = enum_of_words(
    dashboards.WIDGET_KINDS,
    "GenWidgetKind",
    "How a widget is drawn.",
    {
        "table": "Rows and columns.",
        "number": "A single number.",
        "bar": "A bar for each group.",
        "line": "A line, usually over time.",
        "area": "A line with the area below it filled.",
        "pie": "Shares of a whole.",
        "scatter": "A point for each row.",
        "heatmap": "Cells coloured by a value.",
        "map": "Rows as places on a map.",
        "text": "Its `content`, in Markdown; it has no query.",
    },
)
_TO_DASHBOARD = Join(OBJECTS["GenDashboard"].table, ("dashboard_id",), ("id",))
ON_VISIBLE_DASHBOARD = AllOf(
    (
        Through(_TO_DASHBOARD, VISIBLE_DASHBOARD),
        AnyOf((Where("dataset_id", None), Visible("dataset", "can_view", "dataset_id"))),
    )
)


@table_type(dashboards.DashboardWidget, store="axion_gen", guard=ON_VISIBLE_DASHBOARD)
class GenDashboardWidget:
    """A query of a remote table with its chart and position. Hidden from those who may not see its dataset."""

    title = column()
    description = column()
    kind = column("How it is drawn.", enum=GenWidgetKind)
    x = column()
    y = column()
    width = column()
    height = column()
    table_name = column()
    query = column()
    content = column()
    options = column()
    created_at = column()
    updated_at = column()
    dashboard = to_one("GenDashboard", local="dashboard_id", description="The dashboard it is on.")
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset it queries.")
    answer = resolved(
        widget_answer,
        requires=("id", "dashboard_id", "dataset_id", "table_name", "query"),
        guard=TABLES,
        description="The result of its query, run now with your permissions. Null for a `text` widget.",
    )
