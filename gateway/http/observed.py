"""Counts, times and traces one operation, however it ends."""

from functools import cache
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from gateway.http.documents import Operation
from gateway.http.request_log import Exchange
from gateway.lifespan import Runtime
from gateway.metrics import DURATION, IN_FLIGHT, OPERATIONS, count_stores
from loaders.errors import Code
from loaders.ledger import Ledger

if TYPE_CHECKING:
    from gateway.traces import Trace

Transport = Literal["http", "sse", "websocket"]

# Finding a labelled child costs more than counting in it.
_operations = cache(OPERATIONS.labels)
_duration = cache(DURATION.labels)


class Observed:
    """A context manager around an operation. If `ended` was not called, it is counted as an internal error, or as
    cancelled if its task was.
    """

    __slots__ = ("_code", "_exchange", "_started", "_trace", "_traces", "transport")

    def __init__(self, transport: Transport, exchange: Exchange, runtime: Runtime) -> None:
        self.transport = transport
        self._exchange = exchange
        self._traces = runtime.traces
        self._trace: Trace | None = None
        self._code: str | None = None
        self._started = 0.0

    def __enter__(self) -> Self:
        self._started = perf_counter()
        if self._traces is not None:
            exchange = self._exchange
            self._trace = self._traces.begin(self.transport, exchange.request_id, exchange.traceparent)
        IN_FLIGHT[self.transport] += 1
        return self

    def prepared(self, operation: Operation) -> None:
        self._exchange.operation = operation.name
        self._exchange.kind = operation.kind.value
        if self._trace is not None:
            self._trace.prepared(operation)

    def hears(self, ledger: Ledger) -> None:
        """Traces the statements of this ledger. To be called before the operation begins."""
        if self._trace is not None:
            ledger.heard = self._trace.statement

    def ended(self, code: str) -> None:
        self._code = code

    def used(self, ledger: Ledger) -> None:
        """Adds the operation's use of the stores to the metrics; once per context."""
        count_stores(ledger)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        IN_FLIGHT[self.transport] -= 1
        code = self._code or Code.INTERNAL_ERROR.value
        if kind is not None:
            code = (Code.INTERNAL_ERROR if issubclass(kind, Exception) else Code.CANCELLED).value
        seconds = perf_counter() - self._started
        self._exchange.code = code
        self._exchange.ms = seconds * 1000
        if self._trace is not None:
            self._trace.end(code)
        _operations(self.transport, code).inc()
        _duration(self.transport).observe(seconds)
