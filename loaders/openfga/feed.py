"""Follows OpenFGA's change feed (ReadChanges), so that answers can be cached while nothing changes.

The feed is ordered by ids that are assigned before a write commits, so a late commit appears before changes that were
already read: each look reads the last seconds before the newest known change again. The feed contains changes of tuples
only; a condition that ends (`expires_at`) is not in it.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from loaders.errors import AxionError
from loaders.ledger import Ledger
from loaders.openfga.client import Change, OpenFga

EVERY_S: Final = 0.25
_OVERLAP: Final = timedelta(seconds=5)
"""Longer than a write takes from getting its id to being committed (`--request-timeout`, 3 s)."""
_BEFORE: Final = timedelta(seconds=60)
"""How far the clocks of the gateway and of OpenFGA may be apart."""
_IDLE_S: Final = 5.0

log = structlog.get_logger(__name__)


class Feed:
    """Looks every `every_s` while it is being asked, and for a few seconds after. Nothing runs before."""

    def __init__(
        self, openfga: OpenFga, *, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._openfga = openfga
        self._every_s = every_s
        self._clock = clock
        self._version = 0
        self._began: float | None = None
        self._looked = float("-inf")
        self._asked = float("-inf")
        self._since = datetime.now(UTC) - _BEFORE
        self._known: frozenset[Change] = frozenset()
        self._following: asyncio.Task[None] | None = None

    @property
    def version(self) -> int:
        """Changes with every change of tuples by anyone, once it has been seen."""
        return self._version

    def unchanged_since(self, *, within_s: float) -> float | None:
        """The instant since which no change was found by a look that began within the last `within_s` seconds.

        None without such a look. Must be called inside the running loop: being asked keeps the feed followed.
        """
        self._asked = self._clock()
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow(), name="follow the changes of tuples")
        return self._began if self._looked > self._asked - within_s else None

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait((self._following,))

    async def _follow(self) -> None:
        failing = False
        while self._clock() - self._asked < _IDLE_S:
            try:
                await self._look()
                failing = False
            except AxionError as error:
                if not failing:
                    log.warning("changes_not_read", code=error.code.value)
                failing = True
            await asyncio.sleep(self._every_s)
        self._began = None

    async def _look(self) -> None:
        began = self._clock()
        changes = frozenset([change async for change in self._openfga.changes(since=self._since, ledger=Ledger())])
        if not changes <= self._known:
            self._version += 1
            self._since = max(change.at for change in changes) - _OVERLAP
        self._known = changes
        self._looked = began
        if self._began is None:
            self._began = began
