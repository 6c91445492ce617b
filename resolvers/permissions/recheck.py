"""Repeats checks that must stay allowed while something is open, with one timer and one question for each subject."""

import asyncio
from collections import defaultdict
from typing import Final

from loaders.concurrently import concurrently
from loaders.errors import AxionError, Forbidden, PermissionsUnavailable
from loaders.ledger import Ledger
from loaders.openfga.tuples import Check
from resolvers.permissions.verdicts import Authority

SECONDS: Final = 0.25
"""Between questions. A kept verdict may be 0.75 s old, so what is revoked ends within about a second."""


_UNDECIDED = "OpenFGA could not decide a permission while this was open: it is ended. Open it again."


class Rechecks:
    """To be used within one running loop. Nothing runs while there is nothing to check."""

    def __init__(self, authority: Authority, *, seconds: float = SECONDS) -> None:
        self._authority = authority
        self._seconds = seconds
        self._held: defaultdict[tuple[str, Check], set[asyncio.Future[None]]] = defaultdict(set)
        self._asking: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Ends the asking; what is held still waits, and is its holder's to end."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait((self._asking,))

    async def until_lost(self, subject_id: str, check: Check) -> None:
        """Never returns: raises `Forbidden` once the check is denied, `PermissionsUnavailable` without a verdict."""
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held[subject_id, check].add(lost)
        if self._asking is None or self._asking.done() or self._asking.cancelling():
            self._asking = asyncio.create_task(self._ask(), name="ask open verdicts again")
        try:
            await lost
        finally:
            self._held[subject_id, check].discard(lost)
            if not self._held[subject_id, check]:
                del self._held[subject_id, check]
            if not self._held and self._asking is not None:
                self._asking.cancel()

    async def _ask(self) -> None:
        while self._held:
            await asyncio.sleep(self._seconds)
            by_subject: defaultdict[str, list[Check]] = defaultdict(list)
            for subject_id, check in self._held:
                by_subject[subject_id].append(check)
            try:
                await concurrently(self._ask_of(subject_id, checks) for subject_id, checks in by_subject.items())
            except Exception:
                for subject_id, checks in by_subject.items():
                    for check in checks:
                        self._lose(subject_id, check, PermissionsUnavailable(_UNDECIDED))
                raise

    async def _ask_of(self, subject_id: str, checks: list[Check]) -> None:
        try:
            answer = await self._authority.batch_check(subject_id, checks, ledger=Ledger())
        except AxionError as error:
            for check in checks:
                self._lose(subject_id, check, error)
            return
        for check in checks:
            if check in answer.undecided:
                self._lose(subject_id, check, PermissionsUnavailable(_UNDECIDED))
            elif check not in answer.granted:
                self._lose(subject_id, check, Forbidden("You may not see this any more."))

    def _lose(self, subject_id: str, check: Check, error: AxionError) -> None:
        for lost in self._held.get((subject_id, check), ()):
            if not lost.done():
                lost.set_exception(error)
