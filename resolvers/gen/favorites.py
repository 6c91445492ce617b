"""Users' favorites. Adding and removing are idempotent."""

from collections.abc import Mapping

from loaders.postgres.row_writes import delete_where, insert_or_find
from loaders.postgres.stored_table import Key
from loaders.postgres.write import transaction
from loaders.read import Value
from resolvers.context import Context
from resolvers.idempotency import MutationRequest, once, once_if_any
from resolvers.permissions.guards import OwnWrite, Policies
from resolvers.target import Target, checked_values, register, require_references

OWNER = OwnWrite("owner_subject")


async def add_favorite(
    context: Context, target: Target, of: Mapping[str, Value], policies: Policies, asked: MutationRequest
) -> Key:
    """The key of the subject's favorite for what the columns `of` name; an existing one stays as it is. Raises
    `BadInput` for what the subject may not see.
    """
    context.verdicts.require_subject()
    values = checked_values(of, target)
    values[OWNER.column] = context.subject.id
    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            await require_references(context, target, values, within, policies)
            await register(context, target, within)
            return await insert_or_find(within, target.rows, values)

        return await once(context, within, asked, about=target.table, work=work)


async def remove_favorite(context: Context, target: Target, of: Mapping[str, Value], asked: MutationRequest) -> bool:
    """Whether there was a favorite. Favorites of what the subject no longer sees can be removed, too."""
    context.verdicts.require_subject()
    values = {**checked_values(of, target), OWNER.column: context.subject.id}
    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key | None:
            return await delete_where(within, target.rows, values)

        return await once_if_any(context, within, asked, about=target.table, work=work) is not None
