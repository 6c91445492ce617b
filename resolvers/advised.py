"""Runs `Target.check` before a write's transaction begins."""

from collections.abc import Awaitable, Callable, Mapping

from loaders.postgres.write import Transaction, transaction
from loaders.read import Value
from resolvers.context import Context
from resolvers.idempotency import MutationRequest, done_before
from resolvers.target import Target


async def advise(
    context: Context,
    target: Target,
    asked: MutationRequest,
    values: Callable[[Transaction], Awaitable[Mapping[str, Value]]],
) -> None:
    """Raises what `target.check` raises for the result of `values`, which raises for callers who may not write them.

    A check may ask a store that hangs, and a transaction occupies one of few connections, so none is open meanwhile.
    The write therefore has to ask again what `values` asked. A write that was already done under its key is not
    checked.
    """
    if target.check is None:
        return
    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:
        if await done_before(context, within, asked, about=target.table) is not None:
            return
        checked = await values(within)
    await target.check(context, checked)
