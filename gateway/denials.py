"""Denied operations on their way into the audit log: collected for a second, then written with one statement.

Equal denials within a second become one entry with a `count`, and the number of entries in memory is bounded, so a
flood of denials costs one row per kind. Entries are lost only if the process is killed within that second; the request
log has each denial as well.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass

import structlog

from loaders.audit.entry import Action, AuditEntry
from loaders.audit.outbox import append
from loaders.errors import AxionError, Code
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.postgres.client import Postgres
from loaders.postgres.write import transaction

EVERY_S = 1.0
_DISTINCT = 5_000
_DISTINCT_OF_ONE = 100
_AT_ONCE = 500
"""In one statement, which has at most 32,767 parameters."""
_MAX_RESOURCE = 200
_MANY = "*"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Kind:
    subject: str
    resource: str
    code: Code


@dataclass(slots=True)
class _Seen:
    request_id: str
    count: int


class Denials:
    """Use `run` until it is cancelled, then `close`."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._seen: dict[_Kind, _Seen] = {}
        self._kinds: Counter[str] = Counter()

    def denied(self, subject_id: str, request_id: str, resource: str, code: Code) -> None:
        """`subject_id` is empty for anonymous callers. When too many entries are collected, all further ones of a
        caller become one.
        """
        kind = _Kind(subject_id, resource[:_MAX_RESOURCE], code)
        if kind not in self._seen:
            if self._kinds[subject_id] >= _DISTINCT_OF_ONE:
                kind = _Kind(subject_id, _MANY, code)
            elif len(self._seen) >= _DISTINCT:
                kind = _Kind(_MANY, _MANY, code)
        self._add(kind, request_id, 1)

    def _add(self, kind: _Kind, request_id: str, count: int) -> None:
        if kind not in self._seen:
            self._seen[kind] = _Seen(request_id, 0)
            self._kinds[kind.subject] += 1
        self._seen[kind].count += count

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.flush()

    async def close(self) -> None:
        await self.flush()

    async def flush(self) -> None:
        """Writes what was collected. What cannot be written now is kept for the next time."""
        if not self._seen:
            return
        taken, self._seen = self._seen, {}
        self._kinds.clear()
        written = False
        try:
            async with transaction(self._postgres, Ledger()) as within:
                entries = [_entry(kind, seen) for kind, seen in taken.items()]
                for first in range(0, len(entries), _AT_ONCE):
                    await append(within, entries[first : first + _AT_ONCE])
            written = True
        except AxionError as error:
            _log.warning("denials_not_written", code=error.code.value, entries=len(taken))
        finally:
            if not written:
                for kind, seen in taken.items():
                    self._add(kind, seen.request_id, seen.count)


def _entry(kind: _Kind, seen: _Seen) -> AuditEntry:
    actor = kind.subject if kind.subject in ("", _MANY) else names.user(kind.subject)
    facts = {"code": kind.code.value, "count": seen.count}
    return AuditEntry(Action.DENIED, actor, kind.resource, seen.request_id, facts)
