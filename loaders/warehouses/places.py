"""Where the tables of datasets are, for one request."""

from dataclasses import dataclass
from uuid import UUID

from aiodataloader import DataLoader

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_BY_IDS = "SELECT id, data_source_id, remote_schema, table_names FROM public.datasets WHERE id = ANY($1)"


@dataclass(frozen=True, slots=True)
class Space:
    """What a warehouse lists at once. `schema=None` is the data source's default."""

    data_source_id: UUID
    schema: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset is a space, or some tables of it: `only=None` is all."""

    space: Space
    only: frozenset[str] | None

    def has(self, table: str) -> bool:
        return self.only is None or table in self.only


class PlaceByDatasetId(DataLoader[UUID, Place | None]):
    """One statement for those asked for at one moment, each dataset once. None for one that does not exist.

    Raises what Postgres may raise. Nothing is hidden here: ask for the permission first.
    """

    def __init__(self, gen: Postgres, ledger: Ledger) -> None:
        super().__init__()
        self._gen = gen
        self._ledger = ledger

    async def batch_load_fn(self, dataset_ids: list[UUID]) -> list[Place | None]:
        rows = await self._gen.fetch(_BY_IDS, dataset_ids, ledger=self._ledger)
        places = {
            row["id"]: Place(
                Space(row["data_source_id"], row["remote_schema"]),
                None if row["table_names"] is None else frozenset(row["table_names"]),
            )
            for row in rows
        }
        return [places.get(id_) for id_ in dataset_ids]
