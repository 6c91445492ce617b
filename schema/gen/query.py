"""Gen's root: the data catalog, what people make of it, users and their roles."""

import strawberry

from schema.gen.encryption import encryption_key_usage
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
    dataset_groups = connection_root("GenDatasetGroup", "Folders of the datasets you may see.")
    dataset_maps = connection_root("GenDatasetMap", "Vector tiles of remote tables.")
    curation_overrides = connection_root("GenCurationOverride", "How remote tables and columns are shown.")
    tooltip_templates = connection_root("GenTooltipTemplate", "What is shown of rows that are pointed at.")
    discovery_checkpoints = connection_root("GenDiscoveryCheckpoint", "How far agents have explored datasets.")
    favorite_dashboards = connection_root("GenFavoriteDashboard", "The dashboards you have marked.")
    favorite_datasets = connection_root("GenFavoriteDataset", "The datasets you have marked.")
    favorite_tables = connection_root("GenFavoriteTable", "The remote tables you have marked.")
    article_versions = connection_root("GenArticleVersion", "Articles of knowledge bases, in all their versions.")
    semantic_metrics = connection_root("GenSemanticMetric", "Named figures of datasets, in all their versions.")
    chat_sessions = connection_root("GenChatSession", "Your conversations with agents.")
    artifact_versions = connection_root("GenArtifactVersion", "What agents have made for you, in all versions.")
    agent_audit_entries = connection_root("GenAgentAuditEntry", "What agents did; for administrators.")
    external_apis = connection_root("GenExternalApi", "APIs of others that you may connect to.")
    external_accounts = connection_root("GenExternalAccount", "Your accounts at APIs of others.")
    table_filters = connection_root("GenTableFilter", "Filters of remote tables.")
    table_profile_schedules = connection_root("GenTableProfileSchedule", "When remote tables are profiled again.")
    table_profiles = connection_root("GenTableProfile", "What is known of remote tables that were profiled.")
    table_profile_versions = connection_root("GenTableProfileVersion", "Every refresh of a table's profile.")
    authorization_models = connection_root(
        "GenAuthorizationModel", "Authorization models uploaded to OpenFGA; for administrators."
    )
    role = object_root("GenRole", "A role by its global id.")
    roles = connection_root("GenRole", "The roles you hold; all, for administrators.")
    role_assignments = connection_root(
        "GenRoleAssignment", "Where the roles you hold are assigned; all, for administrators."
    )
    user_roles = connection_root("GenUserRole", "That you hold roles; all holders, for administrators.")
    user = object_root("GenUser", "A user by the global id.")
    users = connection_root("GenUser", "You; all users, for administrators.")
    encryption_key_usage = encryption_key_usage
