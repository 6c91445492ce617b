"""OAuth 2 with oidc-provider, which requires PKCE, rotates refresh tokens, and ends a grant whose token is
used twice.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from loaders.addresses import Reach
from loaders.errors import (
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    StoreCredentialsRejected,
    StoreQueryFailed,
    StoreUnavailable,
    Unauthenticated,
)
from loaders.tables.axion_gen.external import ExternalApi, ExternalApiAuthorization
from resolvers.gen.external_apis import set_client_secret
from resolvers.gen.external_authorization import Returned, finish_authorization, start_authorization
from resolvers.gen.external_tokens import access_token
from resolvers.idempotency import KeyReused, MutationRequest
from tests.resolvers.gen.conftest import GenStores
from tests.resolvers.gen.oauth.world import (
    CLIENT_SECRET,
    Connecting,
    OAuthStores,
    consented,
    install,
    offered,
    provider,
    refresh_token,
    with_oauth,
)


@pytest.fixture(scope="module")
async def hasty_url() -> AsyncIterator[str]:
    """Its access tokens are about to expire as soon as they are given."""
    install()
    async with provider(access_seconds=20) as url:
        yield url


@pytest.fixture
async def hasty(opened: OAuthStores, hasty_url: str) -> Connecting:
    return Connecting(opened, hasty_url, await offered(opened, hasty_url))


async def test_a_user_connects_and_gets_access(people: Connecting) -> None:
    started = await start_authorization(people.context(), people.api)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(started.url).query).items()}
    assert (asked["display"], asked["response_type"], asked["code_challenge_method"]) == ("page", "code", "S256")
    assert asked["scope"] == "openid"
    code, state = await consented(started.url)
    assert state == asked["state"]
    await finish_authorization(people.context(), Returned(code=code, state=state))
    token = await access_token(people.context(), people.api)
    assert (token.expires_at - datetime.now(UTC)).total_seconds() > 3_500
    assert (await access_token(people.context(), people.api)).text == token.text
    assert await refresh_token(people) not in (token.text, code)
    assert token.text not in repr(token)
    assert state not in repr(started)


async def test_a_confidential_client_sends_its_secret(opened: OAuthStores, provider_url: str) -> None:
    api = await offered(opened, provider_url, client_id="axion-secret")
    people = Connecting(opened, provider_url, api)
    with pytest.raises(StoreCredentialsRejected, match="client id or secret"):
        await people.connected()
    await set_client_secret(people.context("admin"), api, CLIENT_SECRET)
    await people.connected()
    await set_client_secret(people.context("admin"), api, "another")
    with pytest.raises(StoreCredentialsRejected) as caught:
        await people.connected("bob")
    assert "another" not in str(caught.value)


async def test_a_secret_is_set_by_admins(people: Connecting) -> None:
    with pytest.raises(Forbidden):
        await set_client_secret(people.context(), people.api, "mine")
    async with people.stores.postgres["axion_gen"].transaction() as session:
        api = await session.get_one(ExternalApi, people.api)
    assert api.encrypted_client_secret is None


async def test_a_state_is_taken_once(people: Connecting) -> None:
    started = await start_authorization(people.context(), people.api)
    code, state = await consented(started.url)
    await finish_authorization(people.context(), Returned(code=code, state=state))
    with pytest.raises(BadInput, match="Start again"):
        await finish_authorization(people.context(), Returned(code=code, state=state))


async def test_a_repeated_mutation_has_its_first_answer(people: Connecting) -> None:
    """Under its key; a code that goes with another one is no retry."""
    started = await start_authorization(people.context(), people.api)
    returned = Returned(*await consented(started.url))
    asked = MutationRequest("genExternalApiAuthorizeFinish", "it", {"code": returned.code, "state": returned.state})
    keyed = replace(people.context(), idempotency_key="finish")
    account = await finish_authorization(keyed, returned, asked)
    assert await finish_authorization(keyed, returned, asked) == account
    with pytest.raises(KeyReused):
        await finish_authorization(keyed, returned, replace(asked, input={"code": "other"}))
    with pytest.raises(BadInput, match="Start again"):
        await finish_authorization(replace(keyed, idempotency_key="other"), returned, asked)
    kept = sa.text("SELECT string_agg(k::text, ' ') FROM idempotency_keys AS k")
    async with people.stores.postgres["axion_gen"].transaction() as session:
        noted = str(await session.scalar(kept))
    assert str(account) in noted
    assert returned.code not in noted
    assert returned.state not in noted


async def test_who_hangs_up_while_connecting_is_connected(people: Connecting) -> None:
    """The API takes the code once: what it gives for it is kept, and a retry is told."""
    started = await start_authorization(people.context(), people.api)
    returned = Returned(*await consented(started.url))
    asked = MutationRequest("genExternalApiAuthorizeFinish", "it", {"code": returned.code, "state": returned.state})
    keyed = replace(people.context(), idempotency_key="hung up")
    first = asyncio.create_task(finish_authorization(keyed, returned, asked))
    await asyncio.sleep(0)  # it has begun
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await people.stores.oauth.close()
    account = await finish_authorization(keyed, returned, asked)
    assert (await access_token(people.context(), people.api)).text
    assert account


async def test_a_state_is_of_who_started(people: Connecting) -> None:
    """An attacker who sends a victim back with the attacker's code connects nobody to anything."""
    started = await start_authorization(people.context("mallory"), people.api)
    code, state = await consented(started.url)
    with pytest.raises(BadInput, match="Start again"):
        await finish_authorization(people.context("ann"), Returned(code=code, state=state))
    with pytest.raises(NotFound):
        await access_token(people.context("ann"), people.api)
    await finish_authorization(people.context("mallory"), Returned(code=code, state=state))


async def test_a_state_that_has_expired_or_was_replaced_is_void(people: Connecting) -> None:
    first = await start_authorization(people.context(), people.api)
    code, state = await consented(first.url)
    second = await start_authorization(people.context(), people.api)
    with pytest.raises(BadInput, match="Start again"):
        await finish_authorization(people.context(), Returned(code=code, state=state))
    code, state = await consented(second.url)
    async with people.stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.update(ExternalApiAuthorization).values(expires_at=sa.func.now()))
    with pytest.raises(BadInput, match="Start again"):
        await finish_authorization(people.context(), Returned(code=code, state=state))


async def test_a_code_of_another_authorization_does_not_fit_the_verifier(people: Connecting) -> None:
    """The provider compares the verifier with the challenge: a stolen code is worth nothing elsewhere."""
    stolen, _ = await consented((await start_authorization(people.context("ann"), people.api)).url)
    _, state = await consented((await start_authorization(people.context("mallory"), people.api)).url)
    with pytest.raises(BadInput, match="does not accept this authorization code"):
        await finish_authorization(people.context("mallory"), Returned(code=stolen, state=state))


async def test_renewals_follow_each_other(hasty: Connecting) -> None:
    """Of two processes at once, each with the newest refresh token: one used twice would end the grant."""
    await hasty.connected()
    before, first = await hasty.refreshes(), await refresh_token(hasty)
    other = hasty.in_another_process()
    tokens = await asyncio.gather(*(access_token(each.context(), hasty.api) for each in [hasty, other] * 4))
    assert len({token.text for token in tokens}) == len(tokens)
    assert await hasty.refreshes() == before + len(tokens)
    assert await refresh_token(hasty) != first
    await other.stores.oauth.close()


async def test_a_renewal_outlasts_its_caller(hasty: Connecting) -> None:
    """Who hangs up between the API's answer and the commit would leave a token that the API takes no more."""
    account = await hasty.connected()
    before = await hasty.refreshes()
    async with hasty.stores.postgres["axion_gen"].transaction() as session:
        row = "SELECT 1 FROM external_api_access_tokens WHERE id = :id FOR UPDATE"
        await session.execute(sa.text(row), {"id": account})
        asking = asyncio.create_task(access_token(hasty.context(), hasty.api))
        while await hasty.refreshes() == before:
            assert not asking.done()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert (await access_token(hasty.context(), hasty.api)).text


async def test_who_waits_takes_what_was_got(people: Connecting) -> None:
    account = await people.connected()
    async with people.stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.text("DELETE FROM external_api_access_tokens WHERE id = :id"), {"id": account})
    before, other = await people.refreshes(), people.in_another_process()
    tokens = await asyncio.gather(*(access_token(each.context(), people.api) for each in [people, other] * 4))
    assert len({token.text for token in tokens}) == 1
    assert await people.refreshes() == before + 1
    await other.stores.oauth.close()


async def test_a_connection_the_api_has_ended(people: Connecting) -> None:
    account = await people.connected()
    nonsense = people.stores.keyring.seal(b"of another grant")
    async with people.stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.text("DELETE FROM external_api_access_tokens"))
        await session.execute(
            sa.text("UPDATE user_external_api_tokens SET encrypted_token = :c, nonce = :n, tag = :t WHERE id = :id"),
            {"c": nonsense.ciphertext, "n": nonsense.nonce, "t": nonsense.tag, "id": account},
        )
    with pytest.raises(Conflict, match="Connect again"):
        await access_token(people.context(), people.api)


async def test_only_who_signs_in(people: Connecting) -> None:
    for asked in (
        start_authorization(people.context(""), people.api),
        finish_authorization(people.context(""), Returned(code="c", state="s")),
        access_token(people.context(""), people.api),
    ):
        with pytest.raises(Unauthenticated):
            await asked


async def test_an_api_that_is_not_offered(people: Connecting) -> None:
    async with people.stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.update(ExternalApi).where(ExternalApi.id == people.api).values(is_enabled=False))
    with pytest.raises(NotFound):
        await start_authorization(people.context(), people.api)


async def test_nothing_is_sent_in_the_clear(stores: GenStores, provider_url: str) -> None:
    strict = with_oauth(stores, reach=Reach())
    people = Connecting(strict, provider_url, await offered(strict, provider_url))
    with pytest.raises(BadInput, match="https"):
        await start_authorization(people.context(), people.api)
    demo = with_oauth(stores)
    elsewhere = Connecting(demo, "", await offered(demo, "http://198.51.100.1"))
    with pytest.raises(BadInput, match="https"):
        await start_authorization(elsewhere.context(), elsewhere.api)


@pytest.mark.parametrize(
    ("path", "error"), [("/nowhere", StoreQueryFailed), ("/.well-known/openid-configuration", StoreQueryFailed)]
)
async def test_an_address_that_is_no_token_endpoint(
    path: str, error: type[Exception], opened: OAuthStores, provider_url: str
) -> None:
    people = Connecting(opened, provider_url, await offered(opened, provider_url, token_path=path))
    with pytest.raises(error, match="Check its address"):
        await people.connected()


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("https://api..example/token", StoreUnavailable, "cannot be reached"),
        ("https://[::1/token", BadInput, "no address"),
    ],
)
async def test_an_address_that_is_none(people: Connecting, url: str, error: type[Exception], message: str) -> None:
    started = await start_authorization(people.context(), people.api)
    async with people.stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.update(ExternalApi).where(ExternalApi.id == people.api).values(token_url=url))
    code, state = await consented(started.url)
    with pytest.raises(error, match=message):
        await finish_authorization(people.context(), Returned(code=code, state=state))


async def test_an_api_that_is_away(people: Connecting) -> None:
    code, state = await consented((await start_authorization(people.context(), people.api)).url)
    async with people.stores.postgres["axion_gen"].transaction() as session:
        changed = (
            sa.update(ExternalApi).where(ExternalApi.id == people.api).values(token_url="http://127.0.0.1:1/token")
        )
        await session.execute(changed)
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        await finish_authorization(people.context(), Returned(code=code, state=state))


async def test_a_gateway_without_a_page_to_come_back_to(stores: GenStores, provider_url: str) -> None:
    nowhere = with_oauth(stores, redirect_url=None)
    people = Connecting(nowhere, provider_url, await offered(nowhere, provider_url))
    with pytest.raises(Conflict, match="AXION_OAUTH__REDIRECT_URL"):
        await start_authorization(people.context(), people.api)
