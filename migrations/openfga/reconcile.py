"""Reports drift between the databases' rows and OpenFGA's tuples, and repairs it."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from loaders.ledger import Ledger
from loaders.openfga import outbox
from loaders.openfga.client import MAX_TUPLES, OpenFga
from loaders.postgres.client import Postgres
from migrations.openfga import wanted
from migrations.openfga.drift import KINDS, Comparison, Drift, Kind

GEN = "axion_gen"


@dataclass(slots=True)
class Outcome:
    """`repaired` counts the found tuples that are correct now. `undelivered` counts outbox entries, which are pending
    changes; `refused` those of them that OpenFGA has refused.
    """

    found: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    repaired: int = 0
    undelivered: int = 0
    refused: int = 0

    @property
    def is_clean(self) -> bool:
        return sum(self.found.values()) == self.repaired and not self.refused


async def reconcile(
    databases: Mapping[str, Postgres],
    openfga: OpenFga,
    *,
    repair: Collection[Kind] = (),
    kinds: Collection[Kind] = KINDS,
    tell: Callable[[Drift], None] = lambda _: None,
) -> Outcome:
    """Compares what the `databases` (under their `_migrate` roles; `axion_gen` is one) say, and repairs those kinds.

    A repair is noted in the outbox, under the lock of its objects, and only for those that did not change since the
    comparison began: it cannot undo what somebody decides meanwhile. Raises `StoreError` and `PermissionsUnavailable`.
    """
    outcome, gen = Outcome(), databases[GEN]
    types = [type_ for store in databases for type_ in wanted.TYPES[store]]
    async with gen.transaction() as session:
        comparison = Comparison(session, types)
        await comparison.begin()
        await comparison.add_stored(openfga.read(ledger=Ledger()))
        for store, postgres in databases.items():
            async with postgres.transaction() as reading:
                await comparison.add_objects(wanted.objects(reading, store))
                await comparison.add_wanted(wanted.tuples(reading, store))
        await comparison.compare()
        began = (await session.execute(sa.select(sa.func.now()))).scalar_one()
        repairs = _Repairs(gen, openfga, sa.literal(began))
        async for batch in _batches(comparison.drift(), kinds):
            for each in batch:
                outcome.found[each.kind] += 1
                tell(each)
            outcome.repaired += await repairs.make([each for each in batch if each.kind in repair])
    left = await outbox.backlog(gen, ledger=Ledger())
    outcome.undelivered, outcome.refused = left.undelivered, left.refused
    return outcome


@dataclass(slots=True)
class _Repairs:
    """Repairs batches in the order of objects; the tuples of one object may be spread over several batches."""

    gen: Postgres
    openfga: OpenFga
    began: sa.ColumnElement[datetime]
    last: tuple[str, int] = ("", 0)
    """The object repaired last, and the last outbox entry of that repair, which is no change by somebody else."""

    async def make(self, drift: Sequence[Drift]) -> int:
        """How many of the tuples are correct now."""
        if not drift:
            return 0
        objects = {each.tuple.object for each in drift}
        async with self.gen.transaction() as session:
            await outbox.lock(session, objects)
            changed = {row.object: row.last for row in await session.execute(outbox.changed_since(self.began))}
            chosen = [each for each in drift if changed.get(each.tuple.object, 0) <= self._own(each.tuple.object)]
            await outbox.note(
                session,
                writes=[each.tuple for each in chosen if each.kind == "missing"],
                deletes=[each.tuple for each in chosen if each.kind != "missing"],
            )
            at = drift[-1].tuple.object
            after = {row.object: row.last for row in await session.execute(outbox.changed_since(self.began))}
            self.last = (at, after[at] if chosen and chosen[-1] is drift[-1] else 0)
        await outbox.settle(self.gen, self.openfga, objects, ledger=Ledger())
        waiting = await outbox.waiting(self.gen, objects, ledger=Ledger())
        return sum(each.tuple.object not in waiting for each in chosen)

    def _own(self, object_: str) -> int:
        last, note = self.last
        return note if object_ == last else 0


async def _batches(drift: AsyncIterator[Drift], kinds: Collection[Kind]) -> AsyncIterator[list[Drift]]:
    batch: list[Drift] = []
    async for each in drift:
        if each.kind in kinds:
            batch.append(each)
        if len(batch) == MAX_TUPLES:
            yield batch
            batch = []
    yield batch
