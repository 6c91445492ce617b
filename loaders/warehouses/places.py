"""Where the tables of datasets are, by which columns they can or must be filtered, and what is hidden; loaded for one
request.
"""

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
    """What a warehouse lists at once: a schema of a data source. `schema=None` is the data source's default schema."""

    data_source_id: UUID
    schema: str | None


@dataclass(frozen=True, slots=True)
class TableFilter:
    """A row of `table_filters`: a filter that a remote table can have, or must have. `default=None` means no
    default.
    """

    table: str
    column: str
    kind: str
    operator: str
    default: object
    is_required: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The tables of a dataset: all of a space (`only=None`) or some of it. `filters` are those of all its tables.

    `hidden` holds the (table, column) names that curation hides; a column of None hides the whole table.
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
        """Whether some columns of the table are hidden, whether or not they appear in its description."""
        return any(of == table and column is not None for of, column in self.hidden)

    def shown(self, table: Table) -> Table:
        """The table without the columns that curation hides; the same object when it hides none."""
        columns = tuple(each for each in table.columns if (table.name, each.name) not in self.hidden)
        return table if len(columns) == len(table.columns) else replace(table, columns=columns)

    def filters_of(self, table: str) -> tuple[TableFilter, ...]:
        return tuple(filter_ for filter_ in self.filters if filter_.table == table)


class PlaceByDatasetId(DataLoader[UUID, Place | None]):
    """One statement for the datasets requested together. None for a dataset that does not exist.

    Raises what Postgres may raise. No permission is checked here: the caller does that first.
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
