"""A table that may be written, and the steps every write of a row of it takes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa

from loaders.description import Table
from loaders.errors import BadInput, NotFound
from loaders.postgres.write import Transaction, bound, locked, matching
from loaders.read import And, Col, Compare, Op, Predicate, Read, Value, is_never
from resolvers.answer import guarded
from resolvers.context import Context
from resolvers.idempotency import Asked, Key, once
from resolvers.known_user import register_user
from resolvers.permissions.guards import OwnWrite, Policies, WriteRule
from resolvers.permissions.writing import guarding_column, require_write
from resolvers.written import Shape, checked

UPDATED_AT = "updated_at"
"""A column of this name is set by every change, rises with each, and serves optimistic concurrency."""


Along: TypeAlias = Callable[[Context, Transaction, Key, Mapping[str, Value]], Awaitable[None]]
Whole: TypeAlias = Callable[[Mapping[str, Value]], Mapping[str, Value]]
Check: TypeAlias = Callable[[Context, Mapping[str, Value]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """A table that may be written.

    `names` are the fields of the input by column, `references` the tables whose keys columns hold, by column.
    `idempotency_keys` is the table of that name in the same database. `shapes` give what JSON columns may hold, by
    column: called with a value they return it as it is stored, or raise `ValueError` with what the value must be.
    `author` is the column that gets the `sub` of who makes a row, where that is not its owner already. `whole` holds
    the values of a new row against each other: it returns them as they are stored, or raises `BadInput`. `check` then
    holds them against what is elsewhere, for who may write them.
    `along` does what else a change of a row, or its end, brings with it, in its transaction and before it: the row is
    locked, and the patch of its end is empty.
    """

    table: Table
    model: sa.Table
    guard: WriteRule
    idempotency_keys: sa.Table
    names: Mapping[str, str]
    references: Mapping[str, Table] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    author: str | None = None
    whole: Whole | None = None
    check: Check | None = None
    along: Along | None = None

    @property
    def stamped(self) -> tuple[str, ...]:
        """The columns that get the caller's `sub` in a new row."""
        owner = self.guard.column if isinstance(self.guard, OwnWrite) else None
        return tuple(column for column in (owner, self.author) if column is not None)


async def once_for(
    context: Context, target: Target, asked: Asked, within: Transaction, work: Callable[[], Awaitable[Key]]
) -> Key:
    return await once(context, within, asked, keys=target.idempotency_keys, about=target.table, work=work)


async def register(context: Context, target: Target, within: Transaction) -> None:
    """The subject becomes a row of the users that stamped columns refer to, where it is none yet."""
    references = (reference for column in target.stamped for reference in target.model.c[column].foreign_keys)
    for reference in references:
        await register_user(within, context.subject, reference.column.table, key=reference.column.name)


def checked_values(values: Mapping[str, Value], target: Target) -> dict[str, Value]:
    return checked(values, table=target.table, model=target.model, names=target.names, shapes=target.shapes)


async def require_allowed(context: Context, target: Target, values: Mapping[str, Value], within: Transaction) -> None:
    column = guarding_column(target.guard)
    if column is None:
        await context.verdicts.require_admin()
    else:
        await require_write(target.guard, values.get(column), verdicts=context.verdicts, within=within)


async def stored_row(
    context: Context,
    target: Target,
    key: Key,
    within: Transaction,
    policies: Policies,
    *,
    for_delete: bool = False,
    also: tuple[str, ...] = (),
) -> Mapping[str, Value]:
    """What is decided by of the row, locked. The guard is part of the statement: a hidden row is one not there."""
    names = (guarding_column(target.guard), UPDATED_AT, *also)
    wanted = [name for name in names if name and target.table.has_column(name)]
    read = await guarded(Read(target.table, where=_has_key(target.table, key)), context, policies)
    never = is_never(read.where)
    rows = () if never else await within.rows(locked(read, wanted or list(target.table.key), for_delete=for_delete))
    if not rows:
        raise NotFound("There is no such row.")
    return dict(rows[0]._mapping)


async def require_references(
    context: Context, target: Target, values: Mapping[str, Value], within: Transaction, policies: Policies
) -> None:
    for column, table in target.references.items():
        if values.get(column) is None:
            continue
        read = await guarded(Read(table, where=_has_key(table, (values[column],))), context, policies)
        if is_never(read.where) or not await within.rows(matching(read, table.key)):
            name = target.names[column]
            raise BadInput(f"What `{name}` refers to does not exist.", field=name)


async def written_keys(statement: sa.Executable, target: Target, within: Transaction) -> Sequence[Key]:
    """The keys the statement returns. What a constraint refuses is said in the input's words."""
    try:
        return [tuple(row) for row in await within.rows(statement)]
    except BadInput as error:
        if error.field is None:
            raise
        name = target.names.get(error.field)
        message = str(error).replace(f"`{error.field}`", f"`{name}`" if name else "the row")
        raise type(error)(message, field=name) from error


def bound_values(values: Mapping[str, Value], table: Table) -> dict[str, Any]:
    return {column: bound(value, table.column(column)) for column, value in values.items()}


def _has_key(table: Table, key: Key) -> Predicate:
    return And(tuple(Compare(Col(name), Op.EQ, value) for name, value in zip(table.key, key, strict=True)))


def is_row(target: Target, key: Key) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == value for column, value in zip(key_columns(target), key, strict=True)))


def key_columns(target: Target) -> list[sa.Column[Any]]:
    return [target.model.c[name] for name in target.table.key]
