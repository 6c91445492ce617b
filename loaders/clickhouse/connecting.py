"""Connects to a ClickHouse: once for all callers, and again after a failure."""

import asyncio
from functools import partial
from urllib.parse import urlsplit

import aiohttp
from clickhouse_connect.driver.asyncclient import AsyncClient

from loaders.addresses import EVERYWHERE, Bounds, socket_within
from loaders.errors import StoreQueryFailed, StoreUnavailable

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5)
"""The driver has no time-out for answers: each statement has its own, which the driver does not know, and resetting its
timer for each piece received costs a tenth of the stream's speed.
"""


class Connecting:
    """The connection to one ClickHouse as one user, made at first use. `database=None` is the user's default database.

    No address outside of `bounds` is connected to, for any connection and after any redirect. But where the process's
    environment names a proxy, the proxy makes the connection.
    """

    def __init__(
        self,
        store: str,
        *,
        url: str,
        username: str,
        password: str,
        database: str | None,
        timeout_ms: int,
        connections: int,
        bounds: Bounds = EVERYWHERE,
    ) -> None:
        self._store = store
        self._url = urlsplit(url)
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise ValueError(f"the address of {store} must be an http or https URL")
        self._username = username
        self._password = password
        self._database = database
        self._timeout_ms = timeout_ms
        self._connections = connections
        self._bounds = bounds
        self._connecting: asyncio.Task[AsyncClient] | None = None
        self._closed = False

    async def client(self) -> AsyncClient:
        """Callers share one attempt to connect; after a failed one the next caller tries again.

        `StoreUnavailable` once it was closed, because nobody would close a connection made then.
        """
        if self._closed:
            raise StoreUnavailable(self._store, f"the connection to {self._store} was closed; try again")
        connecting = self._connecting
        if connecting is None or (connecting.done() and (connecting.cancelled() or connecting.exception() is not None)):
            within = asyncio.wait_for(self._connect(), self._timeout_ms / 1000)
            connecting = self._connecting = asyncio.create_task(within)
        return await asyncio.shield(connecting)

    async def _connect(self) -> AsyncClient:
        client = AsyncClient(
            host=self._url.hostname or "",
            port=self._url.port or (8443 if self._url.scheme == "https" else 8123),
            interface=self._url.scheme,
            username=self._username,
            password=self._password,
            database=self._database or "__default__",
            settings={},
            proxy_path=self._url.path.strip("/"),
            connector_limit=self._connections,
            connector_limit_per_host=self._connections,
            autogenerate_session_id=False,
            compress=False,
            show_clickhouse_errors="scrub",
        )
        backend = client._backend  # the driver has no options for these
        backend.timeout = _TIMEOUT
        if backend.proxy_url is None:
            backend.connector_kwargs["socket_factory"] = partial(socket_within, self._bounds)
        await client.__aenter__()
        if client.server_settings["readonly"].value == "1":
            await client.close()
            raise StoreQueryFailed(
                self._store, f"the user of {self._store} may not change settings (readonly=1); give it readonly=2 or 0"
            )
        return client

    async def close(self) -> None:
        self._closed = True
        connecting, self._connecting = self._connecting, None
        if connecting is None:
            return
        connecting.cancel()
        done, _ = await asyncio.wait({connecting})
        for task in done:
            if not task.cancelled() and task.exception() is None:
                await task.result().close()
