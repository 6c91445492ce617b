"""Creates, updates and deletes rows: in one transaction each, under the caller's guards, once per `Idempotency-Key`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from loaders.errors import BadInput
from loaders.postgres import row_writes
from loaders.postgres.stored_table import UPDATED_AT, Key
from loaders.postgres.write import Transaction, transaction
from loaders.read import Value
from resolvers.advised import advise
from resolvers.context import Context
from resolvers.expected import require_unchanged
from resolvers.idempotency import MutationRequest
from resolvers.permissions.guards import Policies
from resolvers.permissions.writing import guarding_column
from resolvers.target import (
    Target,
    checked_values,
    in_words_of_the_input,
    once_for,
    register,
    require_allowed,
    require_references,
    stored_row,
)


@dataclass(frozen=True, slots=True)
class Create:
    """Columns that are left out get the table's defaults."""

    asked: MutationRequest
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Update:
    """`patch` holds the columns to change, None for null. `expected_updated_at` is what the caller has read."""

    asked: MutationRequest
    key: Key
    patch: Mapping[str, Value]
    expected_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    asked: MutationRequest
    key: Key


async def create(context: Context, target: Target, write: Create, policies: Policies) -> Key:
    """The new row's key. Raises as `update` does, except `NotFound`."""
    context.verdicts.require_subject()
    values = checked_values(write.values, target)
    if target.whole is not None:
        values = dict(target.whole(values))
    values |= dict.fromkeys(target.stamped, context.subject.id)

    async def allowed(within: Transaction) -> Mapping[str, Value]:
        await require_references(context, target, values, within, policies)
        await require_allowed(context, target, values, within)
        return values

    await advise(context, target, write.asked, allowed)
    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            await allowed(within)
            await register(context, target, within)
            with in_words_of_the_input(target):
                return await row_writes.insert(within, target.rows, values)

        return await once_for(context, target, write.asked, within, work)


async def update(context: Context, target: Target, write: Update, policies: Policies) -> Key:
    """The row's key. Raises, without any change:

    - `NotFound` for a row that the caller may not see;
    - `Forbidden` for one that the caller may not write, or not with its new values;
    - `Conflict` if it was changed since it was read, or if its new values are taken;
    - `BadInput` for values that cannot be stored, and for references to rows that the caller may not see.
    """
    context.verdicts.require_subject()
    if not write.patch:
        raise BadInput("`patch` changes nothing. Give at least one field.", field="patch")
    patch = checked_values(write.patch, target)
    guard = guarding_column(target.guard)
    also = () if target.check is None else tuple(target.names)

    async def changed(within: Transaction) -> Mapping[str, Value]:
        stored = await stored_row(context, target, write.key, within, policies, also=also)
        await require_allowed(context, target, stored, within)
        require_unchanged(stored.get(UPDATED_AT), write.expected_updated_at)
        await require_references(context, target, patch, within, policies)
        if guard in patch:
            await require_allowed(context, target, patch, within)
        return {**stored, **patch}

    await advise(context, target, write.asked, changed)
    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            await changed(within)
            if target.along is not None:
                await target.along(context, within, write.key, patch)
            with in_words_of_the_input(target):
                return await row_writes.update(within, target.rows, write.key, patch)

        return await once_for(context, target, write.asked, within, work)


async def delete(context: Context, target: Target, write: Delete, policies: Policies) -> Key:
    """The key that the row had. Raises `NotFound` and `Forbidden` as `update`; `Conflict` if other rows refer to it."""
    context.verdicts.require_subject()

    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            stored = await stored_row(context, target, write.key, within, policies, for_delete=True)
            await require_allowed(context, target, stored, within)
            if target.along is not None:
                await target.along(context, within, write.key, {})
            with in_words_of_the_input(target):
                await row_writes.delete(within, target.rows, write.key)
            return write.key

        return await once_for(context, target, write.asked, within, work)
