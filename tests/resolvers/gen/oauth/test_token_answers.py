"""A token endpoint whose answers are the test's own: what cannot be used of them, and who comes while it takes long."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from loaders.errors import BadInput, StoreQueryFailed
from loaders.ledger import Ledger
from loaders.oauth.client import OAuthClient, TokenEndpoint
from resolvers.gen.external_authorization import Returned, finish_authorization, start_authorization
from resolvers.idempotency import MutationRequest
from tests.resolvers.gen.oauth.world import REDIRECT, THIS_MACHINE, Connecting, OAuthStores, offered

GOOD = {"access_token": "a", "token_type": "Bearer", "refresh_token": "r", "scope": "read write"}


@dataclass(slots=True)
class Api:
    """It answers everybody the same, once it is told to."""

    answer: Mapping[str, object]
    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    async def token(self, _: web.Request) -> web.Response:
        self.asked.set()
        await self.answering.wait()
        return web.json_response(self.answer)


@asynccontextmanager
async def answering(answer: Mapping[str, object]) -> AsyncIterator[Api]:
    api, application = Api(answer), web.Application()
    application.router.add_post("/token", api.token)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    api.url = f"http://{host}:{port}"
    try:
        yield api
    finally:
        api.answering.set()
        await runner.cleanup()


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "read \0"},
        {"scope": "read\x7f"},
        {"access_token": "a\0"},
        {"refresh_token": ""},
        {"token_type": "mac"},
    ],
)
async def test_what_cannot_be_used_is_the_apis_failure(change: Mapping[str, object]) -> None:
    """U+0000 cannot be stored: the caller's input, or the database, would have seemed to be at fault."""
    client = OAuthClient(redirect_url=None, timeout_ms=60_000, reach=THIS_MACHINE)
    given = {"code": "c", "verifier": "v", "redirect_url": REDIRECT}
    async with answering({**GOOD, **change}) as api:
        api.answering.set()
        endpoint = TokenEndpoint("strange", f"{api.url}/token", "axion", None)
        with pytest.raises(StoreQueryFailed, match="no token that can be used") as caught:
            await client.exchange(endpoint, **given, ledger=Ledger())
        api.answer = GOOD
        assert (await client.exchange(endpoint, **given, ledger=Ledger())).scopes == ("read", "write")
    assert caught.value.store == "external_api:strange"
    await client.close()


async def test_a_retry_before_the_api_has_answered_is_told_to_come_again(opened: OAuthStores) -> None:
    async with answering(GOOD) as api:
        people = Connecting(opened, api.url, await offered(opened, api.url))
        started = await start_authorization(people.context(), people.api)
        returned = Returned("c", parse_qs(urlsplit(started.url).query)["state"][0])
        asked = MutationRequest("genExternalApiAuthorizeFinish", "it", {"code": returned.code, "state": returned.state})
        keyed = replace(people.context(), idempotency_key="impatient")
        first = asyncio.create_task(finish_authorization(keyed, returned, asked))
        await api.asked.wait()
        with pytest.raises(BadInput, match="same `Idempotency-Key`"):
            await finish_authorization(keyed, returned, asked)
        api.answering.set()
        account = await first
        assert await finish_authorization(keyed, returned, asked) == account
