"""Audits operations that change permissions, in their own transaction."""

from collections.abc import Mapping

from loaders.audit.entry import Action, AuditEntry
from loaders.audit.outbox import append
from loaders.openfga import names
from loaders.postgres.write import Transaction
from resolvers.context import Context


async def audit(
    context: Context, within: Transaction, action: Action, resource: str, facts: Mapping[str, object] | None = None
) -> None:
    """The entry is committed together with the change."""
    entry = AuditEntry(action, names.user(context.subject.id), resource, context.request_id, facts or {})
    await append(within, [entry])
