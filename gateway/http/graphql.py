"""`/graphql` following the GraphQL over HTTP specification: queries by GET and POST, mutations by POST, JSON bodies
only.

Cross-site requests: callers authenticate with a bearer token and never with cookies, so a foreign page cannot act as
its visitor. Also refused are bodies that a form can send (415), mutations by GET (405), and foreign origins (no CORS
except for the origins in the settings; WebSockets check the Origin header).
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from time import perf_counter

from graphql import GraphQLSchema
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.http.answer import OK, Answer, failed, refused
from gateway.http.arrow import arrow_response
from gateway.http.body import HungUp
from gateway.http.graphiql import Explorer
from gateway.http.incoming import Incoming, headers_of, take_in
from gateway.http.media_type import MediaType, accepted
from gateway.http.multipart import send_only_part, send_parts
from gateway.http.observed import Observed
from gateway.http.operations import Operations
from gateway.http.parts import InParts
from gateway.http.refusal import Refusal
from gateway.http.request_log import exchange_of
from gateway.http.respond import respond, respond_until_read
from gateway.http.running import StreamBroken, timed_out, while_waited_for
from gateway.http.sse import send_events
from gateway.http.unbroken import Broken, broken_off, unbroken
from gateway.http.websocket import serve_socket
from gateway.limits.trusted import TrustedDocuments
from gateway.settings import Settings
from loaders.errors import Code
from resolvers.context import Context


class GraphQL:
    """The ASGI application of this path. `scope["state"]["runtime"]` is what the lifespan opened."""

    def __init__(self, schema: GraphQLSchema, settings: Settings, explorer: Explorer) -> None:
        self._operations = Operations(
            schema,
            settings.limits,
            anonymous_introspection=settings.http.anonymous_introspection,
            trusted=TrustedDocuments.read(settings.trusted_documents.file, only=settings.trusted_documents.only),
        )
        self._explorer = explorer
        self._origins = frozenset(settings.http.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await serve_socket(scope, receive, send, operations=self._operations, allowed_origins=self._origins)
            return
        headers = headers_of(scope)
        bare = scope["method"] == "GET" and not scope["query_string"]
        media_type = accepted(headers.get("accept"), page=bare)
        if media_type is MediaType.HTML:
            page = await self._explorer.page(Request(scope))
            await page(scope, receive, send)
            return
        exchange = exchange_of(scope)
        with Observed(
            "sse" if media_type is MediaType.EVENT_STREAM else "http", exchange, scope["state"]["runtime"]
        ) as observed:
            try:
                with unbroken(exchange.request_id):
                    incoming = await take_in(
                        scope, receive, headers, media_type, operations=self._operations, request_id=exchange.request_id
                    )
                observed.prepared(incoming.operation)
                await self._answer(incoming, media_type, receive, send, observed)
            except HungUp:
                observed.ended(Code.CANCELLED.value)
            except StreamBroken as error:
                observed.ended(broken_off(error, exchange.request_id))
            except Refusal as refusal:
                await _refuse(refusal, media_type, send, observed)
            except Broken:
                answer = failed(exchange.request_id)
                await respond(send, 500, answer.encode(), _json(media_type))
                observed.ended(answer.code)

    async def _answer(
        self, incoming: Incoming, media_type: MediaType | None, receive: Receive, send: Send, observed: Observed
    ) -> None:
        if media_type is MediaType.EVENT_STREAM:
            await send_events(incoming, self._operations, receive, send, observed)
            return
        constant = incoming.operation.constant
        if constant is not None and not incoming.with_stores and media_type is not MediaType.ARROW:
            await _whole(incoming, media_type, _Whole(200, constant, OK), receive, send)
            observed.ended(OK)
            return
        answered = await self._answered(incoming, media_type, receive, send, observed)
        if isinstance(answered, _Whole):
            await _whole(incoming, media_type, answered, receive, send)
            answered = answered.code
        observed.ended(answered)

    async def _answered(
        self, incoming: Incoming, media_type: MediaType | None, receive: Receive, send: Send, observed: Observed
    ) -> "_Whole | str":
        """What is still to be sent, or the code of what was. The context, with all it has loaded, ends with this."""
        with unbroken(incoming.request_id):
            context = incoming.new_context(observed)
        try:
            if media_type is MediaType.ARROW:
                return await arrow_response(self._operations, incoming, context, receive, send)
            return await self._run(incoming, context, media_type, receive, send)
        finally:
            observed.used(context.ledger)

    async def _run(
        self, incoming: Incoming, context: Context, media_type: MediaType | None, receive: Receive, send: Send
    ) -> "_Whole | str":
        started, timeout_ms = perf_counter(), self._operations.limits.request_timeout_ms
        with unbroken(incoming.request_id):
            begun = self._begin(incoming, context)
            if isinstance(begun, Answer):
                answer: Answer | InParts = begun
            else:
                answer = await while_waited_for(begun, receive, timeout_ms=timeout_ms)
            if isinstance(answer, Answer):
                status = 200 if answer.has_data or media_type is not MediaType.GRAPHQL else 400
                return _Whole(status, answer.encode(), answer.code)
            first = answer.first()
        ends = started + timeout_ms / 1000
        await send_parts(answer, first, receive, send, ends=ends, timed_out=timed_out(timeout_ms))
        return answer.code

    def _begin(self, incoming: Incoming, context: Context) -> Answer | Awaitable[Answer] | Awaitable[Answer | InParts]:
        operation, request, with_stores = incoming.operation, incoming.request, incoming.with_stores
        if operation.in_parts is None or incoming.takes_parts is None:
            return self._operations.run(operation, request, context, with_stores=with_stores)
        form = incoming.takes_parts
        return self._operations.run_in_parts(operation, request, context, form, with_stores=with_stores)


@dataclass(frozen=True, slots=True)
class _Whole:
    status: int
    body: bytes
    code: str


async def _whole(
    incoming: Incoming, media_type: MediaType | None, answer: _Whole, receive: Receive, send: Send
) -> None:
    if media_type is MediaType.MIXED and incoming.takes_parts is not None:
        await send_only_part(answer.body, incoming.takes_parts, receive, send)
    else:
        await respond_until_read(receive, send, answer.status, answer.body, _json(media_type))


async def _refuse(refusal: Refusal, media_type: MediaType | None, send: Send, observed: Observed) -> None:
    answer = refused(refusal)
    status = 200 if refusal.well_formed and media_type is MediaType.JSON else refusal.status
    await respond(send, status, answer.encode(), _json(media_type), refusal.headers)
    observed.ended(answer.code)


def _json(media_type: MediaType | None) -> MediaType:
    return MediaType.GRAPHQL if media_type is MediaType.GRAPHQL else MediaType.JSON
