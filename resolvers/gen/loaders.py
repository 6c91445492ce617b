"""Gen's loaders: made at a request's first question, gone with it."""

from dataclasses import dataclass

from loaders.dashboards.frames import FrameByDashboardId
from loaders.semantic_metrics import MetricsByDatasetId
from loaders.warehouses.asked import EstimateByTableName, RemoteTablesBySpace, TableByName
from loaders.warehouses.places import PlaceByDatasetId
from resolvers.context import Context
from resolvers.gen.granting import STORE


@dataclass(frozen=True, slots=True)
class GenLoaders:
    """Wait for what they load through `asyncio.shield`: it is shared by all who ask the same."""

    frames: FrameByDashboardId
    metrics: MetricsByDatasetId
    places: PlaceByDatasetId
    listings: RemoteTablesBySpace
    tables: TableByName
    estimates: EstimateByTableName


def gen_loaders(context: Context) -> GenLoaders:
    """Must be called inside the running loop."""
    if context.gen is None:
        warehouses, ledger = context.stores.warehouses, context.ledger
        context.gen = GenLoaders(
            FrameByDashboardId(context.stores.postgres[STORE], ledger),
            MetricsByDatasetId(context.stores.postgres[STORE], ledger),
            PlaceByDatasetId(context.stores.postgres[STORE], ledger),
            RemoteTablesBySpace(warehouses, ledger),
            TableByName(warehouses, ledger),
            EstimateByTableName(warehouses, ledger),
        )
    return context.gen
