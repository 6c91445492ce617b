"""Gen's mutations of one row, done once under an `Idempotency-Key`."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from loaders.errors import NotFound
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction
from loaders.tables.axion_gen.catalog import Dataset, DataSource
from loaders.tables.describe import describe
from resolvers.context import Context
from resolvers.gen.store import STORE
from resolvers.idempotency import Asked, once

R = TypeVar("R", DataSource, Dataset)


async def row_once(
    context: Context, within: Transaction, asked: Asked | None, model: type[R], work: Callable[[], Awaitable[R]]
) -> R:
    """The row `work` makes or changes; as it stands now, when that was done before under the request's key.

    Raises what `once` raises, and `NotFound` when the row is gone since. Without `asked` nothing is remembered.
    """
    if asked is None:
        return await work()
    done: list[R] = []

    async def keyed() -> Key:
        done.append(await work())
        return (done[0].id,)

    (key,) = await once(context, within, asked, about=describe(model, STORE), work=keyed)
    row = done[0] if done else await within.session.get(model, key)
    if row is None:
        raise NotFound("This was done before under its `Idempotency-Key`, and what it was about is gone since.")
    return row
