"""An API that does not answer delays only its own users."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from aiohttp import web

from loaders.errors import BadInput, Conflict, StoreTimeout
from loaders.ledger import Ledger
from loaders.oauth.client import OAuthClient, TokenEndpoint
from loaders.tables.axion_gen.external import ExternalApi, ExternalApiAccessToken
from resolvers.gen.external_tokens import access_token
from tests.resolvers.gen.conftest import GenStores
from tests.resolvers.gen.oauth.world import (
    REDIRECT,
    THIS_MACHINE,
    Connecting,
    OAuthStores,
    offered,
    with_oauth,
)

USERS = ("ann", "bob", "cay", "dan")


@dataclass(slots=True)
class Slow:
    """A token endpoint that answers nobody before it is told to. `waiting` counts who asked."""

    url: str = ""
    waiting: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    async def token(self, _: web.Request) -> web.Response:
        self.waiting += 1
        self.asked.set()
        await self.answering.wait()
        return web.json_response({"error": "invalid_grant"}, status=400)


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    slow = Slow()
    application = web.Application()
    application.router.add_post("/token", slow.token)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    slow.url = f"http://{host}:{port}/token"
    yield slow
    slow.answering.set()
    await runner.cleanup()


@pytest.fixture
async def patient(stores: GenStores) -> AsyncIterator[OAuthStores]:
    """Waits for an API for as long as the test runs."""
    quick = with_oauth(stores)
    client = OAuthClient(redirect_url=quick.oauth.redirect_url, timeout_ms=600_000, reach=THIS_MACHINE)
    yield OAuthStores(**{name: getattr(quick, name) for name in GenStores.__slots__}, oauth=client)
    await client.close()


async def test_one_that_does_not_answer_holds_up_no_other(patient: OAuthStores, provider_url: str, slow: Slow) -> None:
    apis = [Connecting(patient, provider_url, await offered(patient, provider_url)) for _ in range(2)]
    stuck, other = apis
    for name in USERS:
        await stuck.connected(name)
    await other.connected("ann")
    kept = await access_token(stuck.context("ann"), stuck.api)
    async with patient.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.update(ExternalApi).where(ExternalApi.id == stuck.api).values(token_url=slow.url))
    assert await access_token(stuck.context("ann"), stuck.api) == kept
    async with patient.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.delete(ExternalApiAccessToken))
    asking = [asyncio.create_task(access_token(stuck.context(name), stuck.api)) for name in USERS]
    await slow.asked.wait()
    assert (await access_token(other.context("ann"), other.api)).text
    assert slow.waiting == 1
    assert not any(task.done() for task in asking)
    last = asking.pop()
    last.cancel()
    slow.answering.set()
    with pytest.raises(asyncio.CancelledError):
        await last
    assert {type(error).__name__ for error in await asyncio.gather(*asking, return_exceptions=True)} == {"Conflict"}
    assert slow.waiting == len(asking)


async def test_it_does_not_take_all_connections(provider_url: str, slow: Slow) -> None:
    """Codes are exchanged without a turn: everybody's at once."""
    client = OAuthClient(redirect_url=None, timeout_ms=600_000, reach=THIS_MACHINE)
    stuck = TokenEndpoint("stuck", slow.url, "axion", None)
    other = TokenEndpoint("other", f"{provider_url}/token", "axion", None)

    async def exchanged() -> object:
        given = {"code": "c", "verifier": "v", "redirect_url": REDIRECT}
        return await client.exchange(stuck, **given, ledger=Ledger())

    asking = [asyncio.create_task(exchanged()) for _ in range(150)]
    await slow.asked.wait()
    with pytest.raises(Conflict, match="Connect again"):  # which is an answer
        await client.refresh(other, refresh_token="nonsense", ledger=Ledger())
    slow.answering.set()
    errors = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(error) for error in errors} <= {BadInput, StoreTimeout}
    await client.close()
