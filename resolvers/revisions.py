"""Rows that are versions of one thing: a change adds a row, and existing rows stay as they are."""

from collections.abc import Mapping
from dataclasses import dataclass

from loaders.errors import BadInput, Conflict
from loaders.postgres.stored_table import Key
from loaders.postgres.versions import VERSION, insert_next, newest_version, retire, written_version
from loaders.postgres.write import Transaction, transaction
from loaders.read import Value
from resolvers.advised import advise
from resolvers.context import Context
from resolvers.permissions.guards import Policies
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
from resolvers.writes import Delete, Update


@dataclass(frozen=True, slots=True)
class Series:
    """`target` holds versions, numbered from 1 in `version`; `columns` identify the thing.

    If the table has `is_current`, the newest version has it set until the thing is withdrawn.
    """

    target: Target
    columns: tuple[str, ...]


async def revise(context: Context, series: Series, write: Update, policies: Policies) -> Key:
    """The key of a new version, made of `write.key`, which must be the newest, and the patch.

    Raises `Conflict` if there is a newer one; otherwise raises as `update` does. A withdrawn thing becomes current
    again.
    """
    context.verdicts.require_subject()
    if not write.patch:
        raise BadInput("`patch` changes nothing. Give at least one field.", field="patch")
    target = series.target
    patch = checked_values(write.patch, target)

    async def allowed(within: Transaction) -> tuple[Mapping[str, Value], Mapping[str, Value]]:
        """What the newest version is found by, and what the next one has."""
        stored = await _newest(context, series, write.key, within, policies)
        await require_references(context, target, patch, within, policies)
        if target.whole is None:
            return stored, patch
        columns = tuple(dict.fromkeys((*series.columns, *target.names)))
        return stored, target.whole(await written_version(within, target.rows, write.key, columns) | patch)

    async def values_of(within: Transaction) -> Mapping[str, Value]:
        return (await allowed(within))[1]

    await advise(context, target, write.asked, values_of)
    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            stored, values = await allowed(within)
            await register(context, target, within)
            await retire(within, target.rows, _of(series, stored))
            given = {**values} | dict.fromkeys(target.stamped, context.subject.id)
            with in_words_of_the_input(target):
                return await insert_next(within, target.rows, write.key, given)

        return await once_for(context, target, write.asked, within, work)


async def withdraw(context: Context, series: Series, write: Delete, policies: Policies) -> Key:
    """The key of the newest version, which is no longer current. Raises as `revise` does."""
    context.verdicts.require_subject()
    target = series.target

    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            stored = await _newest(context, series, write.key, within, policies)
            await retire(within, series.target.rows, _of(series, stored))
            return write.key

        return await once_for(context, target, write.asked, within, work)


async def _newest(
    context: Context, series: Series, key: Key, within: Transaction, policies: Policies
) -> Mapping[str, Value]:
    """The row of the key, locked, so that of two concurrent changes the second finds the version of the first."""
    target = series.target
    stored = await stored_row(context, target, key, within, policies, also=(*series.columns, VERSION))
    await require_allowed(context, target, stored, within)
    number = await newest_version(within, target.rows, _of(series, stored))
    if number != stored[VERSION]:
        raise Conflict(
            f"Version {number} is newer than version {stored[VERSION]}. Read it, and decide anew.", field="id"
        )
    return stored


def _of(series: Series, stored: Mapping[str, Value]) -> Mapping[str, Value]:
    return {name: stored[name] for name in series.columns}
