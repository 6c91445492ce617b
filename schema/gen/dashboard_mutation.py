"""Mutations of dashboards and what is on them, for their owner; of table filters, for the dataset's administrators."""

import strawberry

from resolvers.gen.filter_parents import refuse_circle
from resolvers.gen.filter_shapes import FILTER_TARGETS, filter_value
from resolvers.gen.shapes import shape, time_zone
from resolvers.gen.table_query import TableQuery
from resolvers.permissions.guards import OwnWrite, WriteGuard, WriteVia
from schema.mapping.object import OBJECTS
from schema.mapping.writes import creates, deletes, updates

_OWNER = OwnWrite("owner_subject")
_ON_DASHBOARD = WriteVia("dashboard_id", OBJECTS["GenDashboard"].table, _OWNER)
_INTO_GROUP = (WriteVia("dashboard_group_id", OBJECTS["GenDashboardGroup"].table, _OWNER),)
_DATASET_ADMINS = WriteGuard("dataset", "can_admin", "dataset_id")
_GROUP = ("name", "description", "position")
_DASHBOARD = (
    "name",
    "description",
    "visibility",
    "dataset_id",
    "dashboard_group_id",
    "columns",
    "row_height",
    "time_zone",
    "refresh_seconds",
)
_ZONE = {"time_zone": time_zone}
_WIDGET = (
    "dashboard_id",
    "title",
    "description",
    "kind",
    "x",
    "y",
    "width",
    "height",
    "dataset_id",
    "table_name",
    "query",
    "content",
    "options",
)
_QUERY = {"query": shape(TableQuery)}
_FILTER = (
    "name",
    "label",
    "kind",
    "column_name",
    "operator",
    "default_value",
    "is_required",
    "targets",
    "dataset_id",
    "table_name",
    "parent_filter_id",
    "position",
)
_DEFAULT = {"default_value": filter_value}
_ON_WIDGETS = {"targets": FILTER_TARGETS, **_DEFAULT}
_TABLE_FILTER = (
    "dataset_id",
    "table_name",
    "column_name",
    "kind",
    "operator",
    "label",
    "description",
    "default_value",
    "is_required",
    "position",
)


@strawberry.type
class DashboardMutation:
    gen_dashboard_group_create = creates(
        "GenDashboardGroup", guard=_OWNER, columns=_GROUP, description="Creates a folder for your dashboards."
    )
    gen_dashboard_group_update = updates(
        "GenDashboardGroup", guard=_OWNER, columns=_GROUP, description="Changes one of your folders."
    )
    gen_dashboard_group_delete = deletes(
        "GenDashboardGroup", guard=_OWNER, description="Deletes one of your folders; the dashboards in it stay."
    )
    gen_dashboard_create = creates(
        "GenDashboard",
        guard=_OWNER,
        columns=_DASHBOARD,
        shapes=_ZONE,
        into=_INTO_GROUP,
        description="Creates a dashboard that you own, optionally in one of your folders.",
    )
    gen_dashboard_update = updates(
        "GenDashboard",
        guard=_OWNER,
        columns=_DASHBOARD,
        shapes=_ZONE,
        into=_INTO_GROUP,
        description="Changes or shares one of your dashboards, or moves it to one of your folders.",
    )
    gen_dashboard_delete = deletes(
        "GenDashboard", guard=_OWNER, description="Deletes one of your dashboards with its widgets and filters."
    )
    gen_dashboard_widget_create = creates(
        "GenDashboardWidget",
        guard=_ON_DASHBOARD,
        columns=_WIDGET,
        shapes=_QUERY,
        description="Adds a widget to one of your dashboards. Its query is stored as data, and runs when the widget "
        "is read.",
    )
    gen_dashboard_widget_update = updates(
        "GenDashboardWidget",
        guard=_ON_DASHBOARD,
        columns=_WIDGET,
        shapes=_QUERY,
        description="Changes a widget of one of your dashboards, or moves it to another of them.",
    )
    gen_dashboard_widget_delete = deletes(
        "GenDashboardWidget", guard=_ON_DASHBOARD, description="Deletes a widget from one of your dashboards."
    )
    gen_dashboard_control_create = creates(
        "GenDashboardControl",
        guard=_ON_DASHBOARD,
        columns=("dashboard_id", *_FILTER),
        shapes=_ON_WIDGETS,
        description="Adds a filter to one of your dashboards.",
    )
    gen_dashboard_control_update = updates(
        "GenDashboardControl",
        guard=_ON_DASHBOARD,
        columns=_FILTER,
        shapes=_ON_WIDGETS,
        along=refuse_circle,
        description="Changes a filter of one of your dashboards.",
    )
    gen_dashboard_control_delete = deletes(
        "GenDashboardControl", guard=_ON_DASHBOARD, description="Deletes a filter from one of your dashboards."
    )
    gen_table_filter_create = creates(
        "GenTableFilter",
        guard=_DATASET_ADMINS,
        columns=_TABLE_FILTER,
        shapes=_DEFAULT,
        description="Adds a filter, optional or required, to a remote table. For the dataset's administrators.",
    )
    gen_table_filter_update = updates(
        "GenTableFilter",
        guard=_DATASET_ADMINS,
        columns=_TABLE_FILTER,
        shapes=_DEFAULT,
        description="Changes a filter of a remote table. For the dataset's administrators.",
    )
    gen_table_filter_delete = deletes(
        "GenTableFilter",
        guard=_DATASET_ADMINS,
        description="Deletes a filter of a remote table. For the dataset's administrators.",
    )
