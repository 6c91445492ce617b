"""The guard station: nothing reaches a store that has not passed here."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeAlias, assert_never

from loaders.concurrently import concurrently
from loaders.description import Table
from loaders.errors import CostExceeded
from loaders.read import And, Col, Compare, Exists, Never, Op, Or, Predicate, Read
from resolvers.permissions.apply import Restriction, apply, touched
from resolvers.permissions.guards import (
    Admins,
    AllOf,
    AnyOf,
    Guard,
    Own,
    Policies,
    Public,
    Relation,
    RowGuard,
    SignedIn,
    Through,
    Visible,
    Where,
    Whole,
    WithFields,
    guard_of,
)
from resolvers.permissions.pages import Filled, Rows, counts, filled, page_guard, shown
from resolvers.permissions.restrict import by_owner, by_visibility, masks
from resolvers.permissions.scopes import require_scope_to_read
from resolvers.permissions.verdicts import Everything, Only, Unbounded, Verdicts

Candidates: TypeAlias = Callable[[Table, str], Awaitable[Collection[object]]]
"""The distinct values of a column, for a subject who sees too many objects to list. Nulls may be among them."""


async def guard(
    read: Read, policies: Policies, *, verdicts: Verdicts, candidates: Candidates, rows: Rows | None = None
) -> Read:
    """The read over what the subject may see, at every level. OpenFGA is asked concurrently, never per row.

    A hidden row is an absent row. `Unauthenticated` when a guarded table is read without a subject, `Unguarded` for a
    table without a policy, `PermissionsUnavailable` without a verdict; nothing is read then.
    """
    guards = guards_of(read, policies)
    paged = page_guard(read, guards[read.table])
    if rows is not None and paged is not None and await is_unbounded(paged, verdicts):
        return await _page(read, guards, paged, verdicts, candidates, rows)
    found = await restrictions(guards, verdicts=verdicts, candidates=candidates)
    return apply(read, dict(zip(guards, found, strict=True)))


async def is_unbounded(guard: Visible, verdicts: Verdicts) -> bool:
    """Whether the subject sees too many objects to list."""
    return isinstance(await verdicts.visible(guard.type, guard.relation), Unbounded)


async def _page(
    read: Read, guards: Mapping[Table, Guard], paged: Visible, verdicts: Verdicts, candidates: Candidates, rows: Rows
) -> Read:
    """A page is filled by reading ahead. A count needs all candidates; where they are too many it is null."""
    own = guards[read.table]
    unguarded = replace(own, rows=_FILLED) if isinstance(own, WithFields) else _FILLED
    others = {**guards, read.table: unguarded}
    found = dict(zip(others, await restrictions(others, verdicts=verdicts, candidates=candidates), strict=True))
    page: Filled | None = None
    counted = False
    if counts(read):
        try:
            page = Filled(await _checked(paged, read.table, verdicts, candidates), more=False)
            counted = True
        except CostExceeded:
            counted = False
    if page is None:
        page = await filled(apply(read, found), paged, verdicts=verdicts, rows=rows)
    if page is None:
        page = Filled(await _checked(paged, read.table, verdicts, candidates), more=False)
    own_rows = by_visibility(paged, read.table, page.seen)
    restricted = {**found, read.table: replace(found[read.table], rows=own_rows)}
    return apply(shown(read, page, counted=counted), restricted)


_FILLED = SignedIn("the rows of the page are checked one by one")


async def _checked(guard: Visible, table: Table, verdicts: Verdicts, candidates: Candidates) -> Only:
    ids = await candidates(guard.holder(table), guard.column)
    return Only(await verdicts.filter(guard.type, guard.relation, (id_ for id_ in ids if id_ is not None)))


def guards_of(read: Read, policies: Policies) -> dict[Table, Guard]:
    """The guard of every table the read touches, with those of the fields it touches. `Unguarded` without one."""
    return {table: _of(guard_of(policies, table), columns) for table, columns in touched(read).items()}


def _of(guard: Guard, columns: Collection[str]) -> Guard:
    if not isinstance(guard, WithFields):
        return guard
    fields = tuple(field for field in guard.fields if field[0] in columns)
    return replace(guard, fields=fields) if fields else guard.rows


async def restrictions(
    guards: Mapping[Table, Guard], *, verdicts: Verdicts, candidates: Candidates
) -> list[Restriction]:
    """What the subject may see of each table. Raises as `guard` does."""
    if any(not isinstance(each, Public) for each in guards.values()):
        verdicts.require_subject()
        guarded = {table.store for table, each in guards.items() if not isinstance(each, Public)}
        require_scope_to_read(verdicts.subject, guarded)
    asked = [_restriction(table, each, verdicts, candidates) for table, each in guards.items()]
    return [await asked[0]] if len(asked) == 1 else await concurrently(asked)  # one needs no task of its own


async def _restriction(table: Table, guard: Guard, verdicts: Verdicts, candidates: Candidates) -> Restriction:
    if not isinstance(guard, WithFields):
        return Restriction(await _rows(table, guard, verdicts, candidates))
    rows, fields = await concurrently(
        (_restriction(table, guard.rows, verdicts, candidates), _masked(table, guard.fields, verdicts, candidates))
    )
    return Restriction(rows.rows, fields.masks)


async def _masked(
    table: Table, fields: tuple[tuple[str, Relation], ...], verdicts: Verdicts, candidates: Candidates
) -> Restriction:
    distinct = tuple(dict.fromkeys(relation for _, relation in fields))
    seen = await concurrently(
        _visibility(each.type, each.relation, table, each.column, verdicts, candidates) for each in distinct
    )
    return Restriction(masks=masks(fields, table, dict(zip(distinct, seen, strict=True))))


async def _rows(table: Table, row_guard: RowGuard, verdicts: Verdicts, candidates: Candidates) -> Predicate | None:
    match row_guard:
        case Public() | SignedIn():
            return None
        case Admins():
            return None if await verdicts.is_admin() else Never()
        case Where(column, value):
            return Compare(Col(column), Op.EQ, value) if value is not None else Compare(Col(column), Op.IS_NULL, True)
        case Through(join, inner):
            shown = await _rows(join.target, inner, verdicts, candidates)
            return shown if shown is None or isinstance(shown, Never) else Exists(join, shown)
        case AnyOf(guards):
            return _any(await concurrently(_rows(table, each, verdicts, candidates) for each in guards))
        case AllOf(guards):
            return _all(await concurrently(_rows(table, each, verdicts, candidates) for each in guards))
        case Whole(relation, object_, parent):
            return None if await verdicts.check(relation, object_, parent=parent) else Never()
        case Own():
            everything = not row_guard.personal and await verdicts.is_admin()
            return None if everything else by_owner(row_guard, table, verdicts.subject)
        case Visible(type_, relation, column):
            holder = row_guard.holder(table)
            return by_visibility(
                row_guard, table, await _visibility(type_, relation, holder, column, verdicts, candidates)
            )
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


async def _visibility(
    type_: str, relation: str, table: Table, column: str, verdicts: Verdicts, candidates: Candidates
) -> Everything | Only:
    visibility = await verdicts.visible(type_, relation)
    if not isinstance(visibility, Unbounded):
        return visibility
    ids = await candidates(table, column)
    return Only(await verdicts.filter(type_, relation, (id_ for id_ in ids if id_ is not None)))
