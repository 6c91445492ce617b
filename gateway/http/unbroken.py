"""Failures that no answer can tell whole. What is unexpected is logged with its traceback, and raised as `Broken`; what
breaks off a stream is logged in one line, the end of the gateway included.
"""

from types import TracebackType

import structlog
from starlette.types import Send

from gateway.http.answer import refused
from gateway.http.body import HungUp
from gateway.http.media_type import MediaType
from gateway.http.refusal import Refusal, refuse
from gateway.http.respond import respond
from gateway.http.running import StreamBroken
from loaders.errors import AxionError, Code

_log = structlog.get_logger(__name__)


class Broken(Exception):
    """The gateway failed before anything was sent, and has logged why."""


class unbroken:
    """A context manager (a generator would take twice as long, of every request) that lets through only what the client
    may be told; other errors are logged and become `Broken`.
    """

    __slots__ = ("_request_id",)

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(error, Exception) and not isinstance(error, HungUp | Refusal):
            _log.exception("request_failed", request_id=self._request_id)
            raise Broken from error


def broken_off(error: StreamBroken, request_id: str) -> str:
    """Logs why a stream ends early and returns the code. To be called last: the server aborts the connection of a
    response that is left unfinished. Raises the error again if nobody foresaw its cause.
    """
    cause = error.__cause__
    if isinstance(cause, AxionError):
        code: Code = cause.code
    elif isinstance(cause, Refusal):
        code = cause.errors[0][1]
    else:
        raise error
    _log.warning("stream_broken", request_id=request_id, code=code.value, reason=str(cause))
    return code.value


async def stopped(send: Send, request_id: str, *, begun: bool) -> None:
    """Ends a request that the server has cancelled: it was told to end, and has waited for as long as it does. An
    answer that has begun is logged and left unfinished; otherwise the answer is 503. To be called last.
    """
    if begun:
        reason = "The gateway was told to end."
        _log.warning("stream_broken", request_id=request_id, code=Code.CANCELLED.value, reason=reason)
        return
    message = "The gateway is ending and has cancelled this request. Send it again, with the same `Idempotency-Key`."
    answer = refused(refuse(503, Code.CANCELLED, message))
    await respond(send, 503, answer.encode(), MediaType.JSON)
