"""The outbox of permission tuples: noted in the transaction of the rows they follow from, delivered after it.

Neither store gets ahead of the other: a transaction that fails leaves no note, and a note is delivered until OpenFGA
has accepted it, by the request that made it or by the worker, whatever fails in between. Notes of one object are
delivered in the order of their commits, each before the next is tried; those of other objects do not wait for them.
Delivering one twice is harmless, since OpenFGA is told to ignore what is so already.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import ARRAY

from loaders.errors import AxionError, PermissionsUnavailable
from loaders.ledger import Ledger
from loaders.openfga.client import MAX_TUPLES, OpenFga
from loaders.openfga.tuples import RelationTuple
from loaders.postgres.client import Postgres, WriteSession
from loaders.postgres.write import Transaction, transaction
from loaders.tables.axion_gen.outbox import OpenFgaOutbox

_LOCKS: Final = 0x6F70656E666761  # the seed of this outbox's advisory locks
_ROUND: Final = 50
_MAX_WAIT_S: Final = 300
_KEPT: Final = timedelta(days=7)
_REMOVED_AT_ONCE: Final = 1_000

_log = structlog.get_logger(__name__)
_entries = cast(sa.Table, OpenFgaOutbox.__table__)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The number of undelivered notes, how many of them were refused, and the age of the oldest."""

    undelivered: int
    refused: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Round:
    """How many notes were delivered, and how many OpenFGA did not take."""

    delivered: int
    failed: int


async def note(
    session: WriteSession, *, writes: Sequence[RelationTuple] = (), deletes: Sequence[RelationTuple] = ()
) -> frozenset[str]:
    """Notes tuples to be written and deleted once the transaction of the session has committed. Returns their objects.

    Locks the objects against other writers of notes until then, so that the order of notes is that of commits.
    """
    objects = frozenset(tuple_.object for tuple_ in (*writes, *deletes))
    if not objects:
        return objects
    await lock(session, objects)
    rows = [row for object_ in sorted(objects) for row in _rows(object_, writes, deletes)]
    await session.execute(sa.insert(_entries), rows)
    return objects


async def lock(session: WriteSession, objects: Collection[str]) -> None:
    """Locks the objects: nobody else notes tuples of them until the session's transaction ends."""
    each = sa.func.unnest(sa.bindparam(None, sorted(objects), ARRAY(sa.Text))).column_valued("object")
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(each, _LOCKS))))


def changed_since(instant: sa.ColumnElement[datetime]) -> sa.Select[tuple[str, int]]:
    """The objects with notes that are undelivered, or were delivered since; and the last `id` of those."""
    fresh = sa.or_(_entries.c.delivered_at.is_(None), _entries.c.delivered_at >= instant)
    return (
        sa.select(_entries.c.object, sa.func.max(_entries.c.id).label("last")).where(fresh).group_by(_entries.c.object)
    )


def _rows(object_: str, writes: Sequence[RelationTuple], deletes: Sequence[RelationTuple]) -> list[dict[str, Any]]:
    """Entries of at most 100 tuples, deletes first: each is one atomic Write of OpenFGA."""
    removed = [tuple_.key() for tuple_ in dict.fromkeys(deletes) if tuple_.object == object_]
    added = [tuple_.to_json() for tuple_ in dict.fromkeys(writes) if tuple_.object == object_]
    if len(removed) + len(added) <= MAX_TUPLES:
        return [{"object": object_, "deletes": removed, "writes": added}]
    return [{"object": object_, "deletes": part, "writes": []} for part in _parts(removed)] + [
        {"object": object_, "deletes": [], "writes": part} for part in _parts(added)
    ]


def _parts(tuples: list[Any]) -> list[list[Any]]:
    return [tuples[i : i + MAX_TUPLES] for i in range(0, len(tuples), MAX_TUPLES)]


async def settle(postgres: Postgres, openfga: OpenFga, objects: Collection[str], *, ledger: Ledger) -> None:
    """Delivers all notes of these objects now, also those that wait for a retry, as far as OpenFGA accepts them.

    Raises no errors of stores: what is left is for the worker, and `waiting` tells of it.
    """
    try:
        while objects:
            done = await _round(postgres, openfga, _of(objects), ledger=ledger, skip_locked=False)
            if done.failed or not done.delivered:
                return
    except AxionError as error:
        _log.warning("outbox_not_settled", error=type(error).__name__)


async def deliver(postgres: Postgres, openfga: OpenFga, *, ledger: Ledger) -> Round:
    """Delivers some of the due notes, for the worker. Raises the `StoreError` of a Postgres that is down.

    A note that fails is retried after 2 s, later after up to 5 min: longer than OpenFGA works on a request that was
    given up (`--request-timeout`, 3 s, after the gateway's 2 s), so that an old attempt cannot overtake a later note.
    """
    return await _round(postgres, openfga, _due(), ledger=ledger, skip_locked=True)


async def waiting(postgres: Postgres, objects: Collection[str], *, ledger: Ledger) -> frozenset[str]:
    """Those of the objects that have a note which OpenFGA has not accepted yet."""
    rows = await postgres.fetch(
        "SELECT DISTINCT object FROM public.openfga_outbox WHERE object = ANY($1) AND delivered_at IS NULL",
        list(objects),
        ledger=ledger,
    )
    return frozenset(row["object"] for row in rows)


async def is_waiting(within: Transaction, object_: str) -> bool:
    """Whether the object has a note that OpenFGA has not accepted yet, as the transaction sees it."""
    undelivered = sa.select(_entries.c.id).where(_entries.c.object == object_, _entries.c.delivered_at.is_(None))
    return bool(await within.rows(undelivered.limit(1)))


async def backlog(postgres: Postgres, *, ledger: Ledger) -> Backlog:
    rows = await postgres.fetch(
        "SELECT count(*) AS undelivered, count(*) FILTER (WHERE attempts > 0) AS refused,"
        " coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_s"
        " FROM public.openfga_outbox WHERE delivered_at IS NULL",
        ledger=ledger,
    )
    return Backlog(**rows[0])


async def prune(postgres: Postgres, *, ledger: Ledger) -> None:
    """Removes some notes that were delivered a week ago."""
    old = sa.select(_entries.c.id).where(_entries.c.delivered_at < sa.func.now() - _KEPT).limit(_REMOVED_AT_ONCE)
    async with transaction(postgres, ledger) as within:
        await within.rows(sa.delete(_entries).where(_entries.c.id.in_(old)))


def _of(objects: Collection[str]) -> sa.ColumnElement[bool]:
    return _entries.c.object == sa.any_(sa.bindparam(None, list(objects), ARRAY(sa.Text)))


def _due() -> sa.ColumnElement[bool]:
    return _entries.c.next_attempt_at <= sa.func.now()


async def _round(
    postgres: Postgres, openfga: OpenFga, which: sa.ColumnElement[bool], *, ledger: Ledger, skip_locked: bool
) -> Round:
    """Delivers the first undelivered note of each object for which `which` holds: locks, sends and marks them. A
    process that dies in between has marked none, and its locks end with it.
    """
    earlier = _entries.alias("earlier")
    first = ~sa.exists().where(
        earlier.c.object == _entries.c.object, earlier.c.id < _entries.c.id, earlier.c.delivered_at.is_(None)
    )
    chosen = (
        sa.select(_entries.c.id, _entries.c.object, _entries.c.deletes, _entries.c.writes, _entries.c.attempts)
        .where(_entries.c.delivered_at.is_(None), first, which)
        .order_by(_entries.c.id)
        .limit(_ROUND)
        .with_for_update(skip_locked=skip_locked, of=_entries)
    )
    delivered = failed = 0
    async with transaction(postgres, ledger) as within:
        for entry in await within.rows(chosen):
            try:
                await _send(openfga, entry, ledger)
            except AxionError as error:
                failed += 1
                await _postpone(within, entry, error)
                if isinstance(error, PermissionsUnavailable):
                    break  # it would not take the next one either, and each takes its time-out
            else:
                delivered += 1
                done = {"delivered_at": sa.func.clock_timestamp(), "last_error": None}
                await within.rows(sa.update(_entries).where(_entries.c.id == entry.id).values(done))
    return Round(delivered, failed)


async def _send(openfga: OpenFga, entry: sa.Row[Any], ledger: Ledger) -> None:
    deletes, writes = ([RelationTuple.from_json(key) for key in part] for part in (entry.deletes, entry.writes))
    await openfga.write(writes, deletes, ledger=ledger)


async def _postpone(within: Transaction, entry: sa.Row[Any], error: AxionError) -> None:
    wait = timedelta(seconds=min(2 ** min(entry.attempts + 1, 16), _MAX_WAIT_S))
    failure = {
        "attempts": _entries.c.attempts + 1,
        "last_error": str(error),
        "next_attempt_at": sa.func.clock_timestamp() + wait,
    }
    await within.rows(sa.update(_entries).where(_entries.c.id == entry.id).values(failure))
    _log.warning(
        "outbox_delivery_failed",
        entry=entry.id,
        object=entry.object,
        attempts=entry.attempts + 1,
        code=error.code.value,
        retry_in_s=wait.total_seconds(),
    )
