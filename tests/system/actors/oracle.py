"""Which rows someone sees, by brute force: the declared guard of every row, with a Check of every object it asks of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never

from loaders.description import Table
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import Check
from loaders.read import Join
from resolvers.permissions.guards import (
    Admins,
    AllOf,
    AnyOf,
    Own,
    Public,
    RowGuard,
    SignedIn,
    Through,
    Visible,
    Where,
    Whole,
)
from resolvers.permissions.verdicts import ADMIN
from resolvers.subject import Subject

Row: TypeAlias = Mapping[str, Any]
RowsOf: TypeAlias = Callable[[Table], list[Row]]


@dataclass
class Oracle:
    """`rows_of` gives all there is; `settle` asks until every question has its answer."""

    subject: Subject
    openfga: OpenFga
    rows_of: RowsOf
    known: dict[Check, bool] = field(default_factory=dict)
    _open: set[Check] = field(default_factory=set)

    async def visible(self, table: Table, guard: RowGuard, rows: list[Row]) -> list[Row]:
        while True:
            found = [row for row in rows if self._shows(guard, table, row)]
            if not self._open:
                return found
            answer = await self.openfga.batch_check(self.subject.id, self._open, ledger=Ledger())
            assert not answer.undecided
            self.known |= {check: check in answer.granted for check in self._open}
            self._open.clear()

    def joined(self, row: Row, join: Join) -> list[Row]:
        key = [row[name] for name in join.local]
        return [r for r in self.rows_of(join.target) if None not in key and [r[name] for name in join.remote] == key]

    def _check(self, check: Check) -> bool:
        if check not in self.known:
            self._open.add(check)
            return False
        return self.known[check]

    def _shows(self, guard: RowGuard, table: Table, row: Row) -> bool:
        match guard:
            case Public() | SignedIn():
                return True
            case Admins():
                return self._check(ADMIN)
            case Where(column, value):
                return bool(row[column] == value)
            case Through(join, inner):
                found = any(self._shows(inner, join.target, each) for each in self.joined(row, join))
                return found or self._shows_all(inner)
            case AnyOf(guards):
                return any(self._shows(each, table, row) for each in guards)
            case AllOf(guards):
                return all(self._shows(each, table, row) for each in guards)
            case Own(column, attribute, personal):
                mine = self.subject.id if attribute == "id" else self.subject.user_id
                return row[column] == mine or (not personal and self._check(ADMIN))
            case Visible(type_, relation, column, via):
                at = [row]
                for join in via:
                    at = [each for one in at for each in self.joined(one, join)]
                objects = [names.object_name(type_, each[column]) for each in at if each[column] is not None]
                return any(self._check(Check(relation, each)) for each in objects) or self._check(ADMIN)
            case Whole(relation, object_, parent):
                return self._check(Check(relation, object_, parent)) or self._check(ADMIN)
            case _:
                assert_never(guard)

    def _shows_all(self, guard: RowGuard) -> bool:
        match guard:
            case Public() | SignedIn():
                return True
            case Own(personal=True) | Where():
                return False
            case Through(_, inner):
                return self._shows_all(inner)
            case AnyOf(guards):
                return any(self._shows_all(each) for each in guards)
            case AllOf(guards):
                return all(self._shows_all(each) for each in guards)
            case _:
                return self._check(ADMIN)
