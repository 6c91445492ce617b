from loaders.tables.axion_gen import dashboards
from resolvers.permissions.guards import AllOf, AnyOf, Own, Visible, Where
from schema.mapping.declare import column, table_type, to_many, to_one
from schema.mapping.enums import enum_of_words

GenDashboardVisibility = enum_of_words(
    dashboards.VISIBILITIES,
    "GenDashboardVisibility",
    "Who can see a dashboard.",
    {
        "private": "Only its owner.",
        "dataset": "Its owner, and everyone who can see its dataset.",
        "everyone": "Everyone who is signed in.",
    },
)

SHARED_WITH_DATASET = AllOf((Where("visibility", "dataset"), Visible("dataset", "can_view", "dataset_id")))
VISIBLE_DASHBOARD = AnyOf((Own("owner_subject", "id"), Where("visibility", "everyone"), SHARED_WITH_DATASET))


@table_type(dashboards.Dashboard, store="axion_gen", guard=VISIBLE_DASHBOARD)
class GenDashboard:
    """Widgets over remote tables, arranged on a grid. The permissions on a widget's dataset still apply to its data."""

    name = column()
    description = column()
    visibility = column("Who can see it.", enum=GenDashboardVisibility)
    owner_subject = column()
    columns = column()
    row_height = column()
    time_zone = column()
    refresh_seconds = column()
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset it is mainly about.")
    group = to_one("GenDashboardGroup", local="dashboard_group_id", description="The folder it is shown in.")
    favorite = to_one(
        "GenFavoriteDashboard",
        local="id",
        remote="dashboard_id",
        description="Your favorite, if you have marked it as one.",
    )
    owner = to_one(
        "GenUser",
        local="owner_subject",
        remote="external_auth_id",
        description="The user who created it, if you may see them.",
    )
    widgets = to_many("GenDashboardWidget", remote="dashboard_id", description="Its widgets whose data you may see.")
    controls = to_many(
        "GenDashboardControl", remote="dashboard_id", description="The filters that its readers can set."
    )
    chat_sessions = to_many(
        "GenChatSession", remote="dashboard_id", description="Your conversations that were started on it."
    )
