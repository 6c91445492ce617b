"""An ASGI application on a real port of the loopback, in this event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from gateway.http.connection import KEEP_ALIVE_SECONDS, BoundedHttp
from gateway.http.socket_connection import BoundedSocket


@asynccontextmanager
async def serving(
    application: ASGIApp,
    port: int = 0,
    *,
    lifespan: Literal["on", "off"] = "off",
    http: type[BoundedHttp] = BoundedHttp,
    ws: type[BoundedSocket] = BoundedSocket,
    patience_s: int | None = None,
) -> AsyncIterator[str]:
    """Yields the origin, e.g. `http://127.0.0.1:40123`. Its socket listens already; requests wait for the start.

    At the end it waits for running requests, at most for `patience_s`, and then cancels them.
    """
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan=lifespan,
            http=http,
            ws=ws,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=patience_s,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
