"""Gen's data loaders: made when a request first needs one, and dropped with the request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from loaders.gen.dashboard import FrameByDashboardId
from loaders.gen.profile_schedules import ExcludedByDatasetId
from loaders.gen.semantic_metrics import MetricsByDatasetId
from loaders.ledger import Ledger
from loaders.stores import Stores
from loaders.warehouses.distinct_lists import ValuesByList
from loaders.warehouses.metadata_loaders import EstimateByTableName, RemoteTablesBySpace, TableByName
from loaders.warehouses.places import PlaceByDatasetId
from resolvers.gen.barrier import Barrier
from resolvers.gen.store import STORE


@dataclass(frozen=True, slots=True)
class GenLoaders:
    """Callers wait for loads through `asyncio.shield`, because all callers with the same question share them."""

    frames: FrameByDashboardId
    metrics: MetricsByDatasetId
    places: PlaceByDatasetId
    excluded: ExcludedByDatasetId
    listings: RemoteTablesBySpace
    tables: TableByName
    estimates: EstimateByTableName
    barriers: dict[UUID, Barrier]
    lists: dict[str, ValuesByList]
    new_lists: Callable[[str], ValuesByList]

    @classmethod
    def of(cls, stores: Stores, ledger: Ledger) -> Self:
        """Nothing is loaded yet. Must be called inside the running loop."""
        gen, warehouses = stores.postgres[STORE], stores.warehouses
        return cls(
            FrameByDashboardId(gen, ledger),
            MetricsByDatasetId(gen, ledger),
            PlaceByDatasetId(gen, ledger),
            ExcludedByDatasetId(gen, ledger),
            RemoteTablesBySpace(warehouses, ledger),
            TableByName(warehouses, ledger),
            EstimateByTableName(warehouses, ledger),
            {},
            {},
            lambda store: ValuesByList(warehouses, store, ledger),
        )

    def barrier(self, data_source_id: UUID) -> Barrier:
        """The barrier of the callers that ask for values of one data source."""
        return self.barriers.setdefault(data_source_id, Barrier())

    def values(self, store: str) -> ValuesByList:
        """The dataloader for lists of values of one data source."""
        if store not in self.lists:
            self.lists[store] = self.new_lists(store)
        return self.lists[store]
