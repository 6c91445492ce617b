"""Records each use of raw SQL in the audit log before any of it is sent."""

from collections.abc import Mapping
from uuid import UUID

from loaders.audit.entry import Action
from loaders.openfga import names
from loaders.postgres.write import transaction
from resolvers.audit import audit
from resolvers.context import Context
from resolvers.gen.store import STORE


async def record_use(context: Context, action: Action, dataset_id: UUID, facts: Mapping[str, object]) -> None:
    """Raises what Postgres may raise: without the entry the SQL is not run."""
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:
        await audit(context, within, action, names.dataset(dataset_id), facts)
