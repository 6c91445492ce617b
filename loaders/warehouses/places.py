"""Where the tables of datasets are, what they may or must be narrowed by and what is hidden, for one request."""

from dataclasses import dataclass, replace
from uuid import UUID

import orjson
from aiodataloader import DataLoader

from loaders.description import Table
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_BY_IDS = """
SELECT d.id, d.data_source_id, d.remote_schema, d.table_names, (
    SELECT json_agg(json_build_array(f.table_name, f.column_name, f.kind, f.operator, f.default_value, f.is_required)
                    ORDER BY f.position, f.id)
    FROM public.table_filters f WHERE f.dataset_id = d.id
) AS filters, (
    SELECT json_agg(json_build_array(c.table_name, c.column_name))
    FROM public.curation_overrides c WHERE c.dataset_id = d.id AND c.is_hidden
) AS hidden
FROM public.datasets d WHERE d.id = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class Space:
    """What a warehouse lists at once. `schema=None` is the data source's default."""

    data_source_id: UUID
    schema: str | None


@dataclass(frozen=True, slots=True)
class TableFilter:
    """A row of `table_filters`: what a remote table may, or must, be narrowed by. `default=None` is none."""

    table: str
    column: str
    kind: str
    operator: str
    default: object
    is_required: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset is a space, or some tables of it: `only=None` is all. `filters` are those of all its tables.

    `hidden` are the names of (table, column) that curation hides; column None is the table itself.
    """

    space: Space
    only: frozenset[str] | None
    filters: tuple[TableFilter, ...] = ()
    hidden: frozenset[tuple[str, str | None]] = frozenset()

    def has(self, table: str) -> bool:
        return (self.only is None or table in self.only) and (table, None) not in self.hidden

    def shows(self, table: str, column: str) -> bool:
        return self.has(table) and (table, column) not in self.hidden

    def hides_columns_of(self, table: str) -> bool:
        """Whether of its columns some are hidden, described or not."""
        return any(of == table and column is not None for of, column in self.hidden)

    def shown(self, table: Table) -> Table:
        """Without the columns that curation hides; the same table where it hides none."""
        columns = tuple(each for each in table.columns if (table.name, each.name) not in self.hidden)
        return table if len(columns) == len(table.columns) else replace(table, columns=columns)

    def filters_of(self, table: str) -> tuple[TableFilter, ...]:
        return tuple(filter_ for filter_ in self.filters if filter_.table == table)


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
                tuple(TableFilter(*values) for values in orjson.loads(row["filters"] or "[]")),
                frozenset((table, column) for table, column in orjson.loads(row["hidden"] or "[]")),
            )
            for row in rows
        }
        return [places.get(id_) for id_ in dataset_ids]
