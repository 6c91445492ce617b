"""The columns of a remote table that its curation hides."""

from uuid import UUID

from resolvers.context import Context
from resolvers.gen.granting import STORE

_HIDDEN = """
SELECT column_name FROM public.curation_overrides
WHERE dataset_id = $1 AND table_name = $2 AND column_name IS NOT NULL AND is_hidden
"""


async def hidden_columns(context: Context, dataset_id: UUID, table_name: str) -> frozenset[str]:
    """Whoever asks: what is hidden from all is read for nobody."""
    rows = await context.stores.postgres[STORE].fetch(_HIDDEN, dataset_id, table_name, ledger=context.ledger)
    return frozenset(row["column_name"] for row in rows)
