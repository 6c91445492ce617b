"""GraphQL over WebSocket, subprotocol `graphql-transport-ws`: one connection, any number of operations on it.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. The bearer token comes in `connection_init`'s payload
as `authorization`, or in the handshake's header. uvicorn's pings find dead peers, and its shutdown closes with 1012.
"""

import asyncio
import time
from collections.abc import Collection
from contextlib import aclosing
from functools import partial
from typing import Any

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from gateway.http.answer import OK, refused
from gateway.http.authentication import Authenticated, first_renewal
from gateway.http.documents import Operation
from gateway.http.incoming import headers_of
from gateway.http.observed import Observed
from gateway.http.operations import Operations
from gateway.http.origin import origin_allowed
from gateway.http.prepared import prepared
from gateway.http.refusal import Refusal, refuse
from gateway.http.request import GraphQLRequest, from_parameters
from gateway.http.request_log import Exchange, exchange_of
from gateway.http.running import ended
from gateway.http.socket_messages import Closed, Left, credentials_of, id_of, next_message, pong_of
from gateway.lifespan import Runtime
from gateway.logs import log_access
from gateway.metrics import SOCKETS
from loaders.errors import Code
from resolvers.context import Context

_log = structlog.get_logger(__name__)

SUBPROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
MAX_OPERATIONS = 100
"""Of one connection at one time."""
EXPIRED = "The bearer token has expired: connect again with a new one."


async def serve_socket(
    scope: Scope, receive: Receive, send: Send, *, operations: Operations, allowed_origins: Collection[str]
) -> None:
    await receive()  # websocket.connect
    if not origin_allowed(scope, allowed_origins):
        _log.info("websocket_refused", request_id=exchange_of(scope).request_id, code=Code.CSRF_REFUSED.value)
        await send({"type": "websocket.close", "code": 4403, "reason": "Forbidden"})
        return
    if SUBPROTOCOL not in scope["subprotocols"]:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
        return
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
    with SOCKETS.track_inprogress():
        await _Socket(scope, receive, send, operations).serve()


class _Socket:
    def __init__(self, scope: Scope, receive: Receive, send: Send, operations: Operations) -> None:
        self._scope = scope
        self._receive = receive
        self._asgi_send = send
        self._operations = operations
        self._runtime: Runtime = scope["state"]["runtime"]
        self._request_id = exchange_of(scope).request_id
        self._header = headers_of(scope).get("authorization")
        self._sent: str | None = None
        self._authenticated: Authenticated | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    async def serve(self) -> None:
        """Serves until either side closes. Every operation has ended when this returns."""
        renewing = asyncio.create_task(self._renew_while_running(), name="authenticate again")
        try:
            await self._initialise()
            while True:
                await self._take(await self._message(self._seconds_left(), Closed(4403, EXPIRED)))
        except Left:
            pass
        except Closed as closed:
            await self._close(closed)
        finally:
            for task in (renewing, *self._running.values()):
                await ended(task)

    async def _close(self, closed: Closed) -> None:
        """Sends one close frame, even when several operations find at the same time that the connection ends."""
        if self._closed:
            return
        self._closed = True
        await self._asgi_send({"type": "websocket.close", "code": closed.code, "reason": closed.reason})

    async def _initialise(self) -> None:
        deadline = time.monotonic() + INIT_SECONDS
        while True:
            left = max(0.0, deadline - time.monotonic())
            message = await self._message(left, Closed(4408, "Connection initialisation timeout"))
            if message["type"] == "connection_init":
                break
            if message["type"] not in ("ping", "pong"):
                raise Closed(4401, "Unauthorized")
            await self._take(message)
        self._sent = credentials_of(message, header=self._header)
        caller = await self._authenticate()
        try:
            self._runtime.admission.admit(caller.subject, self._scope)
        except Refusal as refusal:
            raise Closed(1013, str(refusal)) from None
        await self._send({"type": "connection_ack"})

    async def _authenticate(self) -> Authenticated:
        """Authenticates the caller; repeated for every operation, so that revocations count. Raises `Closed`."""
        try:
            caller = await self._runtime.authenticate(self._sent, self._scope, request_id=self._request_id)
        except Refusal as refusal:
            raise Closed(4403 if refusal.status == 401 else 1013, str(refusal)[:100]) from None
        self._authenticated = caller
        return caller

    async def _renew_while_running(self) -> None:
        """Closes the socket when operations are running and its credentials are no longer valid."""
        due = first_renewal(self._runtime.renew_seconds)
        while True:
            await asyncio.sleep(due)
            due = self._runtime.renew_seconds
            if not self._running or self._sent is None:
                continue
            refusal = await self._runtime.refused_by_now(self._sent, request_id=self._request_id)
            if refusal is not None:
                await self._close(Closed(4403, str(refusal)[:100]))
                return

    def _seconds_left(self) -> float | None:
        expires_at = self._authenticated.expires_at if self._authenticated else None
        return None if expires_at is None else max(0.0, expires_at - time.time())

    async def _message(self, within: float | None, late: Closed) -> dict[str, Any]:
        """The next message. Raises `Left` and `Closed`."""
        limits = self._operations.limits
        return await next_message(self._receive, max_bytes=limits.max_body_bytes, within=within, late=late)

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ping":
                await self._send_text(pong_of(message))
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(id_of(message), message.get("payload"))
            case "complete":
                task = self._running.pop(id_of(message), None)
                if task is not None:
                    await ended(task)
            case "connection_init":
                raise Closed(4429, "Too many initialisation requests")
            case _:
                raise Closed(4400, "Invalid message: unknown type")

    async def _subscribe(self, id_: str, payload: object) -> None:
        if id_ in self._running:
            raise Closed(4409, f"Subscriber for {id_[:80]} already exists")
        if len(self._running) >= MAX_OPERATIONS:  # told before the next message is read: who does not read, waits
            await self._run(id_, payload, too_many=True)
            return
        task = asyncio.create_task(self._run(id_, payload, too_many=False), name=f"operation {id_}")
        self._running[id_] = task
        task.add_done_callback(lambda done: self._forget(id_, done))

    async def _run(self, id_: str, payload: object, *, too_many: bool) -> None:
        exchange = Exchange(self._request_id, exchange_of(self._scope).traceparent)
        with Observed("websocket", exchange, self._runtime) as observed:
            try:
                if too_many:
                    message = f"At most {MAX_OPERATIONS} operations run on one connection: complete some first."
                    raise refuse(429, Code.REQUEST_INVALID, message)
                caller = await self._authenticate()
                self._runtime.admission.admit(caller.subject, self._scope)
                request = from_parameters(payload)
                operation = prepared(
                    self._operations, request, caller, request_id=self._request_id, denials=self._runtime.denials
                )
            except Closed as closed:
                observed.ended(Code.UNAUTHENTICATED.value)
                await self._close(closed)
                return
            except Refusal as refusal:
                answer = refused(refusal)
                observed.ended(answer.code)
                await self._send({"id": id_, "type": "error", "payload": answer.body["errors"]})
                return
            observed.prepared(operation)
            try:
                if await self._answer(id_, request, operation, observed):
                    await self._send({"id": id_, "type": "complete"})
            except Left:
                observed.ended(Code.CANCELLED.value)
        log_access("operation", exchange.line())

    async def _answer(self, id_: str, request: GraphQLRequest, operation: Operation, observed: Observed) -> bool:
        """Sends the answers. False if the execution could not begin: the operation has ended with an error message and
        needs no `complete`.
        """
        new_context = partial(self._new_context, request.idempotency_key, observed)
        stream = self._operations.stream(operation, request, new_context, with_stores=request.wants_stores)
        observed.ended(OK)
        async with aclosing(stream):
            async for streamed in stream:
                observed.ended(streamed.answer.code)
                observed.used(streamed.ledger)
                if not streamed.answer.has_data:
                    await self._send({"id": id_, "type": "error", "payload": streamed.answer.body["errors"]})
                    return False
                await self._send({"id": id_, "type": "next", "payload": orjson.Fragment(streamed.payload)})
                del streamed  # as gateway.http.execution does
        return True

    def _forget(self, id_: str, done: "asyncio.Task[None]") -> None:
        if self._running.get(id_) is done:
            del self._running[id_]
        error = None if done.cancelled() else done.exception()
        if error is not None and not isinstance(error, OSError | Left):  # ASGI's send: the client has left
            _log.error("websocket_operation_failed", request_id=self._request_id, exc_info=error)

    def _new_context(self, idempotency_key: str | None, observed: Observed) -> Context:
        assert self._authenticated is not None
        context = self._runtime.new_context(self._authenticated.subject, self._request_id, None)
        context.idempotency_key = idempotency_key
        observed.hears(context.ledger)
        return context

    async def _send(self, message: dict[str, Any]) -> None:
        """Returns when the client has read earlier messages. Sends nothing after the close frame. Raises `Left`."""
        await self._send_text(orjson.dumps(message).decode())

    async def _send_text(self, text: str) -> None:
        if self._closed:
            return
        try:
            await self._asgi_send({"type": "websocket.send", "text": text})
        except OSError:
            raise Left from None
