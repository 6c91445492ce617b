"""Gen's root: the data catalog, what users create in it, users and their roles."""

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
    curation_overrides = connection_root("GenCurationOverride", "Changes to how remote tables and columns are shown.")
    tooltip_templates = connection_root("GenTooltipTemplate", "Tooltip templates for rows of remote tables.")
    discovery_checkpoints = connection_root("GenDiscoveryCheckpoint", "How far agents have explored datasets.")
    favorite_dashboards = connection_root("GenFavoriteDashboard", "Your favorite dashboards.")
    favorite_datasets = connection_root("GenFavoriteDataset", "Your favorite datasets.")
    favorite_tables = connection_root("GenFavoriteTable", "Your favorite remote tables.")
    article_versions = connection_root("GenArticleVersion", "Articles of knowledge bases, in all their versions.")
    semantic_metrics = connection_root("GenSemanticMetric", "Semantic metrics of datasets, in all their versions.")
    chat_sessions = connection_root("GenChatSession", "Your conversations with agents.")
    artifact_versions = connection_root(
        "GenArtifactVersion", "Artifacts that agents made for you, in all their versions."
    )
    agent_audit_entries = connection_root("GenAgentAuditEntry", "Actions of agents; for administrators.")
    external_apis = connection_root("GenExternalApi", "External APIs that you can connect to.")
    external_accounts = connection_root("GenExternalAccount", "Your accounts at external APIs.")
    table_filters = connection_root("GenTableFilter", "Filters of remote tables.")
    table_profile_schedules = connection_root(
        "GenTableProfileSchedule", "Schedules by which remote tables are profiled."
    )
    table_profiles = connection_root("GenTableProfile", "The latest profiles of remote tables.")
    table_profile_versions = connection_root("GenTableProfileVersion", "All versions of tables' profiles.")
    authorization_models = connection_root(
        "GenAuthorizationModel", "Authorization models uploaded to OpenFGA; for administrators."
    )
    role = object_root("GenRole", "A role by its global id.")
    roles = connection_root("GenRole", "The roles you hold; all roles for administrators.")
    role_assignments = connection_root(
        "GenRoleAssignment", "Assignments of the roles you hold; all assignments for administrators."
    )
    user_roles = connection_root("GenUserRole", "Your memberships in roles; all memberships for administrators.")
    user = object_root("GenUser", "A user by its global id.")
    users = connection_root("GenUser", "Yourself; all users for administrators.")
    encryption_key_usage = encryption_key_usage
