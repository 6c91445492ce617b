"""One transaction over rows of Gen and the permission tuples that follow from them (docs/adr/0006)."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from loaders.audit.entry import Action
from loaders.openfga import names, outbox
from loaders.openfga.tuples import RelationTuple
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction, transaction
from loaders.tables.axion_gen.identity import Role
from loaders.tables.describe import describe
from resolvers.audit import audit
from resolvers.context import Context
from resolvers.gen.store import STORE
from resolvers.idempotency import MutationRequest, once

_ROLE = describe(Role, STORE)


@dataclass(frozen=True, slots=True)
class Granting:
    context: Context
    within: Transaction
    objects: set[str] = field(default_factory=set)
    """The objects whose tuples change, or were changed when the mutation was first executed."""

    async def note(self, *, writes: Sequence[RelationTuple] = (), deletes: Sequence[RelationTuple] = ()) -> None:
        """Records tuples to be written and deleted once the transaction has committed."""
        await self._audit(writes, deletes)
        with self.within.ledger.statement(STORE):
            self.objects.update(await outbox.note(self.within.session, writes=writes, deletes=deletes))

    async def _audit(self, writes: Sequence[RelationTuple], deletes: Sequence[RelationTuple]) -> None:
        facts: dict[str, dict[str, list[Mapping[str, object]]]] = defaultdict(lambda: {"writes": [], "deletes": []})
        for tuple_ in writes:
            facts[tuple_.object]["writes"].append(tuple_.to_json())
        for tuple_ in deletes:
            facts[tuple_.object]["deletes"].append(tuple_.key())
        for object_, changed in facts.items():
            await audit(self.context, self.within, Action.TUPLES_CHANGED, object_, changed)


@asynccontextmanager
async def granting(context: Context) -> AsyncIterator[Granting]:
    """The rows and tuples of the block are committed together, or not at all. Then the tuples are delivered.

    A failed delivery does not fail the block: the worker repeats it, and `pending` tells of it.
    """
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:
        change = Granting(context, within)
        yield change
    await outbox.settle(context.stores.postgres[STORE], context.stores.openfga, change.objects, ledger=context.ledger)
    context.verdicts.forget()


async def pending(context: Context, objects: Collection[str]) -> bool:
    """Whether changed permissions on these objects have not taken effect yet."""
    return bool(await outbox.waiting(context.stores.postgres[STORE], objects, ledger=context.ledger))


async def grant_role(context: Context, asked: MutationRequest, work: Callable[[Granting], Awaitable[int]]) -> int:
    """Runs `work` over a role, by a system admin, in one transaction and once per `Idempotency-Key`. Returns the id of
    the role. Raises `Unauthenticated`, `Forbidden`, and what `work` raises; nothing is changed then.
    """
    await context.verdicts.require_admin()
    async with granting(context) as change:

        async def key() -> Key:
            return (await work(change),)

        (role_id,) = await once(context, change.within, asked, about=_ROLE, work=key)
        assert isinstance(role_id, int)
        change.objects.add(names.role(role_id))  # also for a repeated mutation, so a retry delivers
    return role_id
