"""Idempotency: a mutation that is retried with the same `Idempotency-Key` is done once and returns its first answer."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from loaders.description import Table
from loaders.encode.number import Exact
from loaders.encode.value import decode_value, encode_value
from loaders.errors import BadInput, Conflict
from loaders.idempotency_keys import Done, Noted, claim, find_done, finish, remove_expired
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction
from resolvers.context import Context

KEPT = timedelta(hours=24)
_MAX_LENGTH = 255


class KeyReused(Conflict):
    """The key was used with another input."""


@dataclass(frozen=True, slots=True)
class MutationRequest:
    """A mutation as it was asked for: its name, its name or alias in the document, and its input."""

    mutation: str
    response_key: str
    input: object = field(repr=False)

    @property
    def message(self) -> bytes:
        """The input, equal for equal inputs. It may hold passwords: only its fingerprint is kept."""
        return json.dumps(_distinct(self.input), sort_keys=True, default=_text).encode()


async def once(
    context: Context,
    within: Transaction,
    asked: MutationRequest | None,
    *,
    about: Table,
    work: Callable[[], Awaitable[Key]],
) -> Key:
    """The key of the row that `work` is about. What was done before under this key is not done again: see
    `once_told`.
    """

    key = await once_if_any(context, within, asked, about=about, work=work)
    assert key is not None
    return key


async def once_if_any(
    context: Context,
    within: Transaction,
    asked: MutationRequest | None,
    *,
    about: Table,
    work: Callable[[], Awaitable[Key | None]],
) -> Key | None:
    """As `once`, for work that may find no row."""

    async def told() -> list[str]:
        key = await work()
        return [] if key is None else _encoded(key, about)

    texts = await once_told(context, within, asked, told)
    return _decoded(texts, about) if texts else None


async def once_told(
    context: Context, within: Transaction, asked: MutationRequest | None, work: Callable[[], Awaitable[list[str]]]
) -> list[str]:
    """What `work` tells of the row it is about. It is stored as it is, so it must be no secret. Without `asked`, or
    without a key, nothing is remembered.

    The note is written in the transaction of the change, so there is never one without the other: a failure, or a
    process that dies, leaves neither, and a retry does the work. Of two at once the second waits for the first. Another
    input under the same key is a `Conflict`. After `KEPT` a key is forgotten.
    """
    if context.idempotency_key is None or asked is None:
        return await work()
    noted = _noted(context.subject.id, context.idempotency_key, asked)
    done = await claim(within, noted, context.stores.keyring.fingerprint(asked.message), kept=KEPT)
    if done is not None:
        return _of_same_input(context, asked, done)
    await remove_expired(within, kept=KEPT)
    texts = await work()
    await finish(within, noted, texts)
    return texts


async def done_before(
    context: Context, within: Transaction, asked: MutationRequest | None, *, about: Table
) -> Key | None:
    """What `once` returns, or raises, without doing it; None if it is still to be done. Does not wait."""
    if context.idempotency_key is None or asked is None:
        return None
    noted = _noted(context.subject.id, context.idempotency_key, asked)
    done = await find_done(within, noted, kept=KEPT)
    return None if done is None else _decoded(_of_same_input(context, asked, done), about)


def _of_same_input(context: Context, asked: MutationRequest, done: Done) -> list[str]:
    if not context.stores.keyring.is_of(done.input_sha256, asked.message):
        raise KeyReused("This `Idempotency-Key` was used for another input already. Send a new key.")
    return done.row_key


def _noted(subject: str, given: str, asked: MutationRequest) -> Noted:
    if not 1 <= len(given) <= _MAX_LENGTH or not (given.isascii() and given.isprintable()):
        raise BadInput(f"`Idempotency-Key` must have 1 to {_MAX_LENGTH} printable ASCII characters.")
    return Noted(subject, given, asked.mutation, asked.response_key)


def _encoded(key: Key, table: Table) -> list[str]:
    return [encode_value(value, table.column(name).type) for name, value in zip(table.key, key, strict=True)]


def _decoded(texts: list[str], table: Table) -> Key:
    return tuple(decode_value(text, table.column(name).type) for name, text in zip(table.key, texts, strict=True))


def _distinct(value: object) -> object:
    """With numbers that no double is as their texts: `json` would write the doubles next to them."""
    match value:
        case Exact():
            return {"number": value.text}
        case dict():
            return {name: _distinct(below) for name, below in value.items()}
        case list():
            return [_distinct(item) for item in value]
        case _:
            return value


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
