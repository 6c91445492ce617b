"""A table that can be written, and the steps that every write of its rows takes."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from loaders.description import Table
from loaders.errors import BadInput, NotFound
from loaders.postgres.row_reads import found_row, locked_row
from loaders.postgres.stored_table import UPDATED_AT, Key, StoredTable
from loaders.postgres.write import Transaction
from loaders.read import And, Col, Compare, Op, Predicate, Read, Value
from resolvers.answer import guarded
from resolvers.context import Context
from resolvers.idempotency import MutationRequest, once
from resolvers.known_user import register_user
from resolvers.permissions.guards import OwnWrite, Policies, WriteRule, WriteVia
from resolvers.permissions.writing import guarding_column, require_write
from resolvers.written import Shape, checked

Along: TypeAlias = Callable[[Context, Transaction, Key, Mapping[str, Value]], Awaitable[None]]
Whole: TypeAlias = Callable[[Mapping[str, Value]], Mapping[str, Value]]
Check: TypeAlias = Callable[[Context, Mapping[str, Value]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """A table that can be written.

    - `names`: the fields of the input, by column. `references`: the tables whose keys columns hold, by column.
    - `shapes`: what JSON columns may hold, by column. Called with a value they return it as it is stored, or raise
      `ValueError` with what the value must be.
    - `into`: references to rows that the caller must be able to write, not only see, since naming such a row changes
      what is in it, such as a folder.
    - `author`: the column that gets the `sub` of the creator of a row, if that is not its owner already.
    - `whole`: validates the values of a new row together; it returns them as they are stored, or raises `BadInput`.
    - `check`: then validates them against other stores, for callers who may write them and with no transaction open
      (`resolvers/advised.py`); what it finds may have changed when they are written.
    - `along`: what else a change or deletion of a row brings with it, in its transaction and before it. The row is
      locked, and the patch of a deletion is empty.
    """

    rows: StoredTable
    guard: WriteRule
    names: Mapping[str, str]
    references: Mapping[str, Table] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    author: str | None = None
    whole: Whole | None = None
    check: Check | None = None
    along: Along | None = None
    into: tuple[WriteVia, ...] = ()

    @property
    def table(self) -> Table:
        return self.rows.table

    @property
    def stamped(self) -> tuple[str, ...]:
        """The columns that get the caller's `sub` in a new row."""
        owner = self.guard.column if isinstance(self.guard, OwnWrite) else None
        return tuple(column for column in (owner, self.author) if column is not None)


async def once_for(
    context: Context, target: Target, asked: MutationRequest, within: Transaction, work: Callable[[], Awaitable[Key]]
) -> Key:
    return await once(context, within, asked, about=target.table, work=work)


async def register(context: Context, target: Target, within: Transaction) -> None:
    """Adds the subject to the users that stamped columns refer to, unless it is there."""
    for column in target.stamped:
        for users, key in target.rows.referenced(column):
            await register_user(within, context.subject, users, key=key)


def checked_values(values: Mapping[str, Value], target: Target) -> dict[str, Value]:
    return checked(values, into=target.rows, names=target.names, shapes=target.shapes)


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
    """The columns of the row that the write is decided by, locked. The guard is part of the statement: a hidden row is
    like an absent one.
    """
    names = (guarding_column(target.guard), UPDATED_AT, *also)
    wanted = [name for name in names if name and target.table.has_column(name)]
    read = await guarded(Read(target.table, where=_has_key(target.table, key)), context, policies)
    row = await locked_row(within, read, wanted or target.table.key, for_delete=for_delete)
    if row is None:
        raise NotFound("There is no such row.")
    return row


async def require_references(
    context: Context, target: Target, values: Mapping[str, Value], within: Transaction, policies: Policies
) -> None:
    for column, table in target.references.items():
        if values.get(column) is not None:
            await require_seen(context, table, (values[column],), within, policies, field=target.names[column])
    for rule in target.into:
        if (value := values.get(rule.column)) is not None:
            await require_write(rule, value, verdicts=context.verdicts, within=within)


async def require_seen(
    context: Context, table: Table, key: Key, within: Transaction, policies: Policies, *, field: str
) -> None:
    """Raises `BadInput` with the input's `field` unless the subject sees the row with that key."""
    read = await guarded(Read(table, where=_has_key(table, key)), context, policies)
    if await found_row(within, read, table.key) is None:
        raise BadInput(f"What `{field}` refers to does not exist.", field=field)


@contextmanager
def in_words_of_the_input(target: Target) -> Iterator[None]:
    """Translates violated constraints into the names of the input fields."""
    try:
        yield
    except BadInput as error:
        if error.field is None:
            raise
        name = target.names.get(error.field)
        message = str(error).replace(f"`{error.field}`", f"`{name}`" if name else "the row")
        raise type(error)(message, field=name) from error


def _has_key(table: Table, key: Key) -> Predicate:
    return And(tuple(Compare(Col(name), Op.EQ, value) for name, value in zip(table.key, key, strict=True)))
