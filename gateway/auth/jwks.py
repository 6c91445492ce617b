"""The identity provider's public keys (RFC 7517), fetched from its JWKS endpoint and cached."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from gateway.auth.errors import IdentityUnavailable
from gateway.auth.single_flight import SingleFlight
from loaders.encode.base64url import decode

PublicKey = RSAKey | ECKey | OKPKey

_TIMEOUT = aiohttp.ClientTimeout(total=5, connect=2)
_MAX_BYTES = 256 * 1024
_MAX_KEYS = 100
_MIN_RSA_BITS = 2048
_REFETCH_S = 10.0
"""Minimum seconds between fetches for an unknown `kid`, however many forged tokens name one."""
_EARLY = 0.8
"""After this share of the keys' lifetime they are fetched again, while the old ones remain in use."""
_PATIENCE_S = 1.0
"""How long to wait for the provider's answer before keys past their lifetime are used again."""
_RETRY_S = 1.0
"""Minimum seconds between a failed fetch and the next."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class KeySet:
    """The keys of one fetch that can verify signatures."""

    keys: tuple[PublicKey, ...]

    def find(self, key_id: str | None, key_type: str, algorithm: str) -> PublicKey | None:
        """The key with the id that a token names. Without an id, the only key of that type; None when there are
        several.
        """
        fitting = [key for key in self.keys if key.key_type == key_type and key.alg in (None, algorithm)]
        if key_id is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.kid == key_id), None)


class Jwks:
    """The newest key set. Concurrent callers share a fetch.

    Keys are used for `cache_seconds`, and for the same time again while the provider cannot be reached. After that they
    are no longer trusted, because the provider may have withdrawn them.
    """

    def __init__(self, url: str, *, cache_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._flight: SingleFlight[str, KeySet] = SingleFlight()
        self._keys: KeySet | None = None
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._failure: str | None = None
        self._refreshing: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
        await self._flight.close()
        if self._session is not None:
            await self._session.close()

    async def current(self) -> KeySet:
        """Raises `IdentityUnavailable`. While there are cached keys, no caller waits for a provider that is known to be
        down.
        """
        age = self._clock() - self._fetched
        if self._keys is None or age >= 2 * self._cache_seconds:
            return await self._fetch()
        if age >= _EARLY * self._cache_seconds:
            refreshing = self._refresh()
            if age >= self._cache_seconds and self._failure is None:
                await asyncio.wait((refreshing,), timeout=_PATIENCE_S)
        return self._keys

    def _refresh(self) -> "asyncio.Task[None]":
        """The fetch in progress, or a new one."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._fetch_quietly(), name="fetch the provider's keys")
        return self._refreshing

    async def _fetch_quietly(self) -> None:
        with suppress(IdentityUnavailable):  # logged here, and raised once the keys are no longer usable
            await self._fetch()

    async def newer_than(self, known: KeySet) -> KeySet:
        """A key set for a key that `known` lacks: fetched again, unless that was just done. Who comes while it is being
        done waits for it: when the provider rolls its keys over, all its new tokens come at once. Raises
        `IdentityUnavailable`.
        """
        if self._keys is not None and self._keys is not known:
            return self._keys
        just_tried = self._failure is None and self._clock() < self._tried + _REFETCH_S
        if just_tried and not self._flight.is_running(self._url):
            return known
        return await self._fetch()

    async def _fetch(self) -> KeySet:
        if self._failure is not None and self._clock() < self._tried + _RETRY_S:
            raise IdentityUnavailable(self._failure)
        return await self._flight.run(self._url, self._fetch_now)

    async def _fetch_now(self) -> KeySet:
        tried = self._tried = self._clock()
        try:
            keys = _usable(await self._download())
        except IdentityUnavailable as error:
            self._failure = error.reason
            log.warning("jwks_unavailable", reason=error.reason)
            raise
        self._failure = None
        self._fetched = tried
        self._keys = keys
        return keys

    async def _download(self) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        try:
            async with self._session.get(self._url, allow_redirects=False) as response:
                if response.status != 200:
                    raise IdentityUnavailable(f"the JWKS endpoint answered {response.status}")
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > _MAX_BYTES:
                        raise IdentityUnavailable(f"the JWKS is larger than {_MAX_BYTES} bytes")
                return bytes(body)
        except TimeoutError:
            raise IdentityUnavailable("the JWKS endpoint gave no answer in time") from None
        except aiohttp.ClientError as error:
            raise IdentityUnavailable(f"the JWKS endpoint failed ({type(error).__name__})") from error


def _usable(body: bytes) -> KeySet:
    """Public keys for signatures; others are ignored (RFC 7517, section 5)."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise IdentityUnavailable("the JWKS is not JSON") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
        raise IdentityUnavailable(f"the JWKS has no list of at most {_MAX_KEYS} keys")
    keys = tuple(key for entry in entries if (key := _public_key(entry)) is not None)
    if not keys:
        raise IdentityUnavailable("the JWKS has no key that verifies signatures")
    return KeySet(keys)


def _public_key(entry: object) -> PublicKey | None:
    """None for secret keys, which must not be published, for keys with another use, and for RSA keys that are too
    short.
    """
    if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP") or "d" in entry:
        return None
    operations = entry.get("key_ops")
    verifies = operations is None or (isinstance(operations, list) and "verify" in operations)
    if entry.get("use", "sig") != "sig" or not verifies:
        return None
    try:
        if entry["kty"] == "RSA" and int.from_bytes(decode(entry["n"])).bit_length() < _MIN_RSA_BITS:
            return None
        key = JWKRegistry.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("jwk_unreadable", error=type(error).__name__)
        return None
    return key if isinstance(key, PublicKey) else None
