"""Notes of mutations that were done under an `Idempotency-Key`: rows of `idempotency_keys`, which every database has
that the API writes. They are written in the transaction of their change; functions are one statement but `claim`."""

from dataclasses import asdict, dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.postgres.write import Transaction
from loaders.tables.databases import idempotency_keys

_REMOVED_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Noted:
    """Whose mutation it is: `response_key` is its name or alias in the document, which may have it several times."""

    subject: str
    key: str
    mutation: str
    response_key: str


@dataclass(frozen=True, slots=True)
class Done:
    """`row_key` has the texts of the key of the row the mutation was about; none where there was no such row."""

    input_sha256: str
    row_key: list[str]


async def claim(within: Transaction, noted: Noted, input_sha256: str, *, kept: timedelta) -> Done | None:
    """None for the caller that may do the mutation: of two at the same time the second waits for the first. Otherwise
    what was done, within `kept`. One statement, and another one for what was done.
    """
    keys, identity = idempotency_keys(within.store), asdict(noted)
    fresh = {"input_sha256": input_sha256, "created_at": sa.func.now(), "row_key": []}
    made = insert(keys).values(**identity, **fresh)
    expired = keys.c.created_at < sa.func.now() - kept
    made = made.on_conflict_do_update(index_elements=list(identity), set_=fresh, where=expired)
    if await within.rows(made.returning(keys.c.key)):
        return None
    (done,) = await within.rows(sa.select(keys.c.input_sha256, keys.c.row_key).where(_is(keys, noted)))
    return Done(done.input_sha256, done.row_key)


async def find_done(within: Transaction, noted: Noted, *, kept: timedelta) -> Done | None:
    """What was done within `kept`, whatever its input was. Does not wait."""
    keys = idempotency_keys(within.store)
    fresh = keys.c.created_at >= sa.func.now() - kept
    rows = await within.rows(sa.select(keys.c.input_sha256, keys.c.row_key).where(_is(keys, noted), fresh))
    return Done(rows[0].input_sha256, rows[0].row_key) if rows else None


async def remove_expired(within: Transaction, *, kept: timedelta) -> None:
    """Removes some expired rows. Since each new key does this, the table stays small."""
    keys = idempotency_keys(within.store)
    primary = keys.primary_key.columns
    some = sa.select(*primary).where(keys.c.created_at < sa.func.now() - kept).limit(_REMOVED_AT_ONCE)
    await within.rows(sa.delete(keys).where(sa.tuple_(*primary).in_(some.with_for_update(skip_locked=True))))


async def finish(within: Transaction, noted: Noted, row_key: list[str]) -> None:
    """Notes that the claimed mutation was done, with the key of its row."""
    keys = idempotency_keys(within.store)
    await within.rows(sa.update(keys).where(_is(keys, noted)).values(row_key=row_key))


def _is(keys: sa.Table, noted: Noted) -> sa.ColumnElement[bool]:
    return sa.and_(*(keys.c[name] == value for name, value in asdict(noted).items()))
