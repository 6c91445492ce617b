"""What a subject may see of each table of a read: asks for the verdicts that the guards need and makes predicates and
masks of them.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeAlias, assert_never

from loaders.concurrently import concurrently
from loaders.description import Table
from loaders.read import Col, Compare, Exists, Join, Never, Op, Or, Predicate, conjunction
from resolvers.permissions.apply import Restriction
from resolvers.permissions.guards import (
    Admins,
    AllOf,
    AnyOf,
    Guard,
    Own,
    Public,
    Relation,
    RowGuard,
    SignedIn,
    Through,
    Visible,
    Where,
    Whole,
    WithFields,
)
from resolvers.permissions.restrict import by_owner, by_visibility, masks
from resolvers.permissions.scopes import require_scope_to_read
from resolvers.permissions.verdicts import Everything, Only, Unbounded, Verdicts

Candidates: TypeAlias = Callable[[Table, tuple[Join, ...], str], Awaitable[Collection[object]]]
"""The distinct values, including null, of a guarded table's column behind the joins. Needed for subjects who may see
too many objects to list.
"""


async def restrictions(
    guards: Mapping[Table, Guard], *, verdicts: Verdicts, candidates: Candidates
) -> list[Restriction]:
    """What the subject may see of each table. Raises as `resolvers.permissions.station.guard` does."""
    require_reader(guards, verdicts)
    asked = [_restriction(table, each, verdicts, candidates) for table, each in guards.items()]
    return [await asked[0]] if len(asked) == 1 else await concurrently(asked)  # one needs no task of its own


def require_reader(guards: Mapping[Table, Guard], verdicts: Verdicts) -> None:
    """`Unauthenticated` without a subject, `Forbidden` for an API key without the scope. Asks nobody."""
    guarded = {table.store for table, each in guards.items() if not isinstance(each, Public)}
    if guarded:
        verdicts.require_subject()
        require_scope_to_read(verdicts.subject, guarded)


async def any_unbounded(kinds: Collection[tuple[str, str]], verdicts: Verdicts) -> bool:
    """Whether the subject sees too many objects to list of one of the types, each given with its relation."""
    if len(kinds) == 1:
        (kind,) = kinds
        return isinstance(await verdicts.visible(*kind), Unbounded)
    seen = await concurrently(verdicts.visible(*kind) for kind in kinds)
    return any(isinstance(each, Unbounded) for each in seen)


async def checked(table: Table, guard: Visible, verdicts: Verdicts, candidates: Candidates) -> Only:
    """The objects that the subject may see among the candidates of the table."""
    ids = await candidates(table, guard.via, guard.column)
    return Only(await verdicts.filter(guard.type, guard.relation, (id_ for id_ in ids if id_ is not None)))


async def _restriction(table: Table, guard: Guard, verdicts: Verdicts, candidates: Candidates) -> Restriction:
    if not isinstance(guard, WithFields):
        return Restriction(await _rows(table, (), guard, verdicts, candidates))
    rows, fields = await concurrently(
        (_restriction(table, guard.rows, verdicts, candidates), _masked(table, guard.fields, verdicts, candidates))
    )
    return Restriction(rows.rows, fields.masks)


async def _masked(
    table: Table, fields: tuple[tuple[str, Relation], ...], verdicts: Verdicts, candidates: Candidates
) -> Restriction:
    distinct = tuple(dict.fromkeys(relation for _, relation in fields))
    seen = await concurrently(
        _visibility(table, Visible(each.type, each.relation, each.column), verdicts, candidates) for each in distinct
    )
    return Restriction(masks=masks(fields, table, dict(zip(distinct, seen, strict=True))))


async def _rows(
    table: Table, way: tuple[Join, ...], row_guard: RowGuard, verdicts: Verdicts, candidates: Candidates
) -> Predicate | None:
    """The condition for the rows behind `way`, as a predicate over them."""
    match row_guard:
        case Public() | SignedIn():
            return None
        case Admins():
            return None if await verdicts.is_admin() else Never()
        case Where(column, value):
            return Compare(Col(column), Op.EQ, value) if value is not None else Compare(Col(column), Op.IS_NULL, True)
        case Through(join, inner):
            shown = await _rows(table, (*way, join), inner, verdicts, candidates)
            return shown if shown is None or isinstance(shown, Never) else Exists(join, shown)
        case AnyOf(guards):
            return _any(await concurrently(_rows(table, way, each, verdicts, candidates) for each in guards))
        case AllOf(guards):
            return _all(await concurrently(_rows(table, way, each, verdicts, candidates) for each in guards))
        case Whole(relation, object_, parent):
            return None if await verdicts.check(relation, object_, parent=parent) else Never()
        case Own():
            everything = not row_guard.personal and await verdicts.is_admin()
            return None if everything else by_owner(row_guard, _behind(table, way), verdicts.subject)
        case Visible():
            asked = Visible(row_guard.type, row_guard.relation, row_guard.column, (*way, *row_guard.via))
            return by_visibility(row_guard, _behind(table, way), await _visibility(table, asked, verdicts, candidates))
        case _:
            assert_never(row_guard)


def _behind(table: Table, way: tuple[Join, ...]) -> Table:
    return way[-1].target if way else table


def _any(predicates: list[Predicate | None]) -> Predicate | None:
    terms = [term for term in predicates if term is not None and not isinstance(term, Never)]
    if None in predicates:
        return None
    return Or(tuple(terms)) if len(terms) > 1 else terms[0] if terms else Never()


def _all(predicates: list[Predicate | None]) -> Predicate | None:
    return Never() if any(isinstance(term, Never) for term in predicates) else conjunction(predicates)


async def _visibility(table: Table, guard: Visible, verdicts: Verdicts, candidates: Candidates) -> Everything | Only:
    visibility = await verdicts.visible(guard.type, guard.relation)
    if not isinstance(visibility, Unbounded):
        return visibility
    return await checked(table, guard, verdicts, candidates)
