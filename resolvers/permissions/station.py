"""The guard station: nothing reaches a store that has not passed here."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeAlias, assert_never

from loaders.concurrently import concurrently
from loaders.description import Table
from loaders.read import And, Col, Compare, Exists, Never, Op, Or, Predicate, Read
from resolvers.permissions.apply import apply, tables_of
from resolvers.permissions.guards import (
    Admins,
    AllOf,
    AnyOf,
    Own,
    Policies,
    Public,
    RowGuard,
    SignedIn,
    Through,
    Visible,
    Where,
    Whole,
    guard_of,
)
from resolvers.permissions.restrict import by_owner, by_visibility
from resolvers.permissions.scopes import require_scope_to_read
from resolvers.permissions.verdicts import Only, Unbounded, Verdicts

Candidates: TypeAlias = Callable[[Table, str], Awaitable[Collection[object]]]
"""The distinct values of a column, for a subject who sees too many objects to list. Nulls may be among them."""


async def guard(read: Read, policies: Policies, *, verdicts: Verdicts, candidates: Candidates) -> Read:
    """The read over the rows the subject may see, at every level. OpenFGA is asked concurrently, never per row.

    A hidden row is an absent row. `Unauthenticated` when a guarded table is read without a subject, `Unguarded` for a
    table without a policy, `PermissionsUnavailable` without a verdict; nothing is read then.
    """
    guards = guards_of(read, policies)
    predicates = await restrictions(guards, verdicts=verdicts, candidates=candidates)
    return apply(read, dict(zip(guards, predicates, strict=True)))


def guards_of(read: Read, policies: Policies) -> dict[Table, RowGuard]:
    """The guard of every table the read touches. `Unguarded` for a table without one."""
    return {table: guard_of(policies, table) for table in tables_of(read)}


async def restrictions(
    guards: Mapping[Table, RowGuard], *, verdicts: Verdicts, candidates: Candidates
) -> list[Predicate | None]:
    """What the subject may see of each table, as a predicate (`apply.Restrictions`). Raises as `guard` does."""
    if any(not isinstance(row_guard, Public) for row_guard in guards.values()):
        verdicts.require_subject()
        guarded = {table.store for table, row_guard in guards.items() if not isinstance(row_guard, Public)}
        require_scope_to_read(verdicts.subject, guarded)
    asked = [_restriction(table, row_guard, verdicts, candidates) for table, row_guard in guards.items()]
    return [await asked[0]] if len(asked) == 1 else await concurrently(asked)  # one needs no task of its own


async def _restriction(
    table: Table, row_guard: RowGuard, verdicts: Verdicts, candidates: Candidates
) -> Predicate | None:
    match row_guard:
        case Public() | SignedIn():
            return None
        case Admins():
            return None if await verdicts.is_admin() else Never()
        case Where(column, value):
            return Compare(Col(column), Op.EQ, value) if value is not None else Compare(Col(column), Op.IS_NULL, True)
        case Through(join, inner):
            shown = await _restriction(join.target, inner, verdicts, candidates)
            return shown if shown is None or isinstance(shown, Never) else Exists(join, shown)
        case AnyOf(guards):
            return _any(await concurrently(_restriction(table, each, verdicts, candidates) for each in guards))
        case AllOf(guards):
            return _all(await concurrently(_restriction(table, each, verdicts, candidates) for each in guards))
        case Whole(relation, object_, parent):
            return None if await verdicts.check(relation, object_, parent=parent) else Never()
        case Own():
            everything = not row_guard.personal and await verdicts.is_admin()
            return None if everything else by_owner(row_guard, table, verdicts.subject)
        case Visible(type_, relation, column):
            visibility = await verdicts.visible(type_, relation)
            if isinstance(visibility, Unbounded):
                ids = await candidates(row_guard.holder(table), column)
                seen = await verdicts.filter(type_, relation, (id_ for id_ in ids if id_ is not None))
                visibility = Only(seen)
            return by_visibility(row_guard, table, visibility)
        case _:
            assert_never(row_guard)


def _any(predicates: list[Predicate | None]) -> Predicate | None:
    terms = [term for term in predicates if term is not None and not isinstance(term, Never)]
    if None in predicates:
        return None
    return Or(tuple(terms)) if len(terms) > 1 else terms[0] if terms else Never()


def _all(predicates: list[Predicate | None]) -> Predicate | None:
    terms = [term for term in predicates if term is not None]
    if any(isinstance(term, Never) for term in terms):
        return Never()
    return And(tuple(terms)) if len(terms) > 1 else terms[0] if terms else None
