"""A mutation retried under the same `Idempotency-Key` is done once and returns its first answer."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.description import Table
from loaders.encode.number import Exact
from loaders.encode.value import decode_value, encode_value
from loaders.errors import BadInput, Conflict
from loaders.postgres.write import Transaction
from loaders.read import Value
from resolvers.context import Context

KEPT = timedelta(hours=24)
_MAX_LENGTH = 255
_REMOVED_AT_ONCE = 10

Key: TypeAlias = tuple[Value, ...]


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
    context: Context,
    within: Transaction,
    asked: Asked,
    *,
    keys: sa.Table,
    about: Table,
    work: Callable[[], Awaitable[Key]],
) -> Key:
    """The key of the row `work` is about. Done before under this key, it is not done again.

    The note is written in the transaction of the change, so there is never one without the other: a failure, or a
    process that dies, leaves neither, and a retry does the work. Of two at once the second waits for the first. Another
    input under the same key is a `Conflict`. After `KEPT` a key is forgotten.
    """
    given = context.idempotency_key
    if given is None:
        return await work()
    if not 1 <= len(given) <= _MAX_LENGTH or not (given.isascii() and given.isprintable()):
        raise BadInput(f"`Idempotency-Key` must have 1 to {_MAX_LENGTH} printable ASCII characters.")
    identity = {
        "subject": context.subject.id,
        "key": given,
        "mutation": asked.mutation,
        "response_key": asked.response_key,
    }
    mine = sa.and_(*(keys.c[name] == value for name, value in identity.items()))
    expired = keys.c.created_at < sa.func.now() - KEPT
    keyring = context.stores.keyring
    fresh = {"input_sha256": keyring.fingerprint(asked.message), "created_at": sa.func.now(), "row_key": []}
    claim = insert(keys).values(**identity, **fresh)
    claim = claim.on_conflict_do_update(index_elements=list(identity), set_=fresh, where=expired)
    if not await within.rows(claim.returning(keys.c.key)):
        (done,) = await within.rows(sa.select(keys.c.input_sha256, keys.c.row_key).where(mine))
        if not keyring.is_of(done.input_sha256, asked.message):
            raise KeyReused("This `Idempotency-Key` was used for another input already. Send a new key.")
        return _decoded(done.row_key, about)
    await within.rows(_removal(keys, expired))
    key = await work()
    await within.rows(sa.update(keys).where(mine).values(row_key=_encoded(key, about)))
    return key


def _removal(keys: sa.Table, expired: sa.ColumnElement[bool]) -> sa.Delete:
    """Each new key removes some that have expired, so that the table holds little more than a day's."""
    primary = sa.tuple_(*keys.primary_key.columns)
    some = sa.select(*keys.primary_key.columns).where(expired).limit(_REMOVED_AT_ONCE).with_for_update(skip_locked=True)
    return sa.delete(keys).where(primary.in_(some))


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
