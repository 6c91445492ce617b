"""Where a Flight SQL server may send its client for rows: nowhere but to itself.

The server answers a question with endpoints: a ticket each, and the locations where the ticket may be redeemed. They
are the server's own words, so a client that goes to them connects, with the data source's credentials, to whatever a
hostile or compromised server names (server-side request forgery). Here a ticket is redeemed over the connection that
it came by, or not at all.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import flight

_REUSE_CONNECTION: Final = "arrow-flight-reuse-connection"
"""The scheme of the location that stands for the connection a question was asked over (Flight.proto)."""


class RowsElsewhere(pa.ArrowException):  # type: ignore[misc]  # pyarrow carries no types
    """The server names only other places for some of its rows."""


class Home:
    """The places that are the data source's own server: its port, at the host as it was entered or as it was resolved.

    No location is ever dialed; one that is not the server's own is refused, because the server may not know the ticket.
    """

    def __init__(self, port: int, *hosts: str) -> None:
        self._port = port
        self._hosts = frozenset(host.lower() for host in hosts)

    def tickets(self, endpoints: Iterable[flight.FlightEndpoint]) -> list[flight.Ticket]:
        """Of endpoints without a location, or with one that is the server's own; `RowsElsewhere` if any has neither."""
        return [self._ticket(endpoint) for endpoint in endpoints]

    def _ticket(self, endpoint: flight.FlightEndpoint) -> flight.Ticket:
        locations = endpoint.locations
        if locations and not any(self._is_own(location.uri) for location in locations):
            raise RowsElsewhere("the server names other places for its rows")
        return endpoint.ticket

    def _is_own(self, uri: bytes) -> bool:
        try:
            parts = urlsplit(uri.decode())
            port = parts.port
        except ValueError:
            return False
        if parts.scheme == _REUSE_CONNECTION:
            return True
        return parts.scheme in ("grpc", "grpc+tcp", "grpc+tls") and port == self._port and parts.hostname in self._hosts
