"""Streams the query of a blocking client as record batches, and translates the client's errors to store errors."""

from abc import abstractmethod
from collections.abc import Callable

import pyarrow as pa

from loaders.errors import AxionError, StoreTimeout
from loaders.ledger import Ledger
from loaders.warehouses.base import RecordBatches
from loaders.warehouses.blocking import BlockingRun, WarehouseClosed
from loaders.warehouses.bounded import changed_meanwhile


class BatchRun(BlockingRun):
    """A query whose `start` is called once and whose `read` until it returns None, both in the run's thread."""

    freed = False
    """Whether nothing of the query runs any more; set once `batches_of` has ended."""

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def schema(self) -> pa.Schema:
        """The schema of the batches. Available once the query has started."""

    @abstractmethod
    def read(self) -> pa.RecordBatch | None: ...


async def batches_of(
    run: BatchRun,
    *,
    store: str,
    ledger: Ledger,
    timeout_ms: int,
    failures: tuple[type[Exception], ...],
    store_error: Callable[[str, Exception], AxionError],
    described: bool = False,
) -> RecordBatches:
    """Starts the run, yields its batches that have rows, and frees it in every case. `failures` are what the client
    raises; `store_error` translates them.

    If `described`, an answer without rows yields one empty batch, which carries the schema.
    """
    rows = sent = 0
    try:
        await run.call(run.start)
        while (batch := await run.call(run.read)) is not None:
            rows, sent = rows + batch.num_rows, sent + batch.nbytes
            if batch.num_rows:
                yield batch
        if described and not rows:
            yield pa.RecordBatch.from_pylist([], await run.call(run.schema))
    except TimeoutError:
        raise StoreTimeout(store, f"{store}: the query took longer than {timeout_ms} ms and was cancelled.") from None
    except WarehouseClosed as error:
        raise changed_meanwhile(store) from error
    except failures as error:
        raise store_error(store, error) from error
    finally:
        run.freed = await run.close()
        ledger.record(store, rows=rows, bytes_=sent, ms=run.waited_s * 1000)
