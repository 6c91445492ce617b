"""A mutation retried under the same `Idempotency-Key` is done once and returns its first answer."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from loaders.description import Table
from loaders.encode.number import Exact
from loaders.encode.value import decode_value, encode_value
from loaders.errors import BadInput, Conflict
from loaders.idempotency_keys import Noted, claim, finish, is_claimed, remove_expired
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction
from resolvers.context import Context

KEPT = timedelta(hours=24)
_MAX_LENGTH = 255


class KeyReused(Conflict):
    """The key was used for another input."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: the mutation by its name, under its name or alias in the document, and its input."""

    mutation: str
    response_key: str
    input: object = field(repr=False)

    @property
    def message(self) -> bytes:
        """The input, equal for equal inputs. It may hold passwords: only its fingerprint is kept."""
        return json.dumps(_distinct(self.input), sort_keys=True, default=_text).encode()


async def once(
    context: Context, within: Transaction, asked: Asked, *, about: Table, work: Callable[[], Awaitable[Key]]
) -> Key:
    """The key of the row `work` is about. Done before under this key, it is not done again.

    The note is written in the transaction of the change, so there is never one without the other: a failure, or a
    process that dies, leaves neither, and a retry does the work. Of two at once the second waits for the first. Another
    input under the same key is a `Conflict`. After `KEPT` a key is forgotten.
    """
    noted = _noted(context, asked)
    if noted is None:
        return await work()
    keyring = context.stores.keyring
    done = await claim(within, noted, keyring.fingerprint(asked.message), kept=KEPT)
    if done is not None:
        if not keyring.is_of(done.input_sha256, asked.message):
            raise KeyReused("This `Idempotency-Key` was used for another input already. Send a new key.")
        return _decoded(done.row_key, about)
    await remove_expired(within, kept=KEPT)
    key = await work()
    await finish(within, noted, _encoded(key, about))
    return key


async def was_done(context: Context, within: Transaction, asked: Asked) -> bool:
    """Whether `once` will not do it: it returns what was done under this key, or raises `KeyReused`."""
    noted = _noted(context, asked)
    return noted is not None and await is_claimed(within, noted, kept=KEPT)


def _noted(context: Context, asked: Asked) -> Noted | None:
    given = context.idempotency_key
    if given is None:
        return None
    if not 1 <= len(given) <= _MAX_LENGTH or not (given.isascii() and given.isprintable()):
        raise BadInput(f"`Idempotency-Key` must have 1 to {_MAX_LENGTH} printable ASCII characters.")
    return Noted(context.subject.id, given, asked.mutation, asked.response_key)


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
