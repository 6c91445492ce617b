"""Gen's root: the data catalog, what people make of it, users and their roles."""

import strawberry

from schema.mapping.roots import connection_root, object_root


@strawberry.type(description="The data catalog, and the remote tables behind it.")
class GenQuery:
    data_source = object_root("GenDataSource", "A data source by its global id.")
    data_sources = connection_root("GenDataSource", "The data sources you may see.")
    dataset = object_root("GenDataset", "A dataset by its global id.")
    datasets = connection_root("GenDataset", "The datasets you may see.")
    dashboard = object_root("GenDashboard", "A dashboard by its global id.")
    dashboards = connection_root("GenDashboard", "Your dashboards, and those shared with you.")
    dashboard_groups = connection_root("GenDashboardGroup", "Your folders, and those of dashboards shared with you.")
    dashboard_widgets = connection_root("GenDashboardWidget", "Widgets of the dashboards you may see.")
    dashboard_controls = connection_root("GenDashboardControl", "Filters of the dashboards you may see.")
    table_filters = connection_root("GenTableFilter", "Filters of remote tables.")
    role = object_root("GenRole", "A role by its global id.")
    roles = connection_root("GenRole", "The roles you hold; all, for administrators.")
    user = object_root("GenUser", "A user by the global id.")
    users = connection_root("GenUser", "You; all users, for administrators.")
