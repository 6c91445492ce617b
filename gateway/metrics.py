"""What `/metrics` tells, in Prometheus's format."""

from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from loaders.ledger import Ledger
from resolvers.permissions.answers import Lookup

REGISTRY = CollectorRegistry()

OPERATIONS = Counter(
    "axion_operations",
    "GraphQL operations ended, by transport and by outcome: OK, or the code of the first error.",
    ("transport", "code"),
    registry=REGISTRY,
)
DURATION = Histogram(
    "axion_operation_seconds",
    "Time from an operation's request to its last byte handed to the server.",
    ("transport",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
IN_FLIGHT = Gauge("axion_operations_in_flight", "GraphQL operations running now.", ("transport",), registry=REGISTRY)
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


def count_verdict(answer: Lookup) -> None:
    _verdicts(answer).inc()


@cache
def _of_store(store: str) -> tuple[Counter, Counter, Counter, Counter]:
    return STATEMENTS.labels(store), ROWS.labels(store), BYTES.labels(store), SECONDS.labels(store)


def count_stores(ledger: Ledger) -> None:
    """Adds an operation's ledger. All data sources count as one store: their names are the users', and without end."""
    for name, usage in ledger.stores.items():
        store = "datasource" if name.startswith("datasource:") else name
        statements, rows, bytes_, seconds = _of_store(store)
        statements.inc(usage.statements)
        rows.inc(usage.rows)
        bytes_.inc(usage.bytes)
        seconds.inc(usage.ms / 1000)


async def metrics(_: Request) -> Response:
    return Response(generate_latest(REGISTRY), headers={"content-type": CONTENT_TYPE_LATEST})
