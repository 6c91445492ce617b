"""The demo's own identity provider. It exists in demo mode only: in any other mode `Settings` refuses its key.

It asks for no password: anyone who can reach a demo gateway may sign in as any of its users.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.settings import Settings

PATH: Final = "/demo/issuer"
LIFETIME: Final = timedelta(hours=12)

_ALGORITHM: Final = "RS256"
_LOOPBACK: Final = {"127.0.0.1", "localhost", "::1"}


class DemoOnly(Exception):
    """A token was requested from a gateway that is not a demo."""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """`subject` is the `sub` of the user's tokens and the row's `external_auth_id`."""

    subject: str
    email: str
    name: str


DEMO_USERS: Final[Mapping[str, DemoUser]] = {
    "admin": DemoUser("demo|admin", "admin@demo.example", "Ada Admin"),
    "analyst": DemoUser("demo|analyst", "analyst@demo.example", "Anil Analyst"),
    "stranger": DemoUser("demo|stranger", "stranger@demo.example", "Sam Stranger"),
}


def mint_token(settings: Settings, user: str, *, lifetime: timedelta = LIFETIME) -> str:
    """A fresh access token. `ValueError` for a user that is not in `DEMO_USERS`, `DemoOnly` outside demo mode."""
    if user not in DEMO_USERS:
        raise ValueError(f"there is no demo user {user!r}: choose one of {', '.join(DEMO_USERS)}")
    return _mint(_key(settings), settings, DEMO_USERS[user], lifetime)


def demo_issuer_routes(settings: Settings) -> list[BaseRoute]:
    """The routes of discovery, keys and tokens; none outside demo mode or without the issuer's key."""
    if settings.mode != "demo" or settings.demo_issuer_key is None:
        return []
    key = _key(settings)
    issuer = settings.oidc.issuer
    origin = urlsplit(issuer).hostname
    discovery = {
        "issuer": issuer,
        "jwks_uri": settings.oidc.jwks_url,
        "token_endpoint": f"{issuer}/token",
        "id_token_signing_alg_values_supported": [_ALGORITHM],
        "subject_types_supported": ["public"],
        "response_types_supported": ["token"],
    }
    keys = {"keys": [key.as_dict(private=False, use="sig", alg=_ALGORITHM)]}

    async def configuration(_: Request) -> Response:
        return JSONResponse(discovery)

    async def jwks(_: Request) -> Response:
        return JSONResponse(keys, headers={"Cache-Control": "public, max-age=60"})

    async def token(request: Request) -> Response:
        if _is_foreign(request.headers.get("origin"), origin):
            return JSONResponse({"error": "tokens are given to pages of this gateway only"}, status_code=403)
        user = DEMO_USERS.get(request.query_params.get("user", ""))
        if user is None:
            return JSONResponse({"error": f"user must be one of {', '.join(DEMO_USERS)}"}, status_code=400)
        answer = {
            "access_token": _mint(key, settings, user, LIFETIME),
            "token_type": "Bearer",
            "expires_in": int(LIFETIME.total_seconds()),
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    return [
        Route(f"{PATH}/.well-known/openid-configuration", configuration),
        Route(f"{PATH}/jwks.json", jwks),
        Route(f"{PATH}/token", token, methods=["POST"]),
    ]


def _is_foreign(page: str | None, origin: str | None) -> bool:
    """Whether the request comes from a page of another host, even one whose name was rebound to this address."""
    if page is None:
        return False
    try:
        return urlsplit(page).hostname not in {*_LOOPBACK, origin}
    except ValueError:
        return True


def _key(settings: Settings) -> RSAKey:
    if settings.mode != "demo" or settings.demo_issuer_key is None:
        raise DemoOnly("tokens are minted in demo mode only (AXION_MODE=demo, with AXION_DEMO_ISSUER_KEY set)")
    key = RSAKey.import_key(settings.demo_issuer_key.get_secret_value())
    key.ensure_kid()
    return key


def _mint(key: RSAKey, settings: Settings, user: DemoUser, lifetime: timedelta) -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": settings.oidc.issuer,
        "aud": settings.oidc.audience,
        "sub": user.subject,
        "email": user.email,
        "name": user.name,
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
    }
    return jwt.encode({"alg": _ALGORITHM, "kid": key.kid, "typ": "at+jwt"}, claims, key)
