"""DuckDB with a cursor for each query, which ends when its caller disconnects and is counted until it has ended."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

_WATCH_S = 0.02
_BATCH_ROWS = 8_192


class Engine:
    """A watcher thread checks for disconnected callers, because a running query does not."""

    def __init__(self, path: Path | None) -> None:
        self._database = duckdb.connect(str(path) if path else ":memory:", config={"threads": "2"})
        self._lock = threading.Lock()
        self._running: dict[duckdb.DuckDBPyConnection, Callable[[], bool]] = {}
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def running(self) -> int:
        with self._lock:
            return len(self._running)

    def close(self) -> None:
        self._stopping.set()
        self._watcher.join()
        self._database.close()

    def read(self, sql: str, parameters: Sequence[object], gone: Callable[[], bool]) -> Iterator[pa.RecordBatch]:
        """The first item is an empty batch with the schema. `gone` is called from another thread until the
        query ends.
        """
        with self._cursor(gone) as cursor:
            relation = cursor.sql(sql, params=list(parameters))
            if relation is None:  # a statement without rows
                yield pa.record_batch([], schema=pa.schema([]))
                return
            reader = relation.to_arrow_reader(_BATCH_ROWS)
            yield pa.RecordBatch.from_pylist([], schema=reader.schema)
            yield from reader

    def table(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        with self._cursor(lambda: False) as cursor:
            return cursor.sql(sql, params=list(parameters)).to_arrow_table()

    @contextmanager
    def _cursor(self, gone: Callable[[], bool]) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._database.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        with self._lock:
            self._running[cursor] = gone
        try:
            yield cursor
        finally:
            with self._lock:
                del self._running[cursor]
            cursor.close()

    def _watch(self) -> None:
        while not self._stopping.wait(_WATCH_S):
            with self._lock:
                for cursor, gone in self._running.items():
                    if gone():
                        cursor.interrupt()
