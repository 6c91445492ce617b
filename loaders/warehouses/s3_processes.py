"""Runs queries in separate processes (`s3_process`): sends them, reads their batches, and kills a process whose query
is abandoned.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Final

import orjson
import pyarrow as pa

from loaders.errors import Cancelled, StoreBusy, StoreError, StoreQueryFailed, StoreTimeout
from loaders.ledger import Ledger
from loaders.warehouses import s3_frames
from loaders.warehouses.base import Query, RecordBatches
from loaders.warehouses.batch_run import BatchRun, batches_of
from loaders.warehouses.bounded import changed_meanwhile
from loaders.warehouses.owned import Client, Owned, OwnedPool
from loaders.warehouses.process_places import ProcessPlaces
from loaders.warehouses.s3_errors import SELECT_LESS
from loaders.warehouses.settings import S3ParquetCredentials, S3ParquetOptions

AT_ONCE: Final = 4
"""Concurrent queries of a data source; further ones wait. Each may use `s3_process.MEMORY_BYTES`."""
_MODULE: Final = "loaders.warehouses.s3_process"
_ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "SSL_CERT_DIR", "SSL_CERT_FILE")
"""The only variables passed on: the gateway's environment may hold secrets."""


class Ended(Exception):
    """The process ended during a query."""


class Interrupted(Ended):
    """The process was killed during a query by its own caller."""


class NotBegun(Exception):
    """The system could not start a process: it lacks memory, process ids or file descriptors."""


class Gone(Exception):
    """A process that had answered before ended before its next answer: it may have been exiting already."""


class QueryProcess:
    """Starts a process at once, or raises `NotBegun`. Blocks. Used by one thread, except for `kill`."""

    def __init__(self, store: str, options: S3ParquetOptions, credentials: S3ParquetCredentials) -> None:
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        path = os.pathsep.join(entry for entry in sys.path if entry)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter with the gateway's own module
                (sys.executable, "-P", "-m", _MODULE),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what an engine prints as it ends may hold values
                env=kept | {"PYTHONPATH": path},
                process_group=0,  # Ctrl-C in a terminal goes to the gateway only, which then ends the process
            )
        except OSError as error:
            raise NotBegun from error
        self._has_answered = False
        self._send(orjson.dumps([store, options.model_dump(mode="json"), orjson.Fragment(credentials.to_bytes())]))

    @property
    def pid(self) -> int:
        return self._process.pid

    def asked(self, request: bytes) -> tuple[bytes, bytes]:
        """Sends a query and returns the first frame of its answer. Raises `Gone` and `Ended`."""
        self._send(request)
        try:
            frame = self.read()
        except Ended:
            if self._has_answered:
                raise Gone from None
            if self._process.returncode == 1:
                raise RuntimeError(f"{_MODULE} does not start") from None
            raise
        self._has_answered = True
        return frame

    def read(self) -> tuple[bytes, bytes]:
        """The next frame of the answer. Raises `Ended`."""
        assert self._process.stdout is not None
        try:
            return s3_frames.read(self._process.stdout)
        except s3_frames.Cut:
            self.kill()
            self._process.wait()
            raise Ended from None

    def kill(self) -> None:
        """Callable from any thread, any number of times."""
        self._process.kill()

    def close(self) -> None:
        self.kill()
        with suppress(BrokenPipeError), self._process:  # closes its pipes, and waits for it
            pass

    def _send(self, line: bytes) -> None:
        """Does nothing when the process has ended: reading its answer reports that."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()


class S3ProcessRun(BatchRun):
    """`ended` is set once the answer was read to its end, so that the process can be used again."""

    def __init__(self, owned: Owned[QueryProcess], query: Query, *, timeout_s: float) -> None:
        super().__init__(owned.executor, timeout_s=timeout_s)
        self._owned = owned
        places = [(table.schema, table.name) for table in query.tables]
        self._request = orjson.dumps([query.sql, places, round(timeout_s * 1000)])
        self._process: QueryProcess | None = None
        self._first: pa.RecordBatch | None = None
        self._schema: pa.Schema | None = None
        self._interrupted = False
        self.ended = False

    def start(self) -> None:
        def ask(process: QueryProcess) -> tuple[bytes, bytes]:
            self._process = process
            if self._interrupted:
                raise Interrupted
            return process.asked(self._request)

        self._first = self._batch(lambda: self._owned.begun(ask))

    def schema(self) -> pa.Schema:
        return self._schema

    def read(self) -> pa.RecordBatch | None:
        if self._first is not None:
            batch, self._first = self._first, None
            return batch
        return None if self.ended else self._batch(lambda: self._owned.connection().read())

    def _batch(self, frame: Callable[[], tuple[bytes, bytes]]) -> pa.RecordBatch | None:
        try:
            kind, payload = frame()
        except Ended:
            if self._interrupted:
                raise Interrupted from None
            raise
        if kind == s3_frames.ROWS:
            batch = s3_frames.batch_of(payload)
            self._schema = batch.schema
            return batch
        if kind == s3_frames.DEFECT:
            raise RuntimeError(f"the query's process failed with {payload.decode()}")
        self.ended = True
        if kind == s3_frames.FAILURE:
            raise s3_frames.error_of(payload)
        return None

    def interrupt(self) -> None:
        self._interrupted = True
        if self._process is not None:
            self._process.kill()

    def free(self) -> None:
        """Does nothing: the pool keeps the process or closes it."""


class QueryProcesses:
    """The query processes of one data source, within the places shared by all data sources of a gateway. Starts none
    before the first query. Belongs to one event loop.
    """

    def __init__(
        self, store: str, options: S3ParquetOptions, credentials: S3ParquetCredentials, *, places: ProcessPlaces
    ) -> None:
        self._store = store
        client = Client(
            lambda: QueryProcess(store, options, credentials),
            QueryProcess.close,
            lambda error: isinstance(error, Gone),
        )
        self._pool = OwnedPool(store, client)
        self._places = places
        self._places.join(self._pool)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._runs: set[S3ProcessRun] = set()
        self._closed = False

    @property
    def running(self) -> int:
        return len(self._runs)

    async def answer(self, query: Query, *, ledger: Ledger, timeout_ms: int) -> RecordBatches:
        """Runs a query as `Warehouse.query` does."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_ms / 1000
        async with self._place(until):
            owned = self._pool.take()
            run = S3ProcessRun(owned, query, timeout_s=until - loop.time())
            self._runs.add(run)
            batches = batches_of(
                run,
                store=self._store,
                ledger=ledger,
                timeout_ms=timeout_ms,
                failures=(Ended, NotBegun),
                store_error=_store_error,
                described=True,
            )
            try:
                async with aclosing(batches):
                    async for batch in batches:
                        yield batch
            finally:
                self._runs.discard(run)
                self._pool.give_back(owned, usable=run.ended and run.freed)

    @asynccontextmanager
    async def _place(self, until: float) -> AsyncIterator[None]:
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout_at(until):
                    await held.enter_async_context(self._slots)
                    await held.enter_async_context(self._places.place(self._pool))
            except TimeoutError:
                most = min(AT_ONCE, self._places.limit)
                busy = f"{self._store} is busy: this gateway runs {most} statements of it at once. Try again shortly."
                raise StoreTimeout(self._store, busy) from None
            if self._closed:
                raise changed_meanwhile(self._store)
            yield

    def close(self) -> None:
        """Kills all processes. Idempotent."""
        for run in tuple(self._runs):
            run.interrupt()
        self._pool.close()
        if not self._closed:
            self._places.leave(self._pool)
        self._closed = True


def _store_error(store: str, error: Exception) -> StoreError:
    """Translates `Ended` and `NotBegun`."""
    if isinstance(error, NotBegun):
        return StoreBusy(
            store,
            f"{store}: the gateway's machine has no room for the process of another query. Try again shortly, or give "
            "it more memory.",
        )
    if isinstance(error, Interrupted):
        return Cancelled(store, f"{store}: the query was cancelled.")
    return StoreQueryFailed(
        store, f"{store}: the query needs more memory than it may use, or broke the engine. {SELECT_LESS}"
    )
