"""Rows made, changed and deleted: one transaction each, under the caller's guards, once per `Idempotency-Key`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.description import Table
from loaders.errors import BadInput, Conflict, NotFound
from loaders.postgres.write import Transaction, bound, locked, matching, transaction
from loaders.read import And, Col, Compare, Op, Predicate, Read, Value
from resolvers.answer import guarded
from resolvers.context import Context
from resolvers.idempotency import Asked, Key, once
from resolvers.permissions.guards import OwnWrite, Policies, WriteRule
from resolvers.permissions.writing import guarding_column, require_write
from resolvers.written import Shape, checked

UPDATED_AT = "updated_at"
"""A column of this name is set by every change, rises with each, and serves optimistic concurrency."""


@dataclass(frozen=True, slots=True)
class Target:
    """A table that may be written.

    `names` are the fields of the input by column, `references` the tables whose keys columns hold, by column.
    `idempotency_keys` is the table of that name in the same database. `shapes` give what JSON columns may hold, by
    column: called with a value they return it as it is stored, or raise `ValueError` with what the value must be.
    """

    table: Table
    model: sa.Table
    guard: WriteRule
    idempotency_keys: sa.Table
    names: Mapping[str, str]
    references: Mapping[str, Table] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Create:
    """Columns that are left out get the table's defaults."""

    asked: Asked
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Update:
    """`patch` holds the columns to change, None for null. `expected_updated_at` is what the caller has read."""

    asked: Asked
    key: Key
    patch: Mapping[str, Value]
    expected_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    asked: Asked
    key: Key


async def create(context: Context, target: Target, write: Create, policies: Policies) -> Key:
    """The new row's key. Raises as `update` does, but `NotFound`."""
    context.verdicts.require_subject()
    values = _checked(write.values, target)
    own = target.guard.column if isinstance(target.guard, OwnWrite) else None
    if own is not None:
        values[own] = context.subject.id

    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            await _require_references(context, target, values, within, policies)
            await _require(context, target, values, within)
            if own is not None:
                await register(context, target.model.c[own], within)
            statement = sa.insert(target.model).values(_bound(values, target.table))
            (row,) = await _written(statement.returning(*_key_columns(target)), target, within)
            return row

        return await _once(context, target, write.asked, within, work)


async def update(context: Context, target: Target, write: Update, policies: Policies) -> Key:
    """The row's key.

    `NotFound` for a row the caller may not see; `Forbidden` for one the caller may not write, or not give its new
    values; `Conflict` when it was changed since it was read, or its new values are taken; `BadInput` for values that
    cannot be stored and references to rows that the caller may not see. Nothing is changed then.
    """
    context.verdicts.require_subject()
    if not write.patch:
        raise BadInput("`patch` changes nothing. Give at least one field.", field="patch")
    patch = _checked(write.patch, target)
    guard = guarding_column(target.guard)

    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            versioned = target.table.has_column(UPDATED_AT)
            stored = await _stored(context, target, write.key, within, policies, for_delete=False)
            await _require(context, target, stored, within)
            if write.expected_updated_at is not None and stored[UPDATED_AT] != write.expected_updated_at:
                message = "The row was changed since you read it. Read it again, and decide anew."
                raise Conflict(message, field="expectedUpdatedAt")
            await _require_references(context, target, patch, within, policies)
            if guard in patch:
                await _require(context, target, patch, within)
            values = _bound(patch, target.table)
            if versioned:
                rising = target.model.c[UPDATED_AT] + sa.text("interval '1 microsecond'")
                values[UPDATED_AT] = sa.func.greatest(sa.func.clock_timestamp(), rising)
            statement = sa.update(target.model).where(_is(target, write.key)).values(values)
            (row,) = await _written(statement.returning(*_key_columns(target)), target, within)
            return row

        return await _once(context, target, write.asked, within, work)


async def delete(context: Context, target: Target, write: Delete, policies: Policies) -> Key:
    """The key the row had. `NotFound` and `Forbidden` as `update`; `Conflict` when other rows refer to it."""
    context.verdicts.require_subject()

    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:

        async def work() -> Key:
            stored = await _stored(context, target, write.key, within, policies, for_delete=True)
            await _require(context, target, stored, within)
            await _written(sa.delete(target.model).where(_is(target, write.key)), target, within)
            return write.key

        return await _once(context, target, write.asked, within, work)


async def _once(
    context: Context, target: Target, asked: Asked, within: Transaction, work: Callable[[], Awaitable[Key]]
) -> Key:
    return await once(context, within, asked, keys=target.idempotency_keys, about=target.table, work=work)


async def register(context: Context, owner: sa.Column[Any], within: Transaction) -> None:
    """The subject becomes a row of the users its rows' `owner` column refers to, where it is none yet."""
    for reference in owner.foreign_keys:
        users = reference.column.table
        subject = context.subject
        person = {reference.column.name: subject.id, "email": subject.email, "display_name": subject.display_name}
        await within.rows(insert(users).values(person).on_conflict_do_nothing())


def _checked(values: Mapping[str, Value], target: Target) -> dict[str, Value]:
    return checked(values, table=target.table, model=target.model, names=target.names, shapes=target.shapes)


async def _require(context: Context, target: Target, values: Mapping[str, Value], within: Transaction) -> None:
    column = guarding_column(target.guard)
    if column is None:
        await context.verdicts.require_admin()
    else:
        await require_write(target.guard, values.get(column), verdicts=context.verdicts, within=within)


async def _stored(
    context: Context,
    target: Target,
    key: Key,
    within: Transaction,
    policies: Policies,
    *,
    for_delete: bool,
) -> Mapping[str, Value]:
    """What is decided by of the row, locked. The guard is part of the statement: a hidden row is one not there."""
    wanted = [name for name in (guarding_column(target.guard), UPDATED_AT) if name and target.table.has_column(name)]
    read = await guarded(Read(target.table, where=_has_key(target.table, key)), context, policies)
    rows = await within.rows(locked(read, wanted or list(target.table.key), for_delete=for_delete))
    if not rows:
        raise NotFound("There is no such row.")
    return dict(rows[0]._mapping)


async def _require_references(
    context: Context, target: Target, values: Mapping[str, Value], within: Transaction, policies: Policies
) -> None:
    for column, table in target.references.items():
        if values.get(column) is None:
            continue
        read = await guarded(Read(table, where=_has_key(table, (values[column],))), context, policies)
        if not await within.rows(matching(read, table.key)):
            name = target.names[column]
            raise BadInput(f"What `{name}` refers to does not exist.", field=name)


async def _written(statement: sa.Executable, target: Target, within: Transaction) -> Sequence[Key]:
    """The keys the statement returns. What a constraint refuses is said in the input's words."""
    try:
        return [tuple(row) for row in await within.rows(statement)]
    except BadInput as error:
        if error.field is None:
            raise
        name = target.names.get(error.field)
        message = str(error).replace(f"`{error.field}`", f"`{name}`" if name else "the row")
        raise type(error)(message, field=name) from error


def _bound(values: Mapping[str, Value], table: Table) -> dict[str, Any]:
    return {column: bound(value, table.column(column)) for column, value in values.items()}


def _has_key(table: Table, key: Key) -> Predicate:
    return And(tuple(Compare(Col(name), Op.EQ, value) for name, value in zip(table.key, key, strict=True)))


def _is(target: Target, key: Key) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == value for column, value in zip(_key_columns(target), key, strict=True)))


def _key_columns(target: Target) -> list[sa.Column[Any]]:
    return [target.model.c[name] for name in target.table.key]
