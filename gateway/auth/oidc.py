"""Verifies bearer tokens of the OpenID Connect provider: signed JWTs (RFC 7519), checked as RFC 8725 recommends."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from joserfc import jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jws import JWSRegistry

from gateway.auth.errors import TokenRejected
from gateway.auth.jwks import Jwks, KeySet, PublicKey
from gateway.settings import Oidc
from loaders.encode.base64url import decode

_KEY_TYPES: Final = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "Ed25519": "OKP",
}
"""The algorithms that can be enabled, each with its type of key. All are asymmetric: never `none`, never HMAC."""

_TYPES: Final = {"jwt", "at+jwt", "application/jwt", "application/at+jwt"}
_MAX_CHARS = 16_384
_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a verified token. `expires_at` (UTC) is `exp` plus the leeway."""

    subject: str
    expires_at: datetime
    email: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class _Header:
    algorithm: str
    key_id: str | None


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was verified with these keys and has not expired."""

    claims: Claims
    keys: KeySet
    until: float


class TokenVerifier:
    """Verifies tokens with the provider's current keys. Verified tokens are cached by hash until the keys change."""

    def __init__(self, settings: Oidc, *, jwks: Jwks | None = None, now: Callable[[], float] = time.time) -> None:
        if not settings.algorithms or not _KEY_TYPES.keys() >= set(settings.algorithms):
            raise ValueError(f"oidc.algorithms may hold {', '.join(_KEY_TYPES)} only")
        self._settings = settings
        self._jwks = jwks or Jwks(settings.jwks_url, cache_seconds=settings.jwks_cache_seconds)
        self._now = now
        self._registry = JWSRegistry(algorithms=settings.algorithms, strict_check_header=False)
        self._registry.max_header_length = _MAX_CHARS
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    async def close(self) -> None:
        await self._jwks.close()

    async def verify(self, token: str) -> Claims:
        """Raises `TokenRejected`, or `IdentityUnavailable` when the keys to verify it with cannot be fetched."""
        if len(token) > _MAX_CHARS or not token.isascii():
            raise TokenRejected("The bearer token is not a JWT.")
        keys = await self._jwks.current()
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is not None and known.keys is keys and self._now() < known.until:
            return known.claims
        header = self._header(token)
        key = self._key(keys, header)
        if key is None:
            keys = await self._jwks.newer_than(keys)
            key = self._key(keys, header)
        if key is None:
            raise TokenRejected("The token is not signed with a current key of the identity provider.")
        claims = self._claims(token, header, key)
        self._keep(digest, _Verified(claims, keys, claims.expires_at.timestamp()))
        return claims

    def _key(self, keys: KeySet, header: _Header) -> PublicKey | None:
        return keys.find(header.key_id, _KEY_TYPES[header.algorithm], header.algorithm)

    def _header(self, token: str) -> _Header:
        """Of the header only `alg` and `kid` are used, and only to choose among known algorithms and keys."""
        parts = token.split(".")
        try:
            header = orjson.loads(decode(parts[0])) if len(parts) == 3 else None
        except ValueError:
            header = None
        if not isinstance(header, dict):
            raise TokenRejected("The bearer token is not a JWT.")
        algorithm, key_id, type_ = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
        if algorithm not in self._settings.algorithms:
            allowed = ", ".join(self._settings.algorithms)
            raise TokenRejected(f"The token's signature algorithm is not accepted. Accepted: {allowed}.")
        if not isinstance(type_, str) or type_.lower() not in _TYPES:
            raise TokenRejected("The token is of another type than an access token.")
        if "crit" in header or not isinstance(key_id, str | None):
            raise TokenRejected("The token's header asks for what is not supported.")
        return _Header(algorithm, key_id)

    def _claims(self, token: str, header: _Header, key: PublicKey) -> Claims:
        rules = jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=self._settings.leeway_seconds,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(token, key, algorithms=[header.algorithm], registry=self._registry).claims
            rules.validate(claims)
            expires_at = datetime.fromtimestamp(claims["exp"] + self._settings.leeway_seconds, UTC)
        except (JoseError, ValueError, OverflowError, OSError, RecursionError) as error:
            raise TokenRejected(_reason(error)) from None
        subject = claims["sub"]
        if not (subject.isascii() and subject.isprintable() and len(subject) <= 255):  # OpenID Connect Core, section 2
            raise TokenRejected("The token's claim 'sub' is not a subject.")
        return Claims(subject, expires_at, _text(claims, "email"), _text(claims, "name"))

    def _keep(self, digest: bytes, verified: _Verified) -> None:
        self._verified[digest] = verified
        self._verified.move_to_end(digest)
        if len(self._verified) > _KEPT:
            self._verified.popitem(last=False)


def _text(claims: dict[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None


_CLAIMS: Final = {
    "iss": "The token is from another issuer.",
    "aud": "The token is meant for another audience.",
    "nbf": "The token is not valid yet.",
    "iat": "The token was issued in the future.",
}


def _reason(error: Exception) -> str:
    match error:
        case ExpiredTokenError():
            return "The token has expired. Sign in again."
        case BadSignatureError():
            return "The token's signature is wrong."
        case MissingClaimError(claim=claim):
            return f"The token lacks the claim '{claim.split(',')[0]}'."
        case InvalidClaimError(claim=claim):
            return _CLAIMS.get(claim, f"The token's claim '{claim}' is not valid.")
        case JoseError() | RecursionError():
            return "The bearer token is not a signed JWT."
        case _:
            return "The token's claim 'exp' is out of range."
