from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from pydantic import ValidationError
from starlette.applications import Starlette

from deploy.local.environment import Addresses, settings_of
from deploy.local.secrets import Secrets
from gateway.auth.demo_issuer import DEMO_USERS, DemoOnly, demo_issuer_routes, mint_token
from gateway.auth.errors import TokenRejected
from gateway.auth.oidc import TokenVerifier
from gateway.settings import Settings
from tests.gateway.auth.serving import serving

SECRETS, OTHER_SECRETS = Secrets(), Secrets()


def demo_settings(port: int = 8000, *, secrets: Secrets = SECRETS, **changes: Any) -> Settings:
    """A stack's settings, as `axion stack up` would write them. Only the issuer's are used: no store is asked."""
    at = f"127.0.0.1:{port}"
    settings: dict[str, Any] = {}
    for name, value in settings_of(Addresses(at, at, at, at, gateway=at, issuer=at), secrets).items():
        *path, last = name.removeprefix("AXION_").lower().split("__")
        section = settings
        for step in path:
            section = section.setdefault(step, {})
        section[last] = value
    settings["encryption"]["keys"] = {1: secrets.encryption_key}
    return Settings(_env_file=None, **(settings | changes))


@pytest.fixture(scope="module")
async def live() -> AsyncIterator[Settings]:
    """The issuer served where its settings say, as the gateway serves it."""
    settings = demo_settings(unused_port())
    async with serving(Starlette(routes=demo_issuer_routes(settings)), settings.http.port):
        yield settings


@pytest.fixture(scope="module")
async def client(live: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{live.http.port}") as session:
        yield session


@pytest.fixture
async def tokens(live: Settings) -> AsyncIterator[TokenVerifier]:
    verifier = TokenVerifier(live.oidc)
    yield verifier
    await verifier.close()


@pytest.mark.parametrize("user", DEMO_USERS)
async def test_gateway_believes_its_own_tokens(live: Settings, tokens: TokenVerifier, user: str) -> None:
    claims = await tokens.verify(mint_token(live, user))
    assert (claims.subject, claims.email) == (f"demo|{user}", f"{user}@demo.example")
    assert claims.name == DEMO_USERS[user].name
    assert claims.expires_at - datetime.now(UTC) == pytest.approx(timedelta(hours=12), abs=timedelta(minutes=1))


async def test_expired_token(live: Settings, tokens: TokenVerifier) -> None:
    with pytest.raises(TokenRejected, match="has expired"):
        await tokens.verify(mint_token(live, "admin", lifetime=timedelta(minutes=-1)))


async def test_token_of_another_demo(live: Settings, tokens: TokenVerifier) -> None:
    other = demo_settings(live.http.port, secrets=OTHER_SECRETS)
    with pytest.raises(TokenRejected, match="current key"):
        await tokens.verify(mint_token(other, "admin"))


async def test_only_the_public_key_is_served(live: Settings, client: aiohttp.ClientSession) -> None:
    keys = await (await client.get("/demo/issuer/jwks.json")).json()
    assert [set(key) for key in keys["keys"]] == [{"kty", "n", "e", "kid", "use", "alg"}]
    discovery = await (await client.get("/demo/issuer/.well-known/openid-configuration")).json()
    assert discovery["issuer"] == live.oidc.issuer == f"http://127.0.0.1:{live.http.port}/demo/issuer"
    assert discovery["jwks_uri"] == live.oidc.jwks_url == f"{live.oidc.issuer}/jwks.json"


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:8000", "http://localhost:9000", "http://[::1]:8000"])
async def test_token_endpoint(client: aiohttp.ClientSession, tokens: TokenVerifier, origin: str | None) -> None:
    answer = await client.post("/demo/issuer/token?user=analyst", headers={"Origin": origin} if origin else {})
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    body = await answer.json()
    assert body["token_type"] == "Bearer"
    assert (await tokens.verify(body["access_token"])).subject == "demo|analyst"


@pytest.mark.parametrize("origin", ["null", "http://evil.example:8000", "http://127.0.0.1.evil.example", "http://[x"])
async def test_other_pages_get_no_token(client: aiohttp.ClientSession, origin: str) -> None:
    """Also of a name that was rebound to the loopback: the browser still says where the page is from."""
    answer = await client.post("/demo/issuer/token?user=admin", headers={"Origin": origin})
    assert answer.status == 403
    assert "access_token" not in await answer.text()


@pytest.mark.parametrize("query", ["", "?user=", "?user=root", "?user=demo|admin"])
async def test_unknown_user(client: aiohttp.ClientSession, live: Settings, query: str) -> None:
    answer = await client.post(f"/demo/issuer/token{query}")
    assert answer.status == 400
    assert (await answer.json())["error"] == "user must be one of admin, analyst, stranger"
    with pytest.raises(ValueError, match="no demo user"):
        mint_token(live, "root")


async def test_token_is_not_to_be_got(client: aiohttp.ClientSession) -> None:
    async with client.get("/demo/issuer/token?user=admin") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


def test_key_outside_demo_mode_is_refused() -> None:
    with pytest.raises(ValidationError, match="demo issuer exists in demo mode only"):
        demo_settings(mode="production")


@pytest.mark.parametrize("changes", [{"mode": "production", "demo_issuer_key": None}, {"demo_issuer_key": None}])
def test_no_issuer_without_demo_mode_and_key(changes: dict[str, Any]) -> None:
    settings = demo_settings(**changes)
    assert demo_issuer_routes(settings) == []
    with pytest.raises(DemoOnly, match="demo mode only"):
        mint_token(settings, "admin")
