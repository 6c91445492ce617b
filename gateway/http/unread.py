"""Aborts connections whose clients do not read what is written to them, since the unread answers stay in memory."""

import fcntl
import socket
import struct
import termios
from asyncio import AbstractEventLoop, BaseTransport, Protocol, TimerHandle, Transport
from typing import ClassVar, cast

_LOOKS = 4
"""In the time without progress: it is noticed at most a quarter of it late."""


class Unread:
    """Watches the unread bytes of a transport between `begin` and `end`, and aborts it when none of them was read for
    `seconds`. A client that reads, however slowly, is not affected. Little or nothing may be written meanwhile.
    """

    __slots__ = ("_left", "_looks", "_loop", "_seconds", "_timer", "_transport")

    def __init__(self, loop: AbstractEventLoop, transport: Transport, seconds: float) -> None:
        self._loop = loop
        self._transport = transport
        self._seconds = seconds
        self._timer: TimerHandle | None = None
        self._left = self._looks = 0

    def begin(self) -> None:
        if self._timer is None:
            self._go_on(_unread_bytes(self._transport))

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_on(self, left: int) -> None:
        self._left, self._looks = left, 0
        self._again()

    def _again(self) -> None:
        self._timer = self._loop.call_later(self._seconds / _LOOKS, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._transport.get_write_buffer_size() == 0:
            return
        left = _unread_bytes(self._transport)
        if left < self._left:
            self._go_on(left)
            return
        self._looks += 1
        if self._looks < _LOOKS:
            self._again()
        else:
            self._break_off()

    def _break_off(self) -> None:
        """With a reset, or the kernel keeps what it has for as long as the client's system answers."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class BreaksOff(Protocol):
    """A mixin for uvicorn's protocols, to stand before them: aborts the connection of a client that reads nothing of
    what was written for `write_seconds`.
    """

    write_seconds: ClassVar[float] = 30.0
    loop: AbstractEventLoop

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._unread = Unread(self.loop, cast(Transport, transport), self.write_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unread.end()
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
