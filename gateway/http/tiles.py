"""Serves tile bundles in byte ranges: `/tiles/{datasetId}/{tableName}/{mapId}.pmtiles`, as PMTiles readers request
them.

The guard of the dataset's table applies, with bearer tokens and API keys alike. Chunks are copied from S3 to the client
with backpressure, and a client that disconnects ends the reading. Only the client itself may cache answers, and must
revalidate them each time, so that a revoked permission counts at once.
"""

from collections.abc import Callable, Coroutine, Sequence
from email.utils import format_datetime
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.http.allowed import until_lost
from gateway.http.answer import OK, failed, refused
from gateway.http.body import HungUp
from gateway.http.byte_range import ByteRange, NotSatisfiable, asked_range, is_known, range_applies
from gateway.http.media_type import MediaType
from gateway.http.observed import Observed
from gateway.http.refusal import Refusal, refuse
from gateway.http.request_log import exchange_of
from gateway.http.respond import respond
from gateway.http.running import StreamBroken, send_while_read, while_waited_for
from gateway.http.unbroken import Broken, broken_off, unbroken
from gateway.lifespan import Runtime
from gateway.settings import Limits
from loaders.errors import (
    DENIALS,
    AxionError,
    Code,
    Forbidden,
    NotFound,
    PermissionsUnavailable,
    StoreError,
    Unauthenticated,
)
from loaders.ledger import Ledger
from loaders.objects.bucket import STORE as OBJECTS
from loaders.objects.bucket import ObjectReader
from resolvers.context import Context
from resolvers.gen.tiles import visible_bundle

_MEDIA_TYPE = b"application/vnd.pmtiles"
_STATUS = {Unauthenticated: 401, Forbidden: 403, NotFound: 404, PermissionsUnavailable: 503}

Headers = Sequence[tuple[bytes, bytes]]
Lost = Callable[[], Coroutine[Any, Any, NoReturn]]


class Tiles:
    """The ASGI application of this route."""

    def __init__(self, limits: Limits) -> None:
        self._timeout_ms = limits.request_timeout_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        with Observed("http", exchange, scope["state"]["runtime"]) as observed:
            try:
                with unbroken(exchange.request_id):
                    context, lost = await self._context(Request(scope), exchange.request_id)
                    observed.hears(context.ledger)
                    try:
                        opening = _opened(context, scope["path_params"])
                        reader = await while_waited_for(opening, receive, timeout_ms=self._timeout_ms)
                    except AxionError as error:
                        raise _refusal(error, context) from error
                    finally:
                        observed.used(context.ledger)
                await _answer(Request(scope), reader, receive, send, observed, lost)
                observed.ended(OK)
            except HungUp:
                observed.ended(Code.CANCELLED.value)
            except StreamBroken as error:
                observed.ended(broken_off(error, exchange.request_id))
            except Refusal as refusal:
                answer = refused(refusal)
                await respond(send, refusal.status, answer.encode(), MediaType.JSON, refusal.headers)
                observed.ended(answer.code)
            except Broken:
                answer = failed(exchange.request_id)
                await respond(send, 500, answer.encode(), MediaType.JSON)
                observed.ended(answer.code)

    async def _context(self, request: Request, request_id: str) -> tuple[Context, Lost]:
        runtime: Runtime = request.state.runtime
        authorization = request.headers.get("authorization")
        known = await runtime.authenticate(authorization, request.scope, request_id=request_id)
        runtime.admission.admit(known.subject, request.scope)
        context = runtime.new_context(known.subject, request_id, None)
        refused_by_now = partial(runtime.refused_by_now, authorization, request_id=request_id)
        return context, partial(until_lost, context, known, refused_by_now, every_s=runtime.renew_seconds)


async def _opened(context: Context, path: dict[str, str]) -> ObjectReader:
    """`NotFound` for ids that are none, too."""
    try:
        dataset_id, map_id = UUID(path["dataset"]), UUID(path["map"])
    except ValueError:
        context.verdicts.require_subject()
        raise NotFound("Tiles are at /tiles/{dataset id}/{table name}/{map id}.pmtiles.") from None
    key = await visible_bundle(context, dataset_id, path["table"], map_id)
    with context.ledger.statement(OBJECTS):
        return await context.stores.objects.open_input(key)


def _refusal(error: AxionError, context: Context) -> Refusal:
    if error.code in DENIALS:
        context.denied("tiles", error.code)
    if isinstance(error, StoreError):
        return refuse(503, error.code, str(error), headers={"retry-after": "5"}, store=error.store)
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
    headers = {"www-authenticate": 'Bearer realm="axion"'} if status == 401 else {}
    return refuse(status, error.code, str(error), headers=headers)


async def _answer(
    request: Request, reader: ObjectReader, receive: Receive, send: Send, observed: Observed, lost: Lost
) -> None:
    headers = [
        (b"etag", reader.etag.encode("latin-1")),
        (b"last-modified", format_datetime(reader.modified_at, usegmt=True).encode()),
        (b"accept-ranges", b"bytes"),
        (b"cache-control", b"private, no-cache"),
        (b"vary", b"authorization"),
    ]
    asked = request.headers
    if is_known(asked.get("if-none-match"), reader.etag):
        await _whole(send, 304, headers)
        return
    wanted: ByteRange | None = None
    if request.method == "GET" and range_applies(asked.get("if-range"), reader.etag):
        try:
            wanted = asked_range(asked.get("range"), reader.size)
        except NotSatisfiable:
            await _whole(send, 416, [*headers, (b"content-range", f"bytes */{reader.size}".encode())])
            return
    headers.append((b"content-type", _MEDIA_TYPE))
    status = 200
    if wanted is None:
        wanted = ByteRange(0, reader.size)
    else:
        status = 206
        headers.append((b"content-range", wanted.content_range(reader.size).encode()))
    headers.append((b"content-length", b"%d" % (wanted.end - wanted.start)))
    if request.method == "HEAD":
        await _whole(send, status, headers)
        return
    ledger = Ledger()
    try:
        with ledger.statement(OBJECTS) as usage:
            usage.bytes = wanted.end - wanted.start
            await send_while_read(_send(reader, wanted, status, headers, send), receive, send, lost=lost())
    finally:
        observed.used(ledger)


async def _send(reader: ObjectReader, wanted: ByteRange, status: int, headers: Headers, send: Send) -> None:
    """Sends the chunks. A failure after the first one aborts the connection, so that a part never looks complete."""
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    try:
        async for chunk in reader.stream(wanted.start, wanted.end):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except AxionError as error:
        raise StreamBroken from error


async def _whole(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b""})
