"""Aborts connections whose clients do not read what is written to them, since the unread answers stay in memory."""

import fcntl
import socket
import struct
import termios
from asyncio import AbstractEventLoop, BaseTransport, Protocol, TimerHandle, Transport
from typing import ClassVar, cast

_LOOKS = 4
"""In the time without progress: it is noticed at most a quarter of it late."""
_PATIENCE = 4
"""Times the time without progress: what a client may be waited for at once, if it reads little all along."""


class Unread:
    """Watches the unread bytes of a transport between `begin` and `end`, and aborts it when none of them was read for
    `seconds`, or when all in all they are read more slowly than `bytes_per_second`: what a client does not read stays
    in memory, and one that reads a byte now and then would keep it there for good.

    The latter is a token bucket of seconds: it holds `4 * seconds`, waiting for the client takes from it, and what the
    client reads adds to it. While nothing is left to be read, nobody waits for the client.
    """

    __slots__ = (
        "_bytes_per_second",
        "_left",
        "_looked_at",
        "_looks",
        "_loop",
        "_patience",
        "_seconds",
        "_timer",
        "_transport",
    )

    def __init__(self, loop: AbstractEventLoop, transport: Transport, seconds: float, bytes_per_second: float) -> None:
        self._loop = loop
        self._transport = transport
        self._seconds = seconds
        self._bytes_per_second = bytes_per_second
        self._patience = _PATIENCE * seconds
        self._timer: TimerHandle | None = None
        self._left = self._looks = 0
        self._looked_at = 0.0

    def begin(self) -> None:
        if self._timer is None:
            self._left, self._looked_at, self._looks = _unread_bytes(self._transport), self._loop.time(), 0
            self._again()

    def end(self) -> None:
        """The client has read nearly all."""
        if self._timer is not None:
            self._read_since()
            self.forget()

    def forget(self) -> None:
        """The connection is lost."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        self._timer = self._loop.call_later(self._seconds / _LOOKS, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._transport.get_write_buffer_size() == 0:
            return
        self._looks = 0 if self._read_since() else self._looks + 1
        if self._looks < _LOOKS and self._patience > 0:
            self._again()
        else:
            self._break_off()

    def _read_since(self) -> int:
        """The bytes that were read since the last look, which is now."""
        left, now = _unread_bytes(self._transport), self._loop.time()
        read, waited = max(self._left - left, 0), now - self._looked_at
        self._left, self._looked_at = left, now
        self._patience = min(
            self._patience - waited + read / self._bytes_per_second,
            _PATIENCE * self._seconds,
        )
        return read

    def _break_off(self) -> None:
        """With a reset, or the kernel keeps what it has for as long as the client's system answers."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class BreaksOff(Protocol):
    """A mixin for uvicorn's protocols, to stand before them: aborts the connection of a client that reads nothing of
    what was written for `write_seconds`, or less than `bytes_per_second` of it in the long run.
    """

    write_seconds: ClassVar[float] = 30.0
    bytes_per_second: ClassVar[float] = 1024.0
    loop: AbstractEventLoop

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._unread = Unread(self.loop, cast(Transport, transport), self.write_seconds, self.bytes_per_second)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unread.forget()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        self._unread.begin()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread.end()
        super().resume_writing()


def _unread_bytes(transport: Transport) -> int:
    """The bytes in our buffer and in the kernel's, which may hold megabytes and accepts more when a third of it is
    free.
    """
    queued = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    (kernel,) = struct.unpack("i", queued)
    return transport.get_write_buffer_size() + int(kernel)
