"""uvicorn's HTTP/1.1 protocol with bounds that it lacks: on heads and framing, on their time, and on unread answers."""

from asyncio import TimerHandle, Transport
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.http.unread import BreaksOff

KEEP_ALIVE_SECONDS = 75
"""Of an idle connection: longer than proxies in front keep theirs (60 s), or they send into one that just closes."""


class _HeadTooLarge(Exception):
    """A head that arrived in one piece is found to be too large when it has been parsed."""


class BoundedHttp(BreaksOff, HttpToolsProtocol):
    """Accepts at most `outside_bytes` (and one read of the socket) in a row that are no part of a body: request line,
    headers, framing of chunks, trailers. The parser would collect them without end, at quadratic cost, before anybody
    is authenticated.

    A head must be complete `head_seconds` after its connection was opened or, on a connection that is kept alive, after
    its first bytes.

    A connection whose client reads nothing of its answers for `write_seconds` is aborted.
    """

    outside_bytes: ClassVar[int] = 64 << 10
    head_seconds: ClassVar[float] = 30.0

    _outside = 0
    _in_head = True
    _begun = False
    _late: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._is_read_if_closing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._is_read_if_closing()

    def _is_read_if_closing(self) -> None:
        """What is too little to pause the writing keeps a connection from closing all the same."""
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._unread.begin()

    def data_received(self, data: bytes) -> None:
        self._outside += len(data)
        super().data_received(data)
        if self._outside > self.outside_bytes:
            self._refuse_size()
        elif self._in_head and self._late is None:
            self._await_head()

    def on_message_begin(self) -> None:
        self._in_head = self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """What raises here ends in `send_400_response`."""
        if self._outside > self.outside_bytes and self._head_bytes() > self.outside_bytes:
            raise _HeadTooLarge
        self._in_head = False
        self._outside = 0
        if self._late is not None:
            self._forget_head()
        super().on_headers_complete()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)

    def send_400_response(self, msg: str) -> None:
        if self._in_head and self._outside > self.outside_bytes:
            self._refuse_size()
        else:
            super().send_400_response(msg)

    def on_body(self, body: bytes) -> None:
        self._outside = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._outside = 0
        super().on_message_complete()

    def _await_head(self) -> None:
        self._late = self.loop.call_later(self.head_seconds, self._too_late)

    def _forget_head(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._await_head()  # of a request behind one that is being answered
        elif self._begun:
            self._refuse(b"408 Request Timeout", b"The request's head did not arrive in time.")
        else:
            self.transport.close()
            self._is_read_if_closing()

    def _refuse_size(self) -> None:
        self._refuse(b"431 Request Header Fields Too Large", b"The request's head, or what frames it, is too large.")

    def _refuse(self, status: bytes, message: bytes) -> None:
        """Closes the connection and reads nothing more; sends the reason unless an answer is already under way."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close" % len(message)
            self.transport.write(b"HTTP/1.1 %s\r\n%s\r\n\r\n%s" % (status, head, message))
        self.transport.close()
        self._is_read_if_closing()
