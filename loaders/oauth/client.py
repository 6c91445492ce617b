"""The client of an external API's token endpoint: each request is bounded, and its failures are told apart by cause."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlsplit
from uuid import UUID
from weakref import WeakValueDictionary

import aiohttp
import orjson

from loaders.addresses import InsideAddress, Reach, ReachResolver
from loaders.errors import (
    BadInput,
    Conflict,
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)
from loaders.ledger import Ledger

T = TypeVar("T")

_MAX_BYTES = 64 * 1024
_MAX_TOKEN_CHARACTERS = 16 * 1024
_CONNECT_S = 5.0
_AT_ONCE = 3
_CONNECTIONS = 100
_CONNECTIONS_EACH = 10
"""Of one API, so that one that does not answer leaves connections for the others."""
_DEFAULT_EXPIRES_S = 60
_LONGEST_S = 86_400
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """The token endpoint of one API, as an administrator has entered it. `client_secret` is None for a
    public client.
    """

    api: str
    url: str
    client_id: str
    client_secret: str | None = field(repr=False)

    @property
    def store(self) -> str:
        return f"external_api:{self.api}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """`refresh_token` is None when none was returned. `scopes` is None when the API does not say that they differ from
    those requested.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in_s: int
    scopes: tuple[str, ...] | None


class OAuthClient:
    """Follows no redirect, reads at most 64 KiB, and uses https only, or http to this machine if `reach` allows it."""

    def __init__(self, *, redirect_url: str | None, timeout_ms: int, reach: Reach) -> None:
        self.redirect_url = redirect_url
        self._timeout = aiohttp.ClientTimeout(total=timeout_ms / 1000, connect=_CONNECT_S)
        self._reach = reach
        self._session: aiohttp.ClientSession | None = None
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._outlasting: set[asyncio.Task[Any]] = set()

    async def close(self) -> None:
        """Waits for calls that outlived their callers: each of their steps has a time-out."""
        if self._outlasting:
            await asyncio.wait(self._outlasting)
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def turn(self, api_id: UUID) -> AsyncIterator[None]:
        """Held while an API is called within an open transaction, which occupies a database connection. In a process
        one call at a time goes to each API, so that a slow one delays no other, and at most three to all APIs.
        """
        async with self._turns.setdefault(api_id, asyncio.Lock()), self._at_once:
            yield

    async def to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Completes the work even when the caller is cancelled: a rotated refresh token must be stored, or the account
        is lost.
        """
        task = asyncio.create_task(work, name="an API's tokens")
        self._outlasting.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._outlasting.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved even when no caller is left

    def require_safe(self, url: str, *, field: str) -> None:
        """`BadInput` for a URL that tokens must not be sent to, and for text that is no URL."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise BadInput(f"`{field}` is no address. An administrator must correct it.", field=field) from None
        host = parts.hostname or ""
        plain = parts.scheme == "http" and self._reach.loopback and host in _THIS_MACHINE
        if host and (parts.scheme == "https" or plain):
            if not self._reach.allows_host(host):
                raise _inside(field)
            return
        raise BadInput(f"`{field}` must begin with https://: tokens are not sent in the clear.", field=field)

    async def exchange(
        self, endpoint: TokenEndpoint, *, code: str, verifier: str, redirect_url: str, ledger: Ledger
    ) -> Tokens:
        """Exchanges an authorization code for tokens. `BadInput` when the API rejects the code; else as `refresh`."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_url,
            "code_verifier": verifier,
        }
        return await self._ask(endpoint, form, ledger, BadInput(_CODE_REFUSED.format(endpoint.api), field="code"))

    async def refresh(self, endpoint: TokenEndpoint, *, refresh_token: str, ledger: Ledger) -> Tokens:
        """Exchanges a refresh token for tokens. `Conflict` when the API no longer accepts the refresh token,
        `StoreCredentialsRejected` when it rejects the client's id or secret, `StoreUnavailable`, `StoreTimeout`, and
        `StoreQueryFailed` for any other answer.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._ask(endpoint, form, ledger, Conflict(_CONNECTION_LOST.format(endpoint.api)))

    async def revoke(self, endpoint: TokenEndpoint, url: str, *, refresh_token: str, ledger: Ledger) -> None:
        """Revokes a refresh token, and with it its access tokens, at the revocation endpoint (RFC 7009).

        A token that has already ended counts as revoked. Raises what `refresh` raises, except `Conflict`.
        """
        form = {"token": refresh_token, "token_type_hint": "refresh_token"}
        status, body = await self._post(endpoint, url, form, ledger, field="revocationUrl")
        if status != 200:
            raise _refused(endpoint, status, _object(body), "revocation")

    async def _ask(
        self, endpoint: TokenEndpoint, form: Mapping[str, str], ledger: Ledger, not_granted: BadInput
    ) -> Tokens:
        status, body = await self._post(endpoint, endpoint.url, form, ledger, field="tokenUrl")
        return _answer(endpoint, status, body, not_granted)

    async def _post(
        self, endpoint: TokenEndpoint, url: str, form: Mapping[str, str], ledger: Ledger, *, field: str
    ) -> tuple[int, bytes | None]:
        self.require_safe(url, field=field)
        headers = {"accept": "application/json"}
        sent = dict(form)
        if endpoint.client_secret is None:
            sent["client_id"] = endpoint.client_id
        else:  # RFC 6749, 2.3.1: id and secret are form-encoded before they are joined
            name, password = quote_plus(endpoint.client_id), quote_plus(endpoint.client_secret)
            headers["authorization"] = aiohttp.encode_basic_auth(name, password)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(
                    resolver=ReachResolver(self._reach), limit=_CONNECTIONS, limit_per_host=_CONNECTIONS_EACH
                ),
            )
        with ledger.statement(endpoint.store) as usage:
            try:
                async with self._session.post(url, data=sent, headers=headers, allow_redirects=False) as response:
                    body = await _bounded(response)
                    status = response.status
            except TimeoutError as error:
                raise StoreTimeout(endpoint.store, f"{endpoint.api} did not answer in time. Try again.") from error
            except (aiohttp.ClientError, OSError) as error:
                if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, InsideAddress):
                    raise _inside(field) from error
                raise StoreUnavailable(endpoint.store, f"{endpoint.api} cannot be reached. Try again.") from error
            usage.bytes = len(body or b"")
        return status, body


async def _bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """The body of the answer; None when it is longer than an answer with tokens can be."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > _MAX_BYTES:
            return None
    return bytes(body)


def _answer(endpoint: TokenEndpoint, status: int, body: bytes | None, not_granted: BadInput) -> Tokens:
    answer = _object(body)
    if status == 200:
        tokens = None if answer is None else _tokens(answer)
        if tokens is None:
            raise StoreQueryFailed(
                endpoint.store,
                f"The token endpoint of {endpoint.api} answered with no token that can be used. Check its address.",
            )
        return tokens
    if answer is not None and answer.get("error") == "invalid_grant":
        raise not_granted
    raise _refused(endpoint, status, answer, "token")


def _refused(endpoint: TokenEndpoint, status: int, answer: Mapping[str, object] | None, which: str) -> StoreError:
    reason = None if answer is None else answer.get("error")
    if reason in ("invalid_client", "unauthorized_client") or status == 401:
        return StoreCredentialsRejected(
            endpoint.store,
            f"{endpoint.api} refuses the client id or secret it is given. An administrator must correct them.",
        )
    return StoreQueryFailed(
        endpoint.store,
        f"The {which} endpoint of {endpoint.api} refused the request (HTTP {status}). Check its address.",
    )


def _object(body: bytes | None) -> Mapping[str, object] | None:
    if body is None:
        return None
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _tokens(answer: Mapping[str, object]) -> Tokens | None:
    access, kind, refresh = answer.get("access_token"), answer.get("token_type"), answer.get("refresh_token")
    if not _is_token(access) or not isinstance(kind, str) or kind.lower() != "bearer":
        return None
    if refresh is not None and not _is_token(refresh):
        return None
    expires, scope = answer.get("expires_in"), answer.get("scope")
    scopes = tuple(scope.split()) if isinstance(scope, str) else None
    if not all(each.isprintable() for each in scopes or ()):  # RFC 6749, 3.3: visible ASCII; U+0000 cannot be stored
        return None
    seconds = expires if isinstance(expires, int) and expires > 0 else _DEFAULT_EXPIRES_S
    return Tokens(str(access), None if refresh is None else str(refresh), min(seconds, _LONGEST_S), scopes)


def _is_token(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_TOKEN_CHARACTERS and value.isprintable()


def _inside(field: str) -> BadInput:
    return BadInput(
        f"`{field}` leads into a private network, where no tokens are sent. Where that is meant, an operator sets "
        "AXION_OAUTH__ALLOW_PRIVATE_ADDRESSES.",
        field=field,
    )


_CODE_REFUSED = "{} does not accept this authorization code, or no longer does. Start the authorization again."
_CONNECTION_LOST = "{} has ended your connection: it no longer accepts the refresh token. Connect again."
