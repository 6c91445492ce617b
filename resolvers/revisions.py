"""Rows that are versions of one thing: a change is a new row, and what was written stays as it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from loaders.errors import BadInput, Conflict
from loaders.postgres.write import Transaction, transaction
from loaders.read import Value
from resolvers.context import Context
from resolvers.idempotency import Key
from resolvers.permissions.guards import Policies
from resolvers.target import (
    Target,
    bound_values,
    checked_values,
    key_columns,
    once_for,
    register,
    require_allowed,
    require_references,
    stored_row,
    written_keys,
)
from resolvers.writes import Delete, Update

VERSION, IS_CURRENT = "version", "is_current"
_OF_A_ROW = ("created_at",)


@dataclass(frozen=True, slots=True)
class Series:
    """`target` holds versions, numbered from 1 in `version`; `columns` tell one thing's from another's.

    Where the table has `is_current`, the newest version has it set until the thing is withdrawn.
    """

    target: Target
    columns: tuple[str, ...]


async def revise(context: Context, series: Series, write: Update, policies: Policies) -> Key:
    """The key of a new version: the one of `write.key`, which must be the newest, with the patch.

    `Conflict` when there is a newer one; else raises as `update` does. A withdrawn thing is current again.
    """
    context.verdicts.require_subject()
    if not write.patch:
        raise BadInput("`patch` changes nothing. Give at least one field.", field="patch")
    target = series.target
    patch = checked_values(write.patch, target)

    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            stored = await _newest(context, series, write.key, within, policies)
            await require_references(context, target, patch, within, policies)
            await register(context, target, within)
            await _retire(series, stored, within)
            values: Mapping[str, Value] = patch
            if target.whole is not None:
                values = target.whole(await _written(series, write.key, within) | patch)
            if target.check is not None:
                await target.check(context, values)
            given = bound_values({**values} | dict.fromkeys(target.stamped, context.subject.id), target.table)
            statement = _copy(target, write.key, given)
            (row,) = await written_keys(statement.returning(*key_columns(target)), target, within)
            return row

        return await once_for(context, target, write.asked, within, work)


async def withdraw(context: Context, series: Series, write: Delete, policies: Policies) -> Key:
    """The key of the newest version, which is no longer current. Raises as `revise` does."""
    context.verdicts.require_subject()
    target = series.target

    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            stored = await _newest(context, series, write.key, within, policies)
            await _retire(series, stored, within)
            return write.key

        return await once_for(context, target, write.asked, within, work)


async def _newest(
    context: Context, series: Series, key: Key, within: Transaction, policies: Policies
) -> Mapping[str, Value]:
    """The row of the key, locked, so that of two who change it the second finds the first's version."""
    target = series.target
    stored = await stored_row(context, target, key, within, policies, also=(*series.columns, VERSION))
    await require_allowed(context, target, stored, within)
    newest = sa.select(sa.func.max(target.model.c[VERSION])).where(_of(series, stored))
    ((number,),) = await within.rows(newest)
    if number != stored[VERSION]:
        raise Conflict(
            f"Version {number} is newer than version {stored[VERSION]}. Read it, and decide anew.", field="id"
        )
    return stored


async def _written(series: Series, key: Key, within: Transaction) -> dict[str, Value]:
    """What has been written of the row of the key, as it stands."""
    target = series.target
    model, columns = target.model, tuple(dict.fromkeys((*series.columns, *target.names)))
    of_key = (model.c[name] == value for name, value in zip(target.table.key, key, strict=True))
    ((*stored,),) = await within.rows(sa.select(*(model.c[name] for name in columns)).where(*of_key))
    return dict(zip(columns, stored, strict=True))


async def _retire(series: Series, stored: Mapping[str, Value], within: Transaction) -> None:
    model = series.target.model
    if IS_CURRENT in model.c:
        current = sa.and_(_of(series, stored), model.c[IS_CURRENT])
        await within.rows(sa.update(model).where(current).values({IS_CURRENT: False}))


def _of(series: Series, stored: Mapping[str, Value]) -> sa.ColumnElement[bool]:
    return sa.and_(*(series.target.model.c[name] == stored[name] for name in series.columns))


def _copy(target: Target, key: Key, given: Mapping[str, Any]) -> sa.Insert:
    """The row of the key anew, with what is given; its key and the time it is made are its own."""
    model = target.model
    source = model.alias()
    own = {*target.table.key, *_OF_A_ROW}
    copied: dict[str, Any] = {column.name: source.c[column.name] for column in model.c if column.name not in own}
    copied |= {**given, VERSION: source.c[VERSION] + 1}
    if IS_CURRENT in model.c:
        copied[IS_CURRENT] = sa.true()
    rows = sa.select(*copied.values()).where(
        *(source.c[name] == value for name, value in zip(target.table.key, key, strict=True))
    )
    return sa.insert(model).from_select(list(copied), rows)
