"""One LISTEN connection of this process, replaced when it is lost. It only wakes: whoever is woken reads the table."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import structlog

from loaders.errors import StoreUnavailable

_log = structlog.get_logger(__name__)

_CONNECT_TIMEOUT_S = 5.0
_CHECK_EVERY_S = 20.0
_BACK_OFF_S = (0.1, 5.0)


class Listener:
    """Calls `on_wake(payload)` for each notification, and `on_connect()` when a connection has begun to listen.

    Notifications before `on_connect` may have been missed. Both are called on the event loop and must not block.

    Open from `start()` to `close()`; a database that is down is tried again with back-off, at most every 5 s.
    """

    def __init__(
        self, store: str, url: str, channel: str, *, on_wake: Callable[[str], None], on_connect: Callable[[], None]
    ) -> None:
        self._store = store
        self._url = url
        self._channel = channel
        self._on_wake = on_wake
        self._on_connect = on_connect
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"listen {self._channel}")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def listening(self, *, timeout_s: float) -> None:
        """Returns once a connection listens; `StoreUnavailable` when none does in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._listening.wait()
        except TimeoutError:
            raise StoreUnavailable(self._store, f"{self._store} cannot be listened to. Try again shortly.") from None

    async def _run(self) -> None:
        shortest, longest = _BACK_OFF_S
        wait = shortest
        while True:
            try:
                if await self._listen_until_lost():
                    wait = shortest
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                _log.warning("listen_failed", store=self._store, error=type(error).__name__, retry_in_s=round(wait, 1))
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            wait = min(wait * 2, longest)

    async def _listen_until_lost(self) -> bool:
        """True when it had listened. A connection that no longer answers counts as lost."""
        settings = {"application_name": "axion-listener"}
        connection = await asyncpg.connect(self._url, timeout=_CONNECT_TIMEOUT_S, server_settings=settings)
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(self._channel, lambda _conn, _pid, _channel, payload: self._wake(payload))
            self._listening.set()
            self._on_connect()
            while not lost.is_set():
                try:
                    async with asyncio.timeout(_CHECK_EVERY_S):
                        await lost.wait()
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=_CONNECT_TIMEOUT_S)
            _log.warning("listen_lost", store=self._store)
            return True
        finally:
            self._listening.clear()
            connection.terminate()

    def _wake(self, payload: object) -> None:
        self._on_wake(str(payload))
