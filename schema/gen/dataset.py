from loaders.tables.axion_gen import catalog
from resolvers.permissions.guards import Relation, Visible
from schema.gen.metric import dataset_metric
from schema.gen.raw_sql import RAW, dataset_sql
from schema.gen.table import TABLES, dataset_table, dataset_tables
from schema.mapping.declare import column, resolved, table_type, to_many, to_one

_ADMINS = Relation("dataset", "can_admin", "id")


@table_type(catalog.Dataset, store="axion_gen", guard=Visible("dataset", "can_view", "id"))
class GenDataset:
    """A logical set of tables of one data source."""

    name = column()
    description = column()
    remote_schema = column(
        "Schema or folder of the tables in the data source; null means its default. For administrators.", guard=_ADMINS
    )
    table_names = column(
        "The tables that belong to it; null means all tables of the schema. For administrators.", guard=_ADMINS
    )
    created_at = column()
    updated_at = column()
    data_source = to_one("GenDataSource", local="data_source_id", description="The warehouse its tables are in.")
    tables = resolved(
        dataset_tables, requires=("id",), guard=TABLES, description="The tables that you may see, ordered by name."
    )
    table = resolved(dataset_table, requires=("id",), guard=TABLES, description="One of its tables, or null.")
    sql = resolved(
        dataset_sql,
        requires=("id",),
        guard=RAW,
        description="A read-only SQL statement of your own over its tables; needs a role with the flag "
        "`hasQueryDataset`.",
    )
    profiles = to_many("GenTableProfile", remote="dataset_id", description="The latest profiles of its tables.")
    profile_schedules = to_many(
        "GenTableProfileSchedule", remote="dataset_id", description="The schedules by which its tables are profiled."
    )
    group = to_one("GenDatasetGroup", local="dataset_group_id", description="The folder it is shown in.")
    favorite = to_one(
        "GenFavoriteDataset",
        local="id",
        remote="dataset_id",
        description="Your favorite, if you have marked it as one.",
    )
    maps = to_many("GenDatasetMap", remote="dataset_id", description="Vector tiles of its tables.")
    curation = to_many("GenCurationOverride", remote="dataset_id", description="How its tables and columns are shown.")
    tooltips = to_many(
        "GenTooltipTemplate", remote="dataset_id", description="Tooltip templates for rows of its tables."
    )
    checkpoints = to_many("GenDiscoveryCheckpoint", remote="dataset_id", description="How far agents have explored it.")
    articles = to_many("GenArticleVersion", remote="dataset_id", description="Its knowledge base, in all versions.")
    metrics = to_many("GenSemanticMetric", remote="dataset_id", description="Its semantic metrics, in all versions.")
    metric = resolved(
        dataset_metric,
        requires=("id",),
        guard=TABLES,
        description="One of its semantic metrics, queried like an aggregate.",
    )
    dashboards = to_many("GenDashboard", remote="dataset_id", description="Dashboards that are mainly about it.")
    widgets = to_many("GenDashboardWidget", remote="dataset_id", description="Widgets that query its tables.")
    table_filters = to_many(
        "GenTableFilter", remote="dataset_id", description="Optional and required filters of its tables."
    )
    controls = to_many(
        "GenDashboardControl", remote="dataset_id", description="Dashboards' filters whose choices are read from it."
    )
    favorite_tables = to_many("GenFavoriteTable", remote="dataset_id", description="Your favorites among its tables.")
    chat_sessions = to_many("GenChatSession", remote="dataset_id", description="Your conversations about it.")
    role_assignments = to_many(
        "GenRoleAssignment",
        remote="dataset_id",
        description="The assignments of your roles to it or to one of its tables.",
    )
