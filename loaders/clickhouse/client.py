"""The client of a ClickHouse: the platform's own, or a data source's."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Self

import aiohttp
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError

from loaders.addresses import EVERYWHERE, Bounds
from loaders.clickhouse.arrow_decoder import ArrowDecoder, MessageTooLarge, NotArrow, rows_of, schema_in_utc
from loaders.clickhouse.connecting import Connecting
from loaders.clickhouse.encoded import EncodedBatch
from loaders.clickhouse.errors import broken_off, ends_a_reason, too_large, wrapped
from loaders.clickhouse.parameters import checked
from loaders.clickhouse.query_settings import AS_ARROW, Settings, query_settings
from loaders.clickhouse.running import RunningQueries
from loaders.errors import StoreError, StoreTimeout, StoreUnavailable
from loaders.ledger import Ledger, StoreUsage

_DRIVER_ERRORS = (ClickHouseError, aiohttp.ClientError, OSError, TimeoutError)
_GRACE_SECONDS = 2.0
"""How much longer than the store's own time-out the client waits, so that the store is normally the one to
report it.
"""
_PING_MS = 2_000
_KILL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement whose answer is streamed. `locked` means that it may not change settings. `schema` receives the
    answer's schema as its only item, before the end of the stream.
    """

    sql: str
    parameters: Mapping[str, object] | None
    ledger: Ledger
    timeout_ms: int | None
    settings: Settings | None = None
    locked: bool = False
    schema: list[pa.Schema] = field(default_factory=list)


class ClickHouse:
    """One ClickHouse as one user. Connects at first use, so it can be created while the store is down.

    Every statement has its own `query_id`, UTC as the session's time zone, `max_execution_time` and, for reads,
    `readonly=2`. Methods raise the errors of `loaders.errors` with `store`, and none of the driver's.
    """

    def __init__(self, store: str, connecting: Connecting, *, timeout_ms: int) -> None:
        self.store = store
        self._connecting = connecting
        self._timeout_ms = timeout_ms
        self._running = RunningQueries(self._kill)

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
        bounds: Bounds = EVERYWHERE,
    ) -> Self:
        """`database=None` is the user's default database. `timeout_ms` applies to statements that have no time-out of
        their own.

        Addresses outside of `bounds` are not connected to: `StoreUnavailable` says so.
        """
        connecting = Connecting(
            store,
            url=url,
            username=username,
            password=password,
            database=database,
            timeout_ms=timeout_ms,
            connections=connections,
            bounds=bounds,
        )
        return cls(store, connecting, timeout_ms=timeout_ms)

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
    ) -> pa.Table:
        """The whole answer, for answers known to be small. An answer without rows still has its schema."""
        statement = _Statement(sql, parameters, ledger, timeout_ms, settings)
        async with aclosing(self._batches(statement)) as stream:
            batches = [batch async for batch in stream]
        return pa.Table.from_batches(batches, statement.schema[0])

    def stream(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        ledger: Ledger,
        timeout_ms: int | None = None,
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        """The decoded record batches of `stream_encoded`."""
        return self._batches(_Statement(sql, parameters, ledger, timeout_ms))

    async def stream_locked(
        self, sql: str, *, ledger: Ledger, timeout_ms: int | None = None, settings: Settings | None = None
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        """Like `stream`, for user-written SQL: runs with `readonly=1`, so that the statement cannot change a setting
        either.

        Yields at least one batch; an empty one carries the columns.
        """
        statement = _Statement(sql, None, ledger, timeout_ms, settings, locked=True)
        empty = True
        async with aclosing(self._batches(statement)) as batches:
            async for batch in batches:
                empty = False
                yield batch
        if empty:
            yield pa.RecordBatch.from_pylist([], statement.schema[0])

    def stream_encoded(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        ledger: Ledger,
        timeout_ms: int | None = None,
        settings: Settings | None = None,
    ) -> AsyncGenerator[EncodedBatch, None]:
        """Record batches as they arrive, in the order of the answer. A slow reader slows the store.

        Holds one batch and the socket's buffer. Returns only when the store has marked the end of the answer; a failure
        in the middle of it raises. Ending it early (`aclose`, cancelling the task) kills the query in the store.
        """
        return self._encoded(_Statement(sql, parameters, ledger, timeout_ms, settings))

    async def insert_arrow(self, table: str, rows: pa.Table, *, ledger: Ledger) -> None:
        """Columns are matched by name. Not atomic beyond one block of the store (about a million rows)."""
        with self._recorded(ledger) as usage:
            client = await self._connecting.client()
            settings = query_settings(str(uuid.uuid4()), timeout_ms=self._timeout_ms)
            async with asyncio.timeout(self._patience(self._timeout_ms)):
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
        """Runs a statement without rows: DDL, DELETE, KILL. Cancelling the caller does not undo it."""
        with self._recorded(ledger):
            client = await self._connecting.client()
            final = query_settings(str(uuid.uuid4()), timeout_ms=timeout_ms or self._timeout_ms, settings=settings)
            async with asyncio.timeout(self._patience(timeout_ms)):
                await client.command(sql, checked(sql, parameters), settings=final)

    async def ping(self) -> None:
        """Returns when the store answers a statement of this user; otherwise raises what is wrong."""
        await self.query("SELECT 1", ledger=Ledger(), timeout_ms=_PING_MS)

    async def close(self) -> None:
        """Kills running queries and waits for pending kills, because a stream that ends later could no
        longer send one.
        """
        await self._running.close()
        await self._connecting.close()

    async def _batches(self, statement: _Statement) -> AsyncGenerator[pa.RecordBatch, None]:
        async with aclosing(self._encoded(statement)) as encoded:
            async for batch in encoded:
                yield await batch.decoded()

    async def _encoded(self, statement: _Statement) -> AsyncGenerator[EncodedBatch, None]:
        bound = checked(statement.sql, statement.parameters)
        query_id = str(uuid.uuid4())
        timeout_ms = statement.timeout_ms or self._timeout_ms
        final = query_settings(query_id, timeout_ms=timeout_ms, settings=statement.settings)
        patience = self._patience(statement.timeout_ms)
        started = time.monotonic()
        rows = size = 0
        decoder = ArrowDecoder()
        try:
            client = await self._connecting.client()
            if client.server_settings["readonly"].value == "0":
                final["readonly"] = "1" if statement.locked else "2"
            self._running.began(query_id, statement.ledger)
            async with asyncio.timeout(patience):
                answer = await client.raw_stream(
                    statement.sql, bound, settings={**final, **AS_ARROW}, fmt="ArrowStream"
                )
            async with answer:
                while piece := await _next(answer, patience):
                    size += len(piece)
                    decoder.feed(piece)
                    for message in await _messages(answer, patience, decoder):
                        rows += rows_of(message)
                        yield EncodedBatch(self.store, decoder.schema, message)
            if not decoder.ended or decoder.schema is None:
                raise broken_off(self.store, decoder.remainder)
            statement.schema.append(schema_in_utc(decoder.schema))
            self._running.ended(query_id)
        except MessageTooLarge as error:
            raise too_large(self.store) from error
        except (NotArrow, *_DRIVER_ERRORS) as error:
            failure = self._failure(error, decoder)
            unsent = isinstance(error.__cause__, aiohttp.ClientConnectorError)
            if unsent or not isinstance(failure, StoreUnavailable | StoreTimeout):
                self._running.ended(query_id)
            raise failure from error
        finally:
            statement.ledger.record(self.store, rows=rows, bytes_=size, ms=(time.monotonic() - started) * 1000)
            await self._running.give_up(query_id)

    def _failure(self, error: Exception, decoder: ArrowDecoder) -> StoreError:
        timed_out = isinstance(error, TimeoutError)
        begun = decoder.schema is not None or isinstance(error, NotArrow)
        return broken_off(self.store, decoder.remainder) if begun and not timed_out else wrapped(self.store, error)

    async def _kill(self, query_id: str, ledger: Ledger) -> None:
        with self._recorded(ledger):
            async with asyncio.timeout(_KILL_SECONDS):
                client = await self._connecting.client()
                await client.command("KILL QUERY WHERE query_id = {query_id:String} SYNC", {"query_id": query_id})

    @contextmanager
    def _recorded(self, ledger: Ledger) -> Iterator[StoreUsage]:
        """Records one statement that is not streamed in the ledger, and translates the driver's errors."""
        with ledger.statement(self.store) as usage:
            try:
                yield usage
            except _DRIVER_ERRORS as error:
                raise wrapped(self.store, error) from error

    def _patience(self, timeout_ms: int | None) -> float:
        return (timeout_ms or self._timeout_ms) / 1000 + _GRACE_SECONDS


async def _next(answer: AsyncIterator[bytes], patience: float) -> bytes:
    """The next bytes; empty at the end."""
    async with asyncio.timeout(patience):
        return await anext(answer, b"")


async def _messages(answer: AsyncIterator[bytes], patience: float, decoder: ArrowDecoder) -> list[pa.Buffer]:
    """The whole messages so far. Bytes that are not Arrow are an error message, which is read to its end before
    raising.
    """
    try:
        return list(decoder.messages())
    except NotArrow:
        while not ends_a_reason(decoder.remainder) and (piece := await _next(answer, patience)):
            decoder.feed(piece)
        raise
