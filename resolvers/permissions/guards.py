"""Declarations of who sees the rows of a table, and which of its columns.

Every table that can be read has one `RowGuard`; a table without one cannot be read at all. Guards are not inherited
from a parent: a child has its own (`Visible(..., via=...)`), since it can be reached in other ways than through its
parent. The price is a predicate that repeats the parent's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from loaders.description import Table
from loaders.errors import AxionError, Code
from loaders.read import Join


@dataclass(frozen=True, slots=True)
class Public:
    """Everybody sees every row, anonymous callers too. `reason` says why that is right."""

    reason: str


@dataclass(frozen=True, slots=True)
class Visible:
    """A row is visible if the subject has `relation` on `type:{value of column}`.

    The column belongs to the table itself, or to the last table of `via`, the joins that lead there from the row. A row
    whose column is null, or whose `via` leads nowhere, is visible to system admins only.
    """

    type: str
    relation: str
    column: str
    via: tuple[Join, ...] = ()

    def holder(self, table: Table) -> Table:
        """The table that has `column`."""
        return self.via[-1].target if self.via else table


@dataclass(frozen=True, slots=True)
class Own:
    """A row is visible to the user whose `attribute` equals its column and, unless it is personal, to system admins."""

    column: str
    attribute: Literal["id", "user_id"]
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Whole:
    """All rows or none: the object is the table itself, such as `table:{dataset}/{name}` of a remote table.

    `object` and `parent` are names made by `loaders.openfga.names`; for `parent` see `loaders.openfga.tuples.Check`.
    """

    relation: str
    object: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Every signed-in user sees every row. `reason` says why that is right."""

    reason: str


@dataclass(frozen=True, slots=True)
class Admins:
    """System admins see every row, all others none."""


@dataclass(frozen=True, slots=True)
class Where:
    """Visible are the rows whose column equals `value`, or is null if `value` is None, whoever asks."""

    column: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Through:
    """A row is visible if the `join` leads to a row that `guard` shows. If the guard shows all rows, all are
    visible.
    """

    join: Join
    guard: "RowGuard"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A row is visible when one of the guards shows it."""

    guards: "tuple[RowGuard, ...]"


@dataclass(frozen=True, slots=True)
class AllOf:
    """A row is visible when each of the guards shows it."""

    guards: "tuple[RowGuard, ...]"


RowGuard: TypeAlias = Public | Visible | Own | Whole | SignedIn | Admins | Where | Through | AnyOf | AllOf


@dataclass(frozen=True, slots=True)
class Relation:
    """The guard of a column: it is shown in rows where the subject has `relation` on `type:{value of column}`.

    `column` is another column of the same row. In rows where it is null, the guarded one is for system admins only.
    """

    type: str
    relation: str
    column: str


@dataclass(frozen=True, slots=True)
class WithFields:
    """The guard of a table with guarded columns. `fields` are pairs of column and guard, each column once."""

    rows: RowGuard
    fields: tuple[tuple[str, Relation], ...]


Guard: TypeAlias = RowGuard | WithFields
Policies: TypeAlias = Mapping[Table, Guard]


def asked_of(guard: Guard) -> Iterator[tuple[str, str]]:
    """The types, each with the relation, whose visible objects the guard needs."""
    match guard:
        case Visible(type_, relation):
            yield type_, relation
        case Through(_, inner):
            yield from asked_of(inner)
        case AnyOf(guards) | AllOf(guards):
            for each in guards:
                yield from asked_of(each)
        case WithFields(rows, fields):
            yield from asked_of(rows)
            for _, field in fields:
                yield field.type, field.relation
        case _:
            return


@dataclass(frozen=True, slots=True)
class WriteGuard:
    """Only those may write a row who have `relation` on `type:{value of column}`, a column of the row itself.

    A new row is asked about with the value it will have, a deleted one with the value it has, and a changed one with
    both. If the value is null, only system admins may.
    """

    type: str
    relation: str
    column: str


@dataclass(frozen=True, slots=True)
class OwnWrite:
    """Only the user whose `sub` equals the column, and system admins, may write a row. A new row gets its creator's."""

    column: str


@dataclass(frozen=True, slots=True)
class AdminWrite:
    """Only system admins may write the rows."""


@dataclass(frozen=True, slots=True)
class WriteVia:
    """A row may be written by those who may write, by `guard`, the row of `target` that its column refers to."""

    column: str
    target: Table
    guard: WriteGuard | OwnWrite


WriteRule: TypeAlias = WriteGuard | OwnWrite | AdminWrite | WriteVia


class Unguarded(AxionError):
    """A table without a guard was to be read. A defect of the program, answered by reading nothing."""

    code: ClassVar[Code] = Code.INTERNAL_ERROR

    def __init__(self, table: Table) -> None:
        super().__init__(
            f"Nothing says who may read table {table.name} of {table.store}, so nobody may: give it a guard."
        )


def guard_of(policies: Policies, table: Table) -> Guard:
    """Raises `Unguarded` for a table without a guard."""
    guard = policies.get(table)
    if guard is None:
        raise Unguarded(table)
    return guard
