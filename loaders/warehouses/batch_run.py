"""A blocking client's query as a stream of record batches, with its errors told as the store's."""

from abc import abstractmethod
from collections.abc import Callable

import pyarrow as pa

from loaders.errors import AxionError, StoreTimeout
from loaders.ledger import Ledger
from loaders.warehouses.base import RecordBatches
from loaders.warehouses.blocking import BlockingRun, WarehouseClosed
from loaders.warehouses.bounded import changed_meanwhile


class BatchRun(BlockingRun):
    """`start`, then `read` until it answers None. Both are called in the run's thread."""

    freed = False
    """Whether nothing of the query runs any more; told once `batches_of` has ended."""

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def schema(self) -> pa.Schema:
        """Of the batches, once it has started."""

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
    """Runs, yields what has rows, and frees, whatever happens. `failures` are what the client raises.

    Of a `described` answer without rows it yields one empty batch.
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
