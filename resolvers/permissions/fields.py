"""Guards of fields with a resolver of their own: mutations, subscriptions and computed fields.

They are asked in one place, `enforce`, before the resolver runs (schema/mapping/install.py, mutation.py).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from resolvers.context import Context
from resolvers.permissions.guards import Admins, AdminWrite, Public, SignedIn, WriteRule


@dataclass(frozen=True, slots=True)
class ByRows:
    """The guards of rows have been applied to everything the field answers. `reason` says how."""

    reason: str


@dataclass(frozen=True, slots=True)
class OnRow:
    """For mutations that are for those who may change the row named by the input: `require(context, input)` raises, and
    changes nothing.
    """

    require: Callable[[Context, Any], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Written:
    """For mutations whose rule is asked about the row before and after the change, under its lock
    (resolvers/writes.py).

    If the rule is for system admins, others are refused before a row is looked for.
    """

    rule: WriteRule


@dataclass(frozen=True, slots=True)
class OnObject:
    """For fields that require the relation on their parent's object; for other callers the field is null, with
    `FORBIDDEN`.
    """

    relation: str
    named: Callable[[Any], str]
    """The name of the object in OpenFGA, of the parent."""


FieldGuard: TypeAlias = Public | ByRows | SignedIn | Admins | OnRow | OnObject | Written


async def enforce(guard: FieldGuard, context: Context, given: Any = None) -> None:
    """`given` is the input of a mutation, or the parent of a field. Raises `Unauthenticated`, `Forbidden` or
    `NotFound`.
    """
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
