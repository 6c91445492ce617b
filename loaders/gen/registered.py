"""Look-ups of Gen's registered objects, for code that reads without the guards.

Each function is one statement and raises what the store raises.
"""

from collections.abc import Sequence
from uuid import UUID

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_SOURCE = "SELECT name FROM public.data_sources WHERE id = $1 AND ($2::text[] IS NULL OR name = ANY ($2))"
_DATASET = "SELECT 1 FROM public.datasets WHERE id = $1"
_MAP = "SELECT geometry_column FROM public.dataset_maps WHERE id = $1 AND dataset_id = $2 AND table_name = $3"


async def data_source_name(
    id_: UUID, *, among: Sequence[str] | None = None, gen: Postgres, ledger: Ledger
) -> str | None:
    """The name of a data source, if it is one of the names `among`."""
    rows = await gen.fetch(_SOURCE, id_, among, ledger=ledger)
    return str(rows[0]["name"]) if rows else None


async def has_dataset(id_: UUID, *, gen: Postgres, ledger: Ledger) -> bool:
    return bool(await gen.fetch(_DATASET, id_, ledger=ledger))


async def mapped_column(id_: UUID, dataset_id: UUID, table_name: str, *, gen: Postgres, ledger: Ledger) -> str | None:
    """The column that the map shows, if it is a map of that table of the dataset; None when there is no such map."""
    rows = await gen.fetch(_MAP, id_, dataset_id, table_name, ledger=ledger)
    return str(rows[0]["geometry_column"]) if rows else None
