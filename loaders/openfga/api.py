"""OpenFGA's HTTP API: one bounded request, JSON in and out, every failure a `PermissionsUnavailable`.

aiohttp and orjson, because requests wait for these answers; docs/adr/0002 has the figures. Stores and models are
managed over openfga-sdk (`migrations.openfga.management`).
"""

from typing import Any, Final, Self

import aiohttp
import orjson

from loaders.errors import PermissionsUnavailable
from loaders.ledger import Ledger

STORE_NAME: Final = "openfga"
_CONNECTIONS: Final = 64

Json = dict[str, Any]
"""A decoded JSON object. Code that reads a value from it checks the value's type."""


class Refused(PermissionsUnavailable):
    """OpenFGA answered with an error. `reason` is its code, e.g. `authorization_model_not_found`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(
            f"OpenFGA refused the request (HTTP {status}, {reason}): access cannot be decided, so it is denied. "
            "Check that the model is up to date (`axion migrate openfga`) and that the gateway's token is valid."
        )
        self.status = status
        self.reason = reason


class TimedOut(PermissionsUnavailable):
    """OpenFGA did not answer within the time-out."""

    def __init__(self) -> None:
        super().__init__("OpenFGA did not answer in time: access cannot be decided, so it is denied. Try again.")


def unreachable() -> PermissionsUnavailable:
    return PermissionsUnavailable("OpenFGA cannot be reached: access cannot be decided, so it is denied. Try again.")


def nonsense() -> PermissionsUnavailable:
    return PermissionsUnavailable(
        "OpenFGA's answer could not be understood: access cannot be decided, so it is denied. "
        "Check that the configured address is an OpenFGA server."
    )


class Api:
    """One server. Opens connections as needed; a broken one is dropped, so the server may come and go."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    @classmethod
    async def open(cls, *, url: str, token: str | None, timeout_ms: int) -> Self:
        """Makes no request: a server that is down is noticed by the first one."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout_ms / 1000),
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
        )
        return cls(session, url)

    async def request(
        self, method: str, path: str, body: object = None, *, ledger: Ledger, params: Json | None = None
    ) -> Json:
        """The answer as a JSON object. The time-out covers waiting for a connection, sending and reading.

        Raises `TimedOut`, `Refused` for any status but 2xx, or `PermissionsUnavailable` when there is no JSON object.
        """
        with ledger.statement(STORE_NAME) as usage:
            try:
                status, raw = await self._send(method, path, None if body is None else orjson.dumps(body), params)
            except TimeoutError as error:
                raise TimedOut from error
            except aiohttp.ClientError as error:
                raise unreachable() from error
            usage.bytes = len(raw)
        return _decoded(status, raw)

    async def _send(self, method: str, path: str, data: bytes | None, params: Json | None) -> tuple[int, bytes]:
        async with self._session.request(
            method, self._url + path, data=data, params=params, allow_redirects=False
        ) as response:
            return response.status, await response.read()

    async def close(self) -> None:
        await self._session.close()


def _decoded(status: int, raw: bytes) -> Json:
    try:
        answer = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise (nonsense() if 200 <= status < 300 else Refused(status, "no reason given")) from error
    if not isinstance(answer, dict):
        raise nonsense()
    if not 200 <= status < 300:
        reason = answer.get("code")
        raise Refused(status, reason if isinstance(reason, str) else "no reason given")
    return answer
