"""Serves a worker's probes and metrics over HTTP, on a port of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.http.connection import KEEP_ALIVE_SECONDS, BoundedHttp
from gateway.http.health import Readiness, live
from gateway.lifespan import Ping
from gateway.metrics import ReadBacklog, metrics
from gateway.worker_metrics import ReadWaiting, observe_queue
from loaders.jobs.waiting import waiting
from loaders.ledger import Ledger
from loaders.openfga import outbox
from loaders.stores import Stores

_TASKS = "axion_sense_tasks"


@dataclass(frozen=True, slots=True)
class WorkerRuntime:
    """Without the queue's database or OpenFGA no job gets on; the other stores fail their own jobs only."""

    required: Mapping[str, Ping]
    optional: Mapping[str, Ping]
    backlog: ReadBacklog
    waiting: ReadWaiting


def worker_runtime(stores: Stores) -> WorkerRuntime:
    async def openfga() -> None:
        await stores.openfga.ping(ledger=Ledger())

    others = {name: postgres.ping for name, postgres in stores.postgres.items() if name != _TASKS}
    return WorkerRuntime(
        required={_TASKS: stores.postgres[_TASKS].ping, "openfga": openfga},
        optional={**others, "clickhouse": stores.clickhouse.ping},
        backlog=partial(outbox.backlog, stores.postgres["axion_gen"], ledger=Ledger()),
        waiting=partial(waiting, stores.postgres[_TASKS], ledger=Ledger()),
    )


async def serve_port(runtime: WorkerRuntime, *, host: str, port: int) -> None:
    """Serves until cancelled. If the port is taken the process ends, as the gateway does."""
    config = uvicorn.Config(
        _app(runtime),
        host=host,
        port=port,
        http=BoundedHttp,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(), name="worker's port")
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


def _app(runtime: WorkerRuntime) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, object]]:
        yield {"runtime": runtime}

    async def measured(request: Request) -> Response:
        await observe_queue(runtime.waiting)
        return await metrics(request)

    return Starlette(
        routes=[
            Route("/health/live", live, methods=["GET"]),
            Route("/health/ready", Readiness().ready, methods=["GET"]),
            Route("/metrics", measured, methods=["GET"]),
        ],
        lifespan=lifespan,
    )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the worker's (gateway/worker.py)."""
        yield
