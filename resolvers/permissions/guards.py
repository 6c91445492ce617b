"""Declarations of who sees the rows of a table, and which of its columns.

Every table that can be read has one `RowGuard` in the policies; a table without one cannot be read at all. There is no
"inherited from the parent": a child is guarded by itself (`Visible(..., via=...)`), because it can be reached by other
ways than its parent. The price is a predicate that repeats the parent's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from loaders.description import Table
from loaders.errors import AxionError, Code
from loaders.read import Join


@dataclass(frozen=True, slots=True)
class Public:
    """Every caller sees every row, the anonymous one too. `reason` says why that is right."""

    reason: str


@dataclass(frozen=True, slots=True)
class Visible:
    """A row is visible when the subject has `relation` on `type:{value of column}`.

    The column is the table's own, or belongs to the last table of `via`, which is walked from the row. A row
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
    """A row is visible to the user whose `attribute` its column holds, and to system admins unless it is personal."""

    column: str
    attribute: Literal["id", "user_id"]
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Whole:
    """All rows or none: the table itself is the object, such as `table:{dataset}/{name}` of a remote table.

    `object` and `parent` are names as made by `loaders.openfga.names`; `parent` as in `loaders.openfga.tuples.Check`.
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
    """Rows whose column holds `value`, or nothing where `value` is None; whoever asks."""

    column: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Through:
    """A row is visible when the `join` leads to a row that `guard` shows. Where that shows all, all are visible."""

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
    """A guard on a field: its column is shown in rows where the subject has `relation` on `type:{value of column}`.

    `column` is another one of the same row. In rows where it is null, the field is for system admins only.
    """

    type: str
    relation: str
    column: str


@dataclass(frozen=True, slots=True)
class WithFields:
    """A table some of whose columns are for fewer than see its rows. `fields`: column and guard, each column once."""

    rows: RowGuard
    fields: tuple[tuple[str, Relation], ...]


Guard: TypeAlias = RowGuard | WithFields
Policies: TypeAlias = Mapping[Table, Guard]


def asked_of(guard: Guard) -> Iterator[tuple[str, str]]:
    """The types whose visible objects the guard asks for, with the relation."""
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
    """Who may write a row: who has `relation` on `type:{value of column}`, the row's own column.

    A row that is made is asked about with the value it will have, one that is deleted with the value it has, and one
    that is changed with both. Where the value is null, only system admins may.
    """

    type: str
    relation: str
    column: str


@dataclass(frozen=True, slots=True)
class OwnWrite:
    """Who may write a row: the user whose `sub` its column holds, and system admins. A new row gets its maker's."""

    column: str


@dataclass(frozen=True, slots=True)
class AdminWrite:
    """System admins may write the rows, nobody else."""


@dataclass(frozen=True, slots=True)
class WriteVia:
    """Who may write a row: who may write the row of `target` whose key its column holds, as `guard` has it."""

    column: str
    target: Table
    guard: WriteGuard | OwnWrite


WriteRule: TypeAlias = WriteGuard | OwnWrite | AdminWrite | WriteVia


class Unguarded(AxionError):
    """A table without a policy was to be read. A defect of the program, answered by reading nothing."""

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
