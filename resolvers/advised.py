"""What `Target.check` says of a write, before the write's transaction begins."""

from collections.abc import Awaitable, Callable, Mapping

from loaders.postgres.write import Transaction, transaction
from loaders.read import Value
from resolvers.context import Context
from resolvers.idempotency import Asked, done_before
from resolvers.target import Target


async def advise(
    context: Context,
    target: Target,
    asked: Asked,
    values: Callable[[Transaction], Awaitable[Mapping[str, Value]]],
) -> None:
    """Raises what `target.check` raises of what `values` returns, which raises for who may not write them.

    A check may ask a store that hangs, and a transaction holds one of few connections: none is open meanwhile. So the
    write has to ask once more what `values` asked. Nothing is checked of what was done before under its key.
    """
    if target.check is None:
        return
    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:
        if await done_before(context, within, asked, about=target.table) is not None:
            return
        checked = await values(within)
    await target.check(context, checked)
