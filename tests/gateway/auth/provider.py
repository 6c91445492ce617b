"""An identity provider for tests: real keys, a real JWKS endpoint on a loopback port, a clock that tests move."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, RSAKey

from gateway.auth.jwks import Jwks
from gateway.auth.oidc import TokenVerifier
from gateway.settings import Oidc

ISSUER = "https://identity.example"
AUDIENCE = "axion-gateway"
SigningKey = RSAKey | ECKey


def rsa(key_id: str | None, *, bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": key_id} if key_id else None)


def ec(key_id: str, curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, {"kid": key_id})


@dataclass
class Clock:
    """Seconds: of the caches when `seconds`, of the tokens' times too."""

    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Provider:
    """Publishes `keys` (or `body`, with `status`) while `gate` is open; `asked` is set at the first fetch."""

    keys: list[SigningKey]
    clock: Clock = field(default_factory=Clock)
    url: str = ""
    status: int = 200
    body: bytes | None = None
    fetches: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    opened: list[TokenVerifier] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    async def answer(self, _: web.Request) -> web.Response:
        self.fetches += 1
        self.asked.set()
        await self.gate.wait()
        if self.body is not None:
            return web.Response(body=self.body, status=self.status)
        return web.json_response(self.document, status=self.status)

    def settings(self, **changes: Any) -> Oidc:
        return Oidc(**{"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": self.url} | changes)

    def verifier(self, **changes: Any) -> TokenVerifier:
        settings = self.settings(**changes)
        jwks = Jwks(settings.jwks_url, cache_seconds=settings.jwks_cache_seconds, clock=self.clock)
        self.opened.append(verifier := TokenVerifier(settings, jwks=jwks, now=self.clock))
        return verifier

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good ones, changed; `...` leaves a claim out."""
        now = int(self.clock())
        good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "auth0|1", "iat": now, "nbf": now, "exp": now + 600}
        return {name: value for name, value in (good | changes).items() if value is not ...}

    def token(self, key: SigningKey | None = None, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        key = key or self.keys[0]
        algorithm = {"RSA": "RS256", "EC": "ES256"}[key.key_type]
        return sign({"alg": algorithm, "kid": key.kid, "typ": "JWT"} | (header or {}), self.claims(**claims), key)


def part(value: bytes | object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(header: object, claims: bytes | object, key: SigningKey) -> str:
    """A JWS in compact form with a right signature (RS256, ES256) over whatever header and claims are given."""
    signed = f"{part(header)}.{part(claims)}"
    if isinstance(key, RSAKey):
        assert key.private_key is not None
        signature = key.private_key.sign(signed.encode(), PKCS1v15(), SHA256())
    else:
        assert key.private_key is not None
        r, s = decode_dss_signature(key.private_key.sign(signed.encode(), ECDSA(SHA256())))
        size = (key.private_key.key_size + 7) // 8
        signature = r.to_bytes(size) + s.to_bytes(size)
    return f"{signed}.{part(signature)}"


@asynccontextmanager
async def provider(*keys: SigningKey) -> AsyncIterator[Provider]:
    running = Provider(list(keys))
    running.gate.set()
    application = web.Application()
    application.router.add_get("/jwks.json", running.answer)
    async with TestServer(application, host="127.0.0.1") as server:
        running.url = str(server.make_url("/jwks.json"))
        yield running
        for verifier in running.opened:
            await verifier.close()
