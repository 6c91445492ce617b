"""A read that was built once for all values of its slots, answered for each request under its caller's guard."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Final
from weakref import ref

from loaders.bounded_cache import BoundedCache
from loaders.failure import Failure
from loaders.fetch import fetch, fetch_prepared
from loaders.parameters import Slots, fill, split_rest
from loaders.prepared import Prepared, shared
from loaders.read import Col, Compare, Op, Read, Value, Words
from resolvers.answer import distinct_of, guard_in
from resolvers.context import Context
from resolvers.cost import price
from resolvers.embedding import embedded_values
from resolvers.permissions.apply import Restriction, apply
from resolvers.permissions.guards import Policies
from resolvers.permissions.narrow import asked, narrowed
from resolvers.permissions.over_fetch import everywhere
from resolvers.permissions.restrictions import any_unbounded, require_reader, restrictions
from resolvers.permissions.station import guards_of, kinds_of
from resolvers.permissions.verdicts import Verdicts
from resolvers.restriction_cache import CachedRestrictions, RestrictedRead, members_of

_KINDS_OF_CALLERS: Final = 8
_KEPT_IDS: Final = 200_000
"""Bound of what is cached of callers, in ids they may see (`CachedRestrictions.weight`): 100 bytes each."""


class PlannedRead:
    """`read` has slots and no guards yet. Raises `Unguarded` if it uses a table without a guard.

    Nothing but slots is in the cached statement, neither constants of the document nor ids that a subject may see. So
    equal reads of all documents, and subjects with the same kind of restriction, share a statement, but never values.
    """

    __slots__ = (
        "_asked",
        "_constants",
        "_guarded",
        "_guards",
        "_kinds",
        "_number",
        "_own",
        "_policies",
        "_slotted",
        "read",
    )

    def __init__(self, read: Read, policies: Policies, values: int) -> None:
        """`values`: how many it is run with, of which those of its slots are some."""
        self.read = read
        self._number = next(_numbers)
        self._slotted, self._constants = split_rest(read, values)
        self._policies = policies
        self._guards = guards_of(read, policies)
        self._own = list(self._guards).index(read.table)
        self._asked = asked(read)
        self._kinds = kinds_of(self._guards)
        self._guarded: BoundedCache[tuple[Restriction, ...], Prepared] = BoundedCache(_KINDS_OF_CALLERS)

    async def answer(self, values: Sequence[Value], context: Context) -> tuple[str | None, list[Failure]]:
        """As `resolvers.answer.answer`, with the values of the read's slots."""
        context.budget.spend(price(self.read, values))
        verdicts = context.verdicts
        cached = _cached.get((self._number, verdicts.subject.id))
        if cached is None or not cached.holds(verdicts):
            cached = None
            require_reader(self._guards, verdicts)
            if self._kinds and await any_unbounded(self._kinds, verdicts):
                read = await guard_in(fill(self.read, values), context, self._policies)
                return await fetch(read, stores=context.stores, ledger=context.ledger)
            found: Sequence[Restriction] = await restrictions(
                self._guards, verdicts=verdicts, candidates=everywhere(distinct_of(context))
            )
        else:
            found = cached.restrictions
        filling: Sequence[Value] = (*values, *self._constants)
        if any(isinstance(value, Words) for value in filling):
            filling = await embedded_values(filling, context.stores.embeddings)
        prepared = None if cached is None else cached.ready.prepared()
        slotted = None if cached is None else cached.ready.values_for(values)
        if prepared is None or slotted is None:
            stale = prepared is None
            prepared, ready, slotted = self._restricted(found, values, Slots(len(filling)))
            if stale or ready.members:
                self._keep(found, ready, cached, verdicts)
        return await fetch_prepared(prepared, (*filling, *slotted), stores=context.stores, ledger=context.ledger)

    def _restricted(
        self, found: Sequence[Restriction], values: Sequence[Value], slots: Slots
    ) -> tuple[Prepared, RestrictedRead, tuple[Value, ...]]:
        own = self._own
        each = list(found)
        each[own] = narrowed(found[own], self._asked, values)
        prepared = self._prepared(tuple(_split(restriction, slots) for restriction in each))
        slotted = tuple(slots.values)
        if each[own] is found[own]:
            return prepared, RestrictedRead(ref(prepared), slotted), slotted
        match found[own].rows, each[own].rows:
            case Compare(Col(column), _, tuple(ids)), Compare(_, _, sent) if self._asked[column][0] is Op.EQ:
                place = next(place for place, value in enumerate(slotted) if value is sent)
                ready = RestrictedRead(ref(prepared), slotted, members_of(ids), self._asked[column][1], place)
            case _:
                ready = RestrictedRead(ref(prepared), slotted, frozenset())
        return prepared, ready, slotted

    def _keep(
        self, found: Sequence[Restriction], ready: RestrictedRead, cached: CachedRestrictions | None, verdicts: Verdicts
    ) -> None:
        grounds = verdicts.grounds() if cached is None else cached.grounds
        if grounds is not None:
            made = CachedRestrictions(verdicts.subject, grounds, tuple(found), ready)
            _cached.keep((self._number, verdicts.subject.id), made, made.weight)

    def _prepared(self, shapes: tuple[Restriction, ...]) -> Prepared:
        prepared = self._guarded.get(shapes)
        if prepared is None:
            prepared = shared(apply(self._slotted, dict(zip(self._guards, shapes, strict=True))))
            self._guarded.keep(shapes, prepared)
        return prepared


_numbers: Final = count()
_cached: BoundedCache[tuple[int, str], CachedRestrictions] = BoundedCache(_KEPT_IDS)
"""Keyed by the number of the read and the caller."""


def _split(restriction: Restriction, slots: Slots) -> Restriction:
    """The restriction with slots for its values. Restrictions to the same ids share a slot."""
    rows = None if restriction.rows is None else slots.of_predicate(restriction.rows)
    masks = tuple(replace(mask, values=slots.of_ids(mask.values)) for mask in restriction.masks)
    return Restriction(rows, masks)
