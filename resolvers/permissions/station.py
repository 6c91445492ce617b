"""The guard station: every read passes it before it reaches a store."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from loaders.description import Table
from loaders.read import Read
from resolvers.permissions.apply import apply, touched
from resolvers.permissions.guards import Guard, Policies, WithFields, asked_of, guard_of
from resolvers.permissions.over_fetch import everywhere, over_fetched
from resolvers.permissions.reached import Distinct, Rows
from resolvers.permissions.restrictions import any_unbounded, require_reader, restrictions
from resolvers.permissions.verdicts import Verdicts


async def guard(
    read: Read,
    policies: Policies,
    *,
    verdicts: Verdicts,
    distinct: Distinct,
    rows: Rows | None = None,
    at_most: int | None = None,
) -> Read:
    """The read, restricted at every level to what the subject may see. OpenFGA is asked concurrently, and never per
    row.

    Hidden rows become absent rows. Raises `Unauthenticated` if a guarded table is read without a subject, `Unguarded`
    for a table without a guard, and `PermissionsUnavailable` without a verdict; nothing is read then. `at_most` is the
    number of rows there can be, if that is known and no page bounds it.
    """
    guards = guards_of(read, policies)
    require_reader(guards, verdicts)
    if rows is not None and await any_unbounded(kinds_of(guards), verdicts):
        return await over_fetched(read, guards, verdicts=verdicts, distinct=distinct, rows=rows, at_most=at_most)
    found = await restrictions(guards, verdicts=verdicts, candidates=everywhere(distinct))
    return apply(read, dict(zip(guards, found, strict=True)))


def guards_of(read: Read, policies: Policies) -> dict[Table, Guard]:
    """The guard of every table that the read uses, with those of its columns. Raises `Unguarded` for a table without
    one.
    """
    return {table: _of(guard_of(policies, table), columns) for table, columns in touched(read).items()}


def _of(guard: Guard, columns: Collection[str]) -> Guard:
    if not isinstance(guard, WithFields):
        return guard
    fields = tuple(field for field in guard.fields if field[0] in columns)
    return replace(guard, fields=fields) if fields else guard.rows


def kinds_of(guards: Mapping[Table, Guard]) -> tuple[tuple[str, str], ...]:
    """The types, each with the relation, whose visible objects are needed; each once."""
    return tuple(dict.fromkeys(kind for each in guards.values() for kind in asked_of(each)))
