"""A read built once for all values of its slots, answered for each request under its caller's guard."""

from collections.abc import Sequence
from dataclasses import replace

from loaders.bounded_cache import BoundedCache
from loaders.failure import Failure
from loaders.fetch import fetch, fetch_prepared
from loaders.parameters import Slots, fill, split_words
from loaders.prepared import Prepared
from loaders.read import Read, Value
from resolvers.answer import candidates_of, guard_in
from resolvers.context import Context
from resolvers.cost import price
from resolvers.embedding import embedded_values
from resolvers.permissions.apply import Restriction, apply
from resolvers.permissions.guards import Policies
from resolvers.permissions.narrow import asked, narrowed
from resolvers.permissions.pages import page_guard
from resolvers.permissions.station import guards_of, is_unbounded, restrictions

_KINDS_OF_CALLERS = 8


class PlannedRead:
    """`read` has slots and no guards yet. `Unguarded` when it touches a table that nothing guards.

    A guard's restriction is split like the read: of the ids a subject may see only the number of the slot is part of
    what is kept, so subjects who are restricted in the same way share a statement, and never values.
    """

    __slots__ = ("_asked", "_guarded", "_guards", "_paged", "_policies", "_slotted", "_texts", "read")

    def __init__(self, read: Read, policies: Policies, values: int) -> None:
        """`values`: how many it is run with, of which those of its slots are some."""
        self.read = read
        self._slotted, self._texts = split_words(read, values)
        self._policies = policies
        self._guards = guards_of(read, policies)
        self._asked = asked(read)
        self._paged = page_guard(read, self._guards[read.table])
        self._guarded: BoundedCache[tuple[Restriction, ...], Prepared] = BoundedCache(_KINDS_OF_CALLERS)

    async def answer(self, values: Sequence[Value], context: Context) -> tuple[str | None, list[Failure]]:
        """As `resolvers.answer.answer`, with the values of the read's slots."""
        context.budget.spend(price(self.read, values))
        if self._paged is not None and await is_unbounded(self._paged, context.verdicts):
            read = await guard_in(fill(self.read, values), context, self._policies)
            return await fetch(read, stores=context.stores, ledger=context.ledger)
        found = await restrictions(self._guards, verdicts=context.verdicts, candidates=candidates_of(context))
        filling = await embedded_values((*values, *self._texts), context.stores.embeddings)
        found = [
            narrowed(restriction, self._asked, values) if table is self.read.table else restriction
            for table, restriction in zip(self._guards, found, strict=True)
        ]
        slots = Slots(len(filling))
        prepared = self._prepared(tuple(_split(restriction, slots) for restriction in found))
        return await fetch_prepared(prepared, (*filling, *slots.values), stores=context.stores, ledger=context.ledger)

    def _prepared(self, shapes: tuple[Restriction, ...]) -> Prepared:
        prepared = self._guarded.get(shapes)
        if prepared is None:
            prepared = Prepared(apply(self._slotted, dict(zip(self._guards, shapes, strict=True))))
            self._guarded.keep(shapes, prepared)
        return prepared


def _split(restriction: Restriction, slots: Slots) -> Restriction:
    """The restriction with slots for its values. Restrictions to the same ids have the same slot."""
    rows = None if restriction.rows is None else slots.of_predicate(restriction.rows)
    masks = tuple(replace(mask, values=slots.of_ids(mask.values)) for mask in restriction.masks)
    return Restriction(rows, masks)
