"""Middleware that gives each request an id (the client's, or a new one), returns it in a header, and logs one line when
the request has ended.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from random import getrandbits
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.unbroken import stopped
from gateway.logs import log_access

_VALID_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_KEY = "axion.exchange"
_VARIANTS = "89ab"
_QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})


@dataclass(slots=True)
class Exchange:
    """What is logged about a request. The GraphQL endpoint fills in `operation` and `code`."""

    request_id: str
    traceparent: str | None = None
    operation: str | None = None
    kind: str | None = None
    code: str | None = None
    ms: float = 0.0

    def line(self) -> dict[str, Any]:
        """What is logged of the operation, if it was one."""
        facts: dict[str, Any] = {"request_id": self.request_id, "ms": round(self.ms, 2)}
        if self.code is not None:
            facts |= {"operation": self.operation, "kind": self.kind, "code": self.code}
        return facts


def exchange_of(scope: Scope) -> Exchange:
    exchange: Exchange = scope[_KEY]
    return exchange


class RequestLog:
    """Never logs headers, variables, documents or query strings: they may hold secrets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = scope[_KEY] = Exchange(*_sent(scope))
        header = (b"x-request-id", exchange.request_id.encode())
        status = 0
        started = perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            kind = message["type"]
            if kind == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), header]
            elif kind == "websocket.accept":
                status = 101
            elif kind == "websocket.close":
                status = message.get("code", 1000)
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except asyncio.CancelledError:  # by the server, which would log a traceback
            await stopped(send_with_id, exchange.request_id, begun=status != 0 or scope["type"] != "http")
        finally:
            _write(scope, exchange, status, perf_counter() - started)


def _write(scope: Scope, exchange: Exchange, status: int, seconds: float) -> None:
    if scope["path"] in _QUIET and status < 400:
        return
    exchange.ms = seconds * 1000
    line = exchange.line()
    line |= {"method": scope.get("method", "WEBSOCKET"), "path": scope["path"], "status": status}
    log_access("request", line)


def _sent(scope: Scope) -> tuple[str, str | None]:
    """The client's request id, if it is well-formed, and its `traceparent`; the first of repeated headers."""
    request_id = traceparent = None
    for name, value in scope["headers"]:
        if name == b"x-request-id" and request_id is None and _VALID_ID.fullmatch(value):
            request_id = value.decode()
        elif name == b"traceparent" and traceparent is None:
            traceparent = value.decode("latin-1")
    return request_id or _new_id(), traceparent


def _new_id() -> str:
    """A UUID version 7 as text (RFC 9562, 5.7). Unlike `loaders.tables.uuid7` it has no order within a millisecond."""
    text = f"{time.time_ns() // 1_000_000 << 80 | getrandbits(80):032x}"
    return f"{text[:8]}-{text[8:12]}-7{text[13:16]}-{_VARIANTS[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"
