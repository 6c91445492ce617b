"""Gen's mutations of one row, executed once per `Idempotency-Key`."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from loaders.errors import NotFound
from loaders.gen.catalog import Registered
from loaders.postgres.stored_table import Key, StoredTable
from loaders.postgres.write import Transaction
from resolvers.context import Context
from resolvers.idempotency import MutationRequest, once


async def row_once(
    context: Context,
    within: Transaction,
    asked: MutationRequest | None,
    of: StoredTable,
    work: Callable[[], Awaitable[Registered]],
    *,
    find: Callable[[Transaction, UUID], Awaitable[Registered | None]],
) -> Registered:
    """The row that `work` creates or changes. When that was done before under the request's key, what `find` returns
    for it.

    Raises what `once` raises, and `NotFound` when the row no longer exists. Without `asked` nothing is remembered.
    """
    done: list[Registered] = []

    async def keyed() -> Key:
        done.append(await work())
        return (done[0].id,)

    (key,) = await once(context, within, asked, about=of.table, work=keyed)
    assert isinstance(key, UUID)
    row = done[0] if done else await find(within, key)
    if row is None:
        raise NotFound("This was done before under its `Idempotency-Key`, and what it was about is gone since.")
    return row
