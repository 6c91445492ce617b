"""Authenticates calls: HTTP Basic with the one user's password, or a bearer token, which a Basic call returns."""

import base64
import binascii
import hmac
from dataclasses import dataclass, field

from pyarrow import flight


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    password: str = field(repr=False)
    token: str = field(repr=False)

    def check(self, header: str) -> None:
        """Raises `FlightUnauthenticatedError`."""
        scheme, _, value = header.partition(" ")
        if scheme == "Bearer" and hmac.compare_digest(value.encode(), self.token.encode()):
            return
        if scheme == "Basic" and hmac.compare_digest(_decoded(value), f"{self.user}:{self.password}".encode()):
            return
        raise flight.FlightUnauthenticatedError("user, password or token is not right")


def _decoded(value: str) -> bytes:
    """Arrow's clients omit the padding."""
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return b""


class Handshake(flight.ServerAuthHandler):  # type: ignore[misc]  # pyarrow carries no types
    """Does nothing: `Checked` checks the headers of every call, including those of the handshake."""

    def authenticate(self, outgoing: object, incoming: object) -> None:
        return None

    def is_valid(self, token: bytes) -> str:
        return ""


class _Answered(flight.ServerMiddleware):  # type: ignore[misc]  # pyarrow carries no types
    def __init__(self, token: str) -> None:
        self._token = token

    def sending_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"}


class Checked(flight.ServerMiddlewareFactory):  # type: ignore[misc]  # pyarrow carries no types
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def start_call(self, info: object, headers: dict[str, list[str]]) -> _Answered:
        given = next((values for name, values in headers.items() if name.lower() == "authorization"), [""])
        self._credentials.check(given[0])
        return _Answered(self._credentials.token)
