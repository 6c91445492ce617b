"""The gateway's way to a ClickHouse: the platform's own, or a data source's."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Self, TypeAlias
from urllib.parse import urlsplit

import aiohttp
import pyarrow as pa
from clickhouse_connect.driver import create_async_client
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from loaders.clickhouse.arrow_decoder import ArrowDecoder, NotArrow, rows_of, schema_in_utc
from loaders.clickhouse.encoded import EncodedBatch
from loaders.clickhouse.errors import broken_off, ends_a_reason, wrapped
from loaders.clickhouse.parameters import checked
from loaders.errors import StoreError, StoreQueryFailed, StoreTimeout, StoreUnavailable
from loaders.ledger import Ledger, StoreUsage

Settings: TypeAlias = Mapping[str, str | int | float | bool]

_log = logging.getLogger(__name__)

_DRIVER_ERRORS = (ClickHouseError, aiohttp.ClientError, OSError, TimeoutError)
_NOT_SETTINGS = frozenset(
    {"query", "query_id", "user", "password", "database", "session_id", "default_format", "readonly"}
)
_SETTING_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ARROW = {
    "output_format_arrow_string_as_string": "1",
    "output_format_arrow_low_cardinality_as_dictionary": "0",
    "output_format_arrow_fixed_string_as_fixed_byte_array": "1",
}
_GRACE_SECONDS = 2.0
"""How much longer than the store's own time-out the client waits: the store should be the one that says it."""
_KILL_SECONDS = 10.0
_KILL_AWAITED_SECONDS = 2.0
_LET_RUN_SECONDS = 86_400
"""For the driver's own time-out: what counts is the patience of each statement, which it does not know."""


class ClickHouse:
    """One ClickHouse under one user. Connects at first use, so it can be opened while the store is down.

    Every statement has its own `query_id`, the session's zone UTC, `max_execution_time` and, for reads, `readonly=2`.
    Methods raise the errors of `loaders.errors` that name `store`, and nothing else of the driver's.
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
    ) -> None:
        self.store = store
        self._url = urlsplit(url)
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise ValueError(f"the address of {store} must be an http or https URL")
        self._username = username
        self._password = password
        self._database = database
        self._timeout_ms = timeout_ms
        self._connections = connections
        self._connecting: asyncio.Task[AsyncClient] | None = None
        self._kills: set[asyncio.Task[None]] = set()

    @classmethod
    def open(
        cls,
        url: str,
        username: str,
        password: str,
        database: str | None,
        *,
        store: str = "clickhouse",
        timeout_ms: int = 30_000,
        connections: int = 32,
    ) -> Self:
        """`database=None` is the user's default one. `timeout_ms` holds for statements that bring none of their own."""
        return cls(
            store,
            url=url,
            username=username,
            password=password,
            database=database,
            timeout_ms=timeout_ms,
            connections=connections,
        )

    def __repr__(self) -> str:
        return f"ClickHouse({self.store!r})"

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        ledger: Ledger,
        timeout_ms: int | None = None,
        settings: Settings | None = None,
        request_id: str | None = None,
    ) -> pa.Table:
        """The whole answer; for answers that are known to be small. An answer without rows has its schema."""
        schema: list[pa.Schema] = []
        batches = []
        async with aclosing(self._batches(sql, parameters, ledger, timeout_ms, settings, request_id, schema)) as stream:
            async for batch in stream:
                batches.append(batch)
        return pa.Table.from_batches(batches, schema[0])

    def stream(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        ledger: Ledger,
        timeout_ms: int | None = None,
        settings: Settings | None = None,
        request_id: str | None = None,
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        """The record batches of `stream_encoded`, decoded."""
        return self._batches(sql, parameters, ledger, timeout_ms, settings, request_id, [])

    async def stream_locked(
        self, sql: str, *, ledger: Ledger, timeout_ms: int | None = None, settings: Settings | None = None
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        """As `stream`, for SQL that somebody wrote: with `readonly=1`, so that it cannot change a setting either.

        At least one batch: an empty one tells the columns.
        """
        schema: list[pa.Schema] = []
        empty = True
        batches = self._batches(sql, None, ledger, timeout_ms, settings, None, schema, locked=True)
        async with aclosing(batches):
            async for batch in batches:
                empty = False
                yield batch
        if empty:
            yield pa.RecordBatch.from_pylist([], schema[0])

    def stream_encoded(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        ledger: Ledger,
        timeout_ms: int | None = None,
        settings: Settings | None = None,
        request_id: str | None = None,
    ) -> AsyncGenerator[EncodedBatch, None]:
        """Record batches as they arrive, in the order of the answer; a slow reader holds the store back.

        Holds one batch and what the socket has buffered. Returns only when the store has marked the end of the answer;
        a failure in its middle raises. Leaving it early (`aclose`, cancelling the task) kills the query in the store.
        """
        return self._encoded(sql, parameters, ledger, timeout_ms, settings, request_id, [])

    async def insert_arrow(self, table: str, rows: pa.Table, *, ledger: Ledger, timeout_ms: int | None = None) -> None:
        """Columns are matched by name. Not atomic beyond one block of the store (about a million rows)."""
        with self._recorded(ledger) as usage:
            client = await self._client()
            settings = self._settings(str(uuid.uuid4()), timeout_ms, None, None)
            async with asyncio.timeout(self._patience(timeout_ms)):
                await client.insert_arrow(table, rows, settings=settings)
            usage.rows = rows.num_rows

    async def command(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        ledger: Ledger,
        timeout_ms: int | None = None,
        settings: Settings | None = None,
    ) -> None:
        """A statement without rows: DDL, DELETE, KILL. The caller's cancelling does not undo it."""
        with self._recorded(ledger):
            client = await self._client()
            final = self._settings(str(uuid.uuid4()), timeout_ms, settings, None)
            async with asyncio.timeout(self._patience(timeout_ms)):
                await client.command(sql, checked(sql, parameters), settings=final)

    async def ping(self, *, timeout_ms: int = 2_000) -> None:
        """Returns when the store answers a statement of this user; raises what is wrong otherwise."""
        await self.query("SELECT 1", ledger=Ledger(), timeout_ms=timeout_ms)

    async def close(self) -> None:
        """Waits for kills under way. Streams must be closed before."""
        if self._kills:
            await asyncio.gather(*self._kills, return_exceptions=True)
        connecting, self._connecting = self._connecting, None
        if connecting is None:
            return
        connecting.cancel()
        done, _ = await asyncio.wait({connecting})
        for task in done:
            if not task.cancelled() and task.exception() is None:
                await task.result().close()

    async def _batches(
        self,
        sql: str,
        parameters: Mapping[str, object] | None,
        ledger: Ledger,
        timeout_ms: int | None,
        settings: Settings | None,
        request_id: str | None,
        schema: list[pa.Schema],
        *,
        locked: bool = False,
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        """Puts the answer's schema into `schema` before the end."""
        arguments = (sql, parameters, ledger, timeout_ms, settings, request_id, schema)
        async with aclosing(self._encoded(*arguments, locked=locked)) as encoded:
            async for batch in encoded:
                yield await batch.decoded()

    async def _encoded(
        self,
        sql: str,
        parameters: Mapping[str, object] | None,
        ledger: Ledger,
        timeout_ms: int | None,
        settings: Settings | None,
        request_id: str | None,
        schema: list[pa.Schema],
        *,
        locked: bool = False,
    ) -> AsyncGenerator[EncodedBatch, None]:
        bound = checked(sql, parameters)
        query_id = str(uuid.uuid4())
        final = self._settings(query_id, timeout_ms, settings, request_id)
        patience = self._patience(timeout_ms)
        started = time.monotonic()
        rows = size = 0
        may_run = False
        decoder = ArrowDecoder()
        try:
            client = await self._client()
            if client.server_settings["readonly"].value == "0":
                final["readonly"] = "1" if locked else "2"
            may_run = True
            async with asyncio.timeout(patience):
                answer = await client.raw_stream(sql, bound, settings={**final, **_ARROW}, fmt="ArrowStream")
            async with answer:
                while piece := await _next(answer, patience):
                    size += len(piece)
                    decoder.feed(piece)
                    for message in await _messages(answer, patience, decoder):
                        rows += rows_of(message)
                        yield EncodedBatch(self.store, decoder.schema, message)
            if not decoder.ended or decoder.schema is None:
                raise broken_off(self.store, decoder.remainder)
            schema.append(schema_in_utc(decoder.schema))
            may_run = False
        except (NotArrow, *_DRIVER_ERRORS) as error:
            failure = self._failure(error, decoder)
            unsent = isinstance(error.__cause__, aiohttp.ClientConnectorError)
            may_run = may_run and not unsent and isinstance(failure, StoreUnavailable | StoreTimeout)
            raise failure from error
        finally:
            ledger.record(self.store, rows=rows, bytes_=size, ms=(time.monotonic() - started) * 1000)
            if may_run:
                await self._kill(query_id, ledger)

    def _failure(self, error: Exception, decoder: ArrowDecoder) -> StoreError:
        timed_out = isinstance(error, TimeoutError)
        begun = decoder.schema is not None or isinstance(error, NotArrow)
        return broken_off(self.store, decoder.remainder) if begun and not timed_out else wrapped(self.store, error)

    async def _kill(self, query_id: str, ledger: Ledger) -> None:
        """Returns when the query has ended in the store, or after two seconds: one that is silent holds up no caller.

        Goes on beyond that, and when the caller is cancelled; `close` waits for it.
        """
        kill = asyncio.create_task(self._send_kill(query_id, ledger))
        self._kills.add(kill)
        kill.add_done_callback(self._kills.discard)
        await asyncio.wait([kill], timeout=_KILL_AWAITED_SECONDS)

    async def _send_kill(self, query_id: str, ledger: Ledger) -> None:
        try:
            with self._recorded(ledger):
                async with asyncio.timeout(_KILL_SECONDS):
                    client = await self._client()
                    await client.command("KILL QUERY WHERE query_id = {query_id:String} SYNC", {"query_id": query_id})
        except StoreError as failure:
            _log.warning("query %s could not be cancelled and may run on: %s", query_id, failure)

    @contextmanager
    def _recorded(self, ledger: Ledger) -> Iterator[StoreUsage]:
        """One statement whose answer is not streamed: in the ledger, its driver's errors wrapped."""
        with ledger.statement(self.store) as usage:
            try:
                yield usage
            except _DRIVER_ERRORS as error:
                raise wrapped(self.store, error) from error

    async def _client(self) -> AsyncClient:
        """Callers share one attempt to connect, and a failed one is made anew by the next caller."""
        connecting = self._connecting
        if connecting is None or (connecting.done() and (connecting.cancelled() or connecting.exception() is not None)):
            within = asyncio.wait_for(self._connect(), self._timeout_ms / 1000)
            connecting = self._connecting = asyncio.create_task(within)
        return await asyncio.shield(connecting)

    async def _connect(self) -> AsyncClient:
        client = await create_async_client(
            host=self._url.hostname,
            port=self._url.port or (8443 if self._url.scheme == "https" else 8123),
            interface=self._url.scheme,
            username=self._username,
            password=self._password,
            database=self._database or "__default__",
            generic_args={"proxy_path": self._url.path.strip("/")},
            connector_limit=self._connections,
            connector_limit_per_host=self._connections,
            connect_timeout=5,
            send_receive_timeout=_LET_RUN_SECONDS,
            autogenerate_session_id=False,
            compress=False,
            show_clickhouse_errors="scrub",
        )
        if client.server_settings["readonly"].value == "1":
            await client.close()
            raise StoreQueryFailed(
                self.store, f"the user of {self.store} may not change settings (readonly=1); give it readonly=2 or 0"
            )
        return client

    def _settings(
        self, query_id: str, timeout_ms: int | None, settings: Settings | None, request_id: str | None
    ) -> dict[str, str]:
        final = {name: _setting(name, value) for name, value in (settings or {}).items()}
        final["query_id"] = query_id
        final["session_timezone"] = "UTC"
        final["max_execution_time"] = str((timeout_ms or self._timeout_ms) / 1000)
        if request_id is not None:
            final["log_comment"] = request_id
        return final

    def _patience(self, timeout_ms: int | None) -> float:
        return (timeout_ms or self._timeout_ms) / 1000 + _GRACE_SECONDS


async def _next(answer: AsyncIterator[bytes], patience: float) -> bytes:
    """The next bytes; none at the end."""
    async with asyncio.timeout(patience):
        return await anext(answer, b"")


async def _messages(answer: AsyncIterator[bytes], patience: float, decoder: ArrowDecoder) -> list[pa.Buffer]:
    """The whole messages so far. What is not Arrow is a failure's reason: read to its end, then raised."""
    try:
        return list(decoder.messages())
    except NotArrow:
        while not ends_a_reason(decoder.remainder) and (piece := await _next(answer, patience)):
            decoder.feed(piece)
        raise


def _setting(name: str, value: str | int | float | bool) -> str:
    """A name that is no setting (`query`, `param_...`) would change the statement, so only plain ones pass."""
    if not _SETTING_NAME.fullmatch(name) or name.startswith("param_") or name in _NOT_SETTINGS:
        raise ValueError(f"{name} is no setting of a ClickHouse query")
    return str(int(value)) if isinstance(value, bool) else str(value)
