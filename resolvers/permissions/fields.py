"""Guards of fields that are no column: what has a resolver of its own says here who may use it.

`enforce` is the one place where they are asked, before the resolver runs (schema/mapping/install.py, mutation.py).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from resolvers.context import Context
from resolvers.permissions.guards import Admins, AdminWrite, Public, SignedIn, WriteRule


@dataclass(frozen=True, slots=True)
class ByRows:
    """All that the field answers has passed the guard station, row by row. `reason` says of what."""

    reason: str


@dataclass(frozen=True, slots=True)
class OnRow:
    """A mutation of who may change the row its input names: `require(context, input)` raises, and changes nothing."""

    require: Callable[[Context, Any], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Written:
    """A mutation whose rule is asked about the row as it is and as it will be, under its lock (resolvers/writes.py).

    What is for system admins is refused to others before a row is looked for.
    """

    rule: WriteRule


@dataclass(frozen=True, slots=True)
class OnObject:
    """A field for who has the relation on the object its parent is about; for others it is null, with `FORBIDDEN`."""

    relation: str
    named: Callable[[Any], str]
    """The name of the object in OpenFGA, of the parent."""


FieldGuard: TypeAlias = Public | ByRows | SignedIn | Admins | OnRow | OnObject | Written


async def enforce(guard: FieldGuard, context: Context, given: Any = None) -> None:
    """`given` is a mutation's input, or a field's parent. Raises `Unauthenticated`, `Forbidden` or `NotFound`."""
    match guard:
        case Public() | ByRows():
            pass
        case Admins() | Written(AdminWrite()):
            await context.verdicts.require_admin()
        case SignedIn() | Written():
            context.verdicts.require_subject()
        case OnObject(relation, named):
            await context.verdicts.require(relation, named(given))
        case OnRow(require):
            context.verdicts.require_subject()
            await require(context, given)
        case _:
            assert_never(guard)
