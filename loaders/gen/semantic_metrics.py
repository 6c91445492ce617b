"""The semantic metrics of datasets, loaded for one request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from aiodataloader import DataLoader

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_BY_DATASETS = """
SELECT dataset_id, name, version, is_current, kind, table_name, time_column, dimensions, definition, created_at
FROM public.dataset_semantic_metrics WHERE dataset_id = ANY($1) ORDER BY dataset_id, name, version
"""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A version of a metric. `definition` is the JSON of its kind. `created_at=None` means that it is not
    stored yet.
    """

    name: str
    version: int
    is_current: bool
    kind: str
    table_name: str | None
    time_column: str | None
    dimensions: tuple[str, ...]
    definition: Any
    created_at: datetime | None = None


class MetricsByDatasetId(DataLoader[UUID, Sequence[MetricRow]]):
    """All versions of all metrics, by name and version, in one statement for the datasets requested together.

    Raises what Postgres may raise. No permission is checked here: the caller does that first.
    """

    def __init__(self, gen: Postgres, ledger: Ledger) -> None:
        super().__init__()
        self._gen = gen
        self._ledger = ledger

    async def batch_load_fn(self, dataset_ids: list[UUID]) -> list[Sequence[MetricRow]]:
        found: dict[UUID, list[MetricRow]] = {id_: [] for id_ in dataset_ids}
        for row in await self._gen.fetch(_BY_DATASETS, dataset_ids, ledger=self._ledger):
            found[row["dataset_id"]].append(
                MetricRow(
                    row["name"],
                    row["version"],
                    row["is_current"],
                    row["kind"],
                    row["table_name"],
                    row["time_column"],
                    tuple(row["dimensions"]),
                    orjson.loads(row["definition"]),
                    row["created_at"],
                )
            )
        return [found[id_] for id_ in dataset_ids]
