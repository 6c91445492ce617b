"""uvicorn's WebSocket protocol with a bound that it lacks: on how long a client may read nothing."""

from asyncio import BaseTransport, Transport
from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.http.unread import BreaksOff


class BoundedSocket(BreaksOff, WebSocketsSansIOProtocol):
    """Aborts the connection of a client that reads nothing for `write_seconds`, also while it is being closed."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        cast(Transport, transport).set_write_buffer_limits(high=0)  # writing is paused as soon as anything is left

    def handle_ping(self) -> None:
        """Who sends pings and reads no pong gets none more (RFC 6455, 5.5.3: not every ping needs its own)."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()
