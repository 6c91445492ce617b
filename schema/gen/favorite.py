from loaders.tables.axion_gen import favorites
from resolvers.permissions.guards import Own
from schema.mapping.declare import column, table_type, to_one

MINE = Own("owner_subject", "id", personal=True)


@table_type(favorites.FavoriteDashboard, store="axion_gen", guard=MINE)
class GenFavoriteDashboard:
    """A dashboard among your favorites. Only you can see them."""

    created_at = column()
    dashboard = to_one("GenDashboard", local="dashboard_id", description="The dashboard, while you may see it.")


@table_type(favorites.FavoriteDataset, store="axion_gen", guard=MINE)
class GenFavoriteDataset:
    """A dataset among your favorites. Only you can see them."""

    created_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset, while you may see it.")


@table_type(favorites.FavoriteTable, store="axion_gen", guard=MINE)
class GenFavoriteTable:
    """A remote table among your favorites. Only you can see them."""

    table_name = column()
    created_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The table's dataset, while you may see it.")
