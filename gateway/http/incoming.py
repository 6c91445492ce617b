"""Reads an HTTP request for `/graphql`: who asks, for which operation, and in which form the answer is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import OperationType
from starlette.types import Receive, Scope

from gateway.http.authentication import Authenticated
from gateway.http.body import read_body
from gateway.http.documents import Operation
from gateway.http.media_type import DATA, MediaType, Parts, accepted_parts, is_json, takes_compressed
from gateway.http.observed import Observed
from gateway.http.operations import Operations
from gateway.http.prepared import prepared
from gateway.http.refusal import Refusal, refuse
from gateway.http.request import GraphQLRequest, from_body, from_query_string
from gateway.lifespan import Runtime
from loaders.errors import Code
from resolvers.context import Context

_HEADERS = {
    name.encode(): name
    for name in (
        "accept",
        "content-type",
        "content-encoding",
        "content-length",
        "authorization",
        "x-axion-stores",
        "last-event-id",
        "idempotency-key",
    )
}
_FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(slots=True)  # frozen, it would take two microseconds more of every request
class Incoming:
    """A request that was read and accepted. `takes_parts` is the form of an answer in parts, if the client accepts
    one.
    """

    request: GraphQLRequest
    operation: Operation
    authenticated: Authenticated
    with_stores: bool
    takes_compressed: bool
    takes_parts: Parts | None
    runtime: Runtime
    authorization: str | None = field(repr=False)
    request_id: str
    last_event_id: str | None
    idempotency_key: str | None

    async def refused_by_now(self) -> Refusal | None:
        """As `authentication.refused_by_now`."""
        return await self.runtime.refused_by_now(self.authorization, request_id=self.request_id)

    def new_context(self, observed: Observed) -> Context:
        context = self.runtime.new_context(self.authenticated.subject, self.request_id, self.last_event_id)
        context.idempotency_key = self.idempotency_key
        observed.hears(context.ledger)
        return context


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers of the request that are used here. Repeated ones are joined by commas, as HTTP defines it."""
    headers: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = _HEADERS.get(raw)
        if name is not None:
            text = value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


async def take_in(
    scope: Scope,
    receive: Receive,
    headers: Mapping[str, str],
    media_type: MediaType | None,
    *,
    operations: Operations,
    request_id: str,
) -> Incoming:
    """Raises `Refusal` for the client's mistakes, checking the cheapest first, and `HungUp`."""
    _check_method(scope)
    if media_type is None:
        raise refuse(406, Code.REQUEST_INVALID, f"Accept one of {', '.join(DATA)}.")
    runtime: Runtime = scope["state"]["runtime"]
    authenticated = await runtime.authenticate(headers.get("authorization"), scope, request_id=request_id)
    runtime.admission.admit(authenticated.subject, scope)
    request = await _request(scope, receive, headers, operations.limits.max_body_bytes)
    operation = prepared(operations, request, authenticated, request_id=request_id, denials=runtime.denials)
    _check_kind(scope, operation, media_type)
    return Incoming(
        request=request,
        operation=operation,
        authenticated=authenticated,
        with_stores=request.wants_stores or headers.get("x-axion-stores") == "1",
        takes_compressed=takes_compressed(headers.get("accept")),
        takes_parts=accepted_parts(headers.get("accept")),
        runtime=runtime,
        authorization=headers.get("authorization"),
        request_id=request_id,
        last_event_id=headers.get("last-event-id"),
        idempotency_key=headers.get("idempotency-key", request.idempotency_key),
    )


async def _request(scope: Scope, receive: Receive, headers: Mapping[str, str], max_body: int) -> GraphQLRequest:
    if scope["method"] == "GET":
        return from_query_string(scope["query_string"])
    if not is_json(headers.get("content-type")):
        raise _unsupported(headers.get("content-type"))
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        message = "The body must be sent uncompressed: Content-Encoding is not supported."
        raise refuse(415, Code.REQUEST_INVALID, message, headers={"accept-encoding": "identity"})
    return from_body(await read_body(receive, declared=headers.get("content-length"), maximum=max_body))


def _check_method(scope: Scope) -> None:
    if scope["method"] not in ("GET", "POST"):
        message = "Send queries by GET or POST, mutations by POST."
        raise refuse(405, Code.REQUEST_INVALID, message, headers={"allow": "GET, POST"})


def _check_kind(scope: Scope, operation: Operation, media_type: MediaType) -> None:
    if operation.kind is OperationType.MUTATION and scope["method"] == "GET":
        raise refuse(405, Code.REQUEST_INVALID, "Mutations are sent by POST.", headers={"allow": "POST"})
    if operation.kind is OperationType.MUTATION and media_type is MediaType.ARROW:
        message = "A mutation has no list to be streamed: send it with Accept: application/json. It was not executed."
        raise refuse(400, Code.REQUEST_INVALID, message, well_formed=True)
    if operation.kind is OperationType.SUBSCRIPTION and media_type is not MediaType.EVENT_STREAM:
        message = "Subscriptions are served over WebSocket (graphql-transport-ws) and as text/event-stream."
        raise refuse(400, Code.REQUEST_INVALID, message, well_formed=True)


def _unsupported(content_type: str | None) -> Refusal:
    """Bodies that a form can send are refused as CSRF: pages of other sites may send them without a preflight
    request.
    """
    is_form = content_type is None or content_type.split(";")[0].strip().lower() in _FORMS
    code = Code.CSRF_REFUSED if is_form else Code.REQUEST_INVALID
    return refuse(415, code, "The body must be sent as Content-Type: application/json, in UTF-8.")
