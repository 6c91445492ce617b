"""What `/metrics` exports, in Prometheus's format."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from loaders.errors import AxionError
from loaders.ledger import Ledger
from loaders.openfga.outbox import Backlog
from resolvers.permissions.answers import Lookup

REGISTRY = CollectorRegistry()

_log = structlog.get_logger(__name__)

OPERATIONS = Counter(
    "axion_operations",
    "GraphQL operations ended, by transport and by outcome: OK, or the code of the first error.",
    ("transport", "code"),
    registry=REGISTRY,
)
DURATION = Histogram(
    "axion_operation_seconds",
    "Time from an operation's request to its last byte taken by the client, but for what buffers hold.",
    ("transport",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
IN_FLIGHT = dict.fromkeys(("http", "sse", "websocket"), 0)
"""Operations running now, by transport: numbers that the gauge reads when it is asked, since every request changes them
twice.
"""
_in_flight = Gauge("axion_operations_in_flight", "GraphQL operations running now.", ("transport",), registry=REGISTRY)
for _transport in IN_FLIGHT:
    _in_flight.labels(_transport).set_function(partial(IN_FLIGHT.__getitem__, _transport))
SOCKETS = Gauge("axion_websockets", "WebSocket connections open now.", registry=REGISTRY)
STATEMENTS = Counter("axion_store_statements", "Statements or calls sent to a store.", ("store",), registry=REGISTRY)
ROWS = Counter("axion_store_rows", "Rows received from a store.", ("store",), registry=REGISTRY)
BYTES = Counter("axion_store_bytes", "Bytes received from a store.", ("store",), registry=REGISTRY)
SECONDS = Counter("axion_store_seconds", "Time spent waiting for a store, summed.", ("store",), registry=REGISTRY)

VERDICTS = Counter(
    "axion_verdicts",
    "Questions about permissions: answered by a kept verdict, by a call they shared, or asked of OpenFGA.",
    ("answer",),
    registry=REGISTRY,
)
_verdicts = cache(VERDICTS.labels)

UNDELIVERED = Gauge("axion_outbox_undelivered", "Permission changes OpenFGA has not taken yet.", registry=REGISTRY)
REFUSED = Gauge("axion_outbox_refused", "Of those, the ones that were tried in vain.", registry=REGISTRY)
OLDEST = Gauge("axion_outbox_oldest_seconds", "Age of the oldest of those; 0 without any.", registry=REGISTRY)

ReadBacklog = Callable[[], Awaitable[Backlog]]
_TIMEOUT_S = 2.0


def count_verdict(answer: Lookup) -> None:
    _verdicts(answer).inc()


@cache
def _of_store(store: str) -> tuple[Counter, Counter, Counter, Counter]:
    return STATEMENTS.labels(store), ROWS.labels(store), BYTES.labels(store), SECONDS.labels(store)


def count_stores(ledger: Ledger) -> None:
    """Adds an operation's ledger. All data sources count as one store: their number is unbounded, and their names are
    users' data.
    """
    for name, usage in ledger.entries():
        store = "datasource" if name.startswith("datasource:") else name
        statements, rows, bytes_, seconds = _of_store(store)
        statements.inc(usage.statements)
        rows.inc(usage.rows)
        bytes_.inc(usage.bytes)
        seconds.inc(usage.ms / 1000)


async def observe_backlog(read: ReadBacklog) -> None:
    """Reads the state of the outbox. Its gauges are NaN if `axion_gen` does not answer within 2 s."""

    async def values() -> tuple[float, ...]:
        found = await read()
        return found.undelivered, found.refused, found.oldest_s

    await observe((UNDELIVERED, REFUSED, OLDEST), values, unread="outbox_not_read")


async def observe(gauges: Sequence[Gauge], values: Callable[[], Awaitable[Sequence[float]]], *, unread: str) -> None:
    """Sets each gauge to the value that a store reports now. If the store does not answer within 2 s, all are set to
    NaN and a line with that name is logged.
    """
    found: Sequence[float] = [math.nan] * len(gauges)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            found = await values()
    except (AxionError, TimeoutError) as error:
        _log.warning(unread, error=type(error).__name__)
    for gauge, value in zip(gauges, found, strict=True):
        gauge.set(value)


async def metrics(request: Request) -> Response:
    read: ReadBacklog | None = request.state.runtime.backlog
    if read is not None:
        await observe_backlog(read)
    return Response(generate_latest(REGISTRY), headers={"content-type": CONTENT_TYPE_LATEST})
