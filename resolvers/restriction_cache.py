"""Caches restrictions of a caller: they are used again as long as every verdict they were made of is unchanged.

A restriction is a function of the caller and of verdicts. These verdicts are looked up again for every request, in
memory; only what is made of them is cached here. The restricted read that results belongs to the plan: it is referenced
weakly, so that what is known of callers keeps no plan alive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from weakref import ReferenceType

from loaders.prepared import Prepared
from loaders.read import Slot, Value
from resolvers.permissions.apply import Restriction
from resolvers.permissions.verdicts import Grounds, Verdicts
from resolvers.subject import Subject


@dataclass(frozen=True, slots=True)
class RestrictedRead:
    """A restricted read while its plan is cached, and the values of its slots.

    With `members` None it holds for any values. Otherwise it holds if the object that the read asks for (`asked`),
    whose value is at position `place`, is one of the visible `members`; for other objects the read has to be restricted
    again.
    """

    prepared: ReferenceType[Prepared]
    values: tuple[Value, ...]
    members: frozenset[Value] | None = None
    asked: Value | Slot = None
    place: int = 0

    def values_for(self, values: Sequence[Value]) -> tuple[Value, ...] | None:
        if self.members is None:
            return self.values
        value = values[self.asked.index] if isinstance(self.asked, Slot) else self.asked
        if value not in self.members or type(value) is not type(next(iter(self.members))):  # 1 == 1.0 == True
            return None
        return (*self.values[: self.place], (value,), *self.values[self.place + 1 :])


@dataclass(frozen=True, slots=True)
class CachedRestrictions:
    subject: Subject
    grounds: Grounds
    restrictions: tuple[Restriction, ...]
    ready: RestrictedRead

    def holds(self, verdicts: Verdicts) -> bool:
        """Whether this is valid for the caller now. Only reads memory."""
        subject = verdicts.subject
        return (self.subject is subject or self.subject == subject) and verdicts.still(self.grounds)

    @property
    def weight(self) -> int:
        return 8 + sum(len(only.ids) for _, only in self.grounds.lists)


@lru_cache(maxsize=64)
def members_of(ids: tuple[Value, ...]) -> frozenset[Value]:
    """Shared by all reads of those who see the same."""
    return frozenset(ids)
