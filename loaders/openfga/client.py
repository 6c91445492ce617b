"""OpenFGA as the gateway uses it: batched checks, lists of visible objects, tuples. Without an answer everything is
denied.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

import structlog

from loaders.concurrently import concurrently
from loaders.errors import StoreQueryFailed
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.api import STORE_NAME, Api, Json, Refused, TimedOut, nonsense
from loaders.openfga.store import Pin, find_pin, objects, text
from loaders.openfga.tuples import Check, RelationTuple, instant, is_subject, rfc3339

MAX_CHECKS: Final = 50  # of one BatchCheck (the server's --max-checks-per-batch-check)
MAX_TUPLES: Final = 100  # of one Write (--max-tuples-per-write)
MAX_LISTED: Final = 1000  # of one ListObjects (--listObjects-max-results); there it stops without saying so
LIST_DEADLINE_S: Final = 3.0  # of one ListObjects (--listObjects-deadline); there too
_CONCURRENT_CALLS: Final = 8  # of one batch_check
_PIN_LOST: Final = {"store_id_not_found", "authorization_model_not_found", "latest_authorization_model_not_found"}
_UNTAKEN_WRITES: Final = {400, 409}

_CONSISTENCY: Final = "HIGHER_CONSISTENCY"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a batch of checks. A check in neither set is denied; an `undecided` one got no verdict."""

    granted: frozenset[Check]
    undecided: frozenset[Check] = frozenset()


@dataclass(frozen=True, slots=True)
class Listed:
    """Ids (not names) of the objects the subject has the relation on. Not `complete`: there may be more."""

    ids: frozenset[str]
    complete: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A tuple that was written or deleted, at OpenFGA's own time."""

    tuple: RelationTuple
    operation: str
    at: datetime


class OpenFga:
    """One store at its newest model. Both are looked up at the first question, and again when the server no longer
    knows them.

    Every question asks for HIGHER_CONSISTENCY, not only those after own writes: it bypasses the server's caches (off
    unless configured), so that anyone's revocation counts at once, whatever the server's settings. `clock` gives
    `current_time` to conditions.
    """

    def __init__(
        self,
        api: Api,
        store_name: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        pin: Pin | None = None,
    ) -> None:
        self._api = api
        self._store_name = store_name
        self._clock = clock
        self._pin = pin
        self._pinning = asyncio.Lock()
        self._version = 0

    @classmethod
    async def open(cls, *, url: str, token: str | None, store: str, timeout_ms: int) -> Self:
        """Makes no request, so the gateway starts while OpenFGA is down (and denies until it is up)."""
        return cls(await Api.open(url=url, token=token, timeout_ms=timeout_ms), store)

    @property
    def version(self) -> int:
        """Changes before and after each write of this client, also a failed one: what was learned before is
        outdated.
        """
        return self._version

    async def close(self) -> None:
        await self._api.close()

    async def ping(self, *, ledger: Ledger) -> None:
        """Returns when store and model are there now; raises `PermissionsUnavailable` otherwise."""
        self._pin = await find_pin(self._api, self._store_name, ledger=ledger)

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        """Asks each distinct check once, 50 per call, with at most 8 concurrent calls.

        An item that the server finds invalid (unknown type or relation) is denied and logged; one that it failed on is
        undecided. A call that fails raises `PermissionsUnavailable` for all.
        """
        subject = names.user(subject_id)
        distinct = list(dict.fromkeys(check for check in checks if check.askable)) if is_subject(subject) else []
        slots = asyncio.Semaphore(_CONCURRENT_CALLS)
        context = {"current_time": rfc3339(self._clock())}

        async def ask(chunk: Sequence[Check]) -> Checked:
            items = [check.to_json(subject, correlation_id=str(i), context=context) for i, check in enumerate(chunk)]
            async with slots:
                answer = await self._ask("batch-check", {"checks": items, "consistency": _CONSISTENCY}, ledger)
            return _checked(chunk, answer)

        parts = await concurrently(ask(distinct[i : i + MAX_CHECKS]) for i in range(0, len(distinct), MAX_CHECKS))
        return Checked(
            frozenset().union(*(part.granted for part in parts)), frozenset().union(*(part.undecided for part in parts))
        )

    async def list_objects(
        self,
        subject_id: str,
        relation: str,
        type_: str,
        *,
        ledger: Ledger,
    ) -> Listed:
        """At most 1,000 objects of the type. Not `complete` when that limit was reached, when the answer took as long
        as OpenFGA's deadline, or when it timed out.
        """
        subject = names.user(subject_id)
        if not is_subject(subject):
            return Listed(frozenset(), complete=True)
        body = {
            "user": subject,
            "relation": relation,
            "type": type_,
            "context": {"current_time": rfc3339(self._clock())},
            "consistency": _CONSISTENCY,
        }
        started = time.monotonic()
        try:
            answer = await self._ask("list-objects", body, ledger)
        except TimedOut:
            return Listed(frozenset(), complete=False)
        seconds = time.monotonic() - started
        found = answer.get("objects")  # an empty list is there, too
        if not isinstance(found, list) or not all(
            isinstance(name, str) and names.type_of(name) == type_ for name in found
        ):
            raise nonsense()
        ids = frozenset(names.id_of(name) for name in found)
        return Listed(ids, complete=len(found) < MAX_LISTED and seconds < LIST_DEADLINE_S)

    async def write(
        self, writes: Sequence[RelationTuple] = (), deletes: Sequence[RelationTuple] = (), *, ledger: Ledger
    ) -> None:
        """Deletes, then writes; what is so already is left alone. Atomic for up to 100 tuples that do not share a key.

        Raises `StoreQueryFailed` if OpenFGA refuses a tuple: it is not in the model, or exists with another
        `expires_at` (delete it in the same call to change it). If a chunk fails, the chunks before it are done.
        """
        removed = [tuple_.key() for tuple_ in dict.fromkeys(deletes)]
        added = [tuple_.to_json() for tuple_ in dict.fromkeys(writes)]
        changed = {(key["user"], key["relation"], key["object"]) for key in removed}
        apart = any((key["user"], key["relation"], key["object"]) in changed for key in added)
        if len(removed) + len(added) <= MAX_TUPLES and not apart:
            await self._write(removed, added, ledger)
            return
        for i in range(0, len(removed), MAX_TUPLES):
            await self._write(removed[i : i + MAX_TUPLES], [], ledger)
        for i in range(0, len(added), MAX_TUPLES):
            await self._write([], added[i : i + MAX_TUPLES], ledger)

    async def read(
        self, *, object_: str | None = None, relation: str | None = None, user: str | None = None, ledger: Ledger
    ) -> AsyncIterator[RelationTuple]:
        """Stored tuples that match, page by page. OpenFGA wants `object_` (or `type:` with a user) with any filter."""
        filter_ = {"user": user, "relation": relation, "object": object_}
        key = {name: value for name, value in filter_.items() if value is not None}
        token = ""
        while True:
            body = {"tuple_key": key or None, "page_size": MAX_TUPLES, "continuation_token": token}
            answer = await self._ask("read", body, ledger, pinned_model=False)
            for item in objects(answer, "tuples"):
                tuple_key = item.get("key")
                if not isinstance(tuple_key, dict):
                    raise nonsense()
                yield RelationTuple.from_json(tuple_key)
            token = answer.get("continuation_token") or ""
            if not token:
                return

    async def changes(self, *, since: datetime, ledger: Ledger) -> AsyncIterator[Change]:
        """Changes of tuples from that instant of OpenFGA's clock on, oldest first, page by page."""
        token = ""
        while True:
            params = {"page_size": str(MAX_TUPLES), "start_time": rfc3339(since)}
            pin = await self._pinned(ledger)
            path = f"/stores/{pin.store_id}/changes"
            if token:
                params["continuation_token"] = token
            answer = await self._api.request("GET", path, ledger=ledger, params=params)
            found = objects(answer, "changes")
            for item in found:
                key = item.get("tuple_key")
                if not isinstance(key, dict):
                    raise nonsense()
                yield Change(RelationTuple.from_json(key), text(item, "operation"), instant(text(item, "timestamp")))
            token = answer.get("continuation_token") or ""
            if len(found) < MAX_TUPLES or not token:
                return

    async def _write(self, deletes: list[Json], writes: list[Json], ledger: Ledger) -> None:
        body: Json = {}
        if deletes:
            body["deletes"] = {"tuple_keys": deletes, "on_missing": "ignore"}
        if writes:
            body["writes"] = {"tuple_keys": writes, "on_duplicate": "ignore"}
        if not body:
            return
        self._version += 1
        try:
            await self._ask("write", body, ledger)
        except Refused as refused:
            if refused.status not in _UNTAKEN_WRITES or refused.reason in _PIN_LOST:
                raise
            raise StoreQueryFailed(
                STORE_NAME,
                f"OpenFGA did not accept a permission tuple ({refused.reason}): its type or relation is not in "
                "the model, or it exists with another expiry. Nothing of this write was kept.",
            ) from refused
        finally:
            self._version += 1

    async def _ask(self, question: str, body: Json, ledger: Ledger, *, pinned_model: bool = True) -> Json:
        pin = await self._pinned(ledger)
        if pinned_model:
            body = {**body, "authorization_model_id": pin.model_id}
        try:
            return await self._api.request("POST", f"/stores/{pin.store_id}/{question}", body, ledger=ledger)
        except Refused as refused:
            if refused.reason in _PIN_LOST and self._pin is pin:
                self._pin = None
            raise

    async def _pinned(self, ledger: Ledger) -> Pin:
        if self._pin is not None:
            return self._pin
        async with self._pinning:
            if self._pin is None:
                self._pin = await find_pin(self._api, self._store_name, ledger=ledger)
            return self._pin


def _checked(chunk: Sequence[Check], answer: Json) -> Checked:
    result = answer.get("result")
    if not isinstance(result, dict):
        raise nonsense()
    granted: set[Check] = set()
    undecided: set[Check] = set()
    for i, check in enumerate(chunk):
        item = result.get(str(i))
        error = item.get("error") if isinstance(item, dict) else None
        if not isinstance(item, dict) or (error is None and not isinstance(item.get("allowed"), bool)):
            undecided.add(check)
        elif error is None:
            if item["allowed"] is True:
                granted.add(check)
        elif isinstance(error, dict) and "input_error" in error:
            log.warning(
                "openfga_check_invalid", relation=check.relation, object=check.object, error=error.get("message")
            )
        else:
            undecided.add(check)
    return Checked(frozenset(granted), frozenset(undecided))
