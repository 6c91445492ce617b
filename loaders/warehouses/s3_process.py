"""A separate process for user-written SQL over Parquet on S3: `python -m loaders.warehouses.s3_process`.

DuckDB bounds the memory of sorts, joins and aggregations. It does not bound the values it computes for some two
thousand rows at once, nor the memory of planning a statement, and neither can be interrupted in time. The operating
system can bound a process and end it at any time. Requests come on stdin, one line of JSON each: first the data
source's settings (`QueryProcess`), then queries (`S3ProcessRun`), one after another. Each query is answered with frames
(`s3_frames`).
"""

import asyncio
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Final

import orjson
import pyarrow as pa

from loaders.description import Table
from loaders.errors import AxionError, StoreQueryFailed
from loaders.ledger import Ledger
from loaders.warehouses.base import Query
from loaders.warehouses.s3_errors import store_error
from loaders.warehouses.s3_frames import DEFECT, END, FAILURE, MAX_BYTES, ROWS, failure_of, rows_of, write
from loaders.warehouses.s3_parquet import S3Parquet
from loaders.warehouses.settings import S3ParquetCredentials, S3ParquetOptions

IDLE_S: Final = 60.0
"""The process ends by itself when it had no query for this long, or when a query's memory was not released."""
MEMORY_BYTES: Final = 1536 << 20
"""Memory it may use beyond that at its start: DuckDB's own limit, batches in flight, thread stacks."""
_OOM_SCORE_ADJUSTMENT: Final = "1000"
"""`oom_score_adj`: when memory is short, the kernel ends this process and not the gateway."""
_NICENESS: Final = 10
"""When cores are short, the gateway's requests have priority."""
_BATCH_BYTES: Final = 4 << 20


def main() -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # sent to every process of a service: the gateway still reads answers
    os.nice(_NICENESS)
    _bound_memory()
    asyncio.run(_serve())


def _bound_memory() -> None:
    """Bounds private writable memory (RLIMIT_DATA). Beyond it the engine fails, or the process ends."""
    most = _memory_in_use() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE_ADJUSTMENT)


def _memory_in_use() -> int:
    """Memory in use that RLIMIT_DATA counts, in bytes."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData:")) << 10


def _has_room() -> bool:
    """Whether most of the memory is free for the next query: engines do not release everything they took."""
    return resource.getrlimit(resource.RLIMIT_DATA)[0] - _memory_in_use() > MEMORY_BYTES * 2 // 3


async def _serve() -> None:
    lines = _lines()
    store, options, credentials = orjson.loads(await lines.get())
    warehouse = S3Parquet(
        store, S3ParquetOptions.model_validate(options), S3ParquetCredentials.model_validate(credentials)
    )
    while _has_room():
        try:
            line = await asyncio.wait_for(lines.get(), IDLE_S)
        except TimeoutError:
            return
        await _answer(warehouse, *orjson.loads(line))
    os._exit(0)  # skips the clean-up of an engine that may have run out of memory


def _lines() -> "asyncio.Queue[bytes]":
    """Lines of stdin. When stdin ends the process exits, whatever it is doing: nobody reads its answers any more."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        os._exit(0)

    threading.Thread(target=read, daemon=True, name="stdin").start()
    return lines


async def _answer(warehouse: S3Parquet, sql: str, places: list[tuple[str | None, str]], timeout_ms: int) -> None:
    out = sys.stdout.buffer
    query = Query(sql, tuple(Table(warehouse.store, schema, name, ()) for schema, name in places))
    try:
        async with aclosing(warehouse.query_here(query, ledger=Ledger(), timeout_ms=timeout_ms)) as batches:
            async for batch in batches:
                for piece in _pieces(batch):
                    write(out, ROWS, _rows(warehouse.store, piece))
    except AxionError as error:
        write(out, FAILURE, failure_of(error))
    except MemoryError as error:
        write(out, FAILURE, failure_of(store_error(warehouse.store, error)))
    except Exception as error:  # noqa: BLE001 - reported to the gateway, which logs it
        write(out, DEFECT, type(error).__name__.encode())
    else:
        write(out, END)


def _rows(store: str, piece: pa.RecordBatch) -> pa.Buffer:
    rows = rows_of(piece) if piece.nbytes <= MAX_BYTES else None
    if rows is None or rows.size > MAX_BYTES:
        raise StoreQueryFailed(
            store, f"{store}: a row of the answer is larger than {MAX_BYTES >> 20} MiB. Select less."
        )
    return rows


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Slices of a few MiB each, unless a single row is larger."""
    if batch.nbytes <= _BATCH_BYTES or batch.num_rows < 2:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


if __name__ == "__main__":
    main()
