"""What ends a connection, which issuer may answer for an API, and when nothing is sent."""

import secrets
from uuid import UUID

import pytest
import sqlalchemy as sa

from loaders.addresses import InsideAddress, Reach, ReachResolver
from loaders.errors import BadInput, Conflict, NotFound
from loaders.ledger import Ledger
from loaders.oauth.client import TokenEndpoint
from loaders.tables.axion_gen.external import ExternalApi
from resolvers.gen.external_apis import disconnect
from resolvers.gen.external_authorization import Returned, finish_authorization, start_authorization
from resolvers.gen.external_tokens import access_token
from resolvers.idempotency import MutationRequest
from tests.resolvers.gen.conftest import GenStores
from tests.resolvers.gen.oauth.world import (
    Connecting,
    consented,
    refresh_token,
    sent_back,
    with_oauth,
)


async def changed(people: Connecting, **values: object) -> None:
    async with people.stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.update(ExternalApi).where(ExternalApi.id == people.api).values(values))


def asked(account: UUID) -> MutationRequest:
    return MutationRequest("genExternalAccountDelete", "it", {"id": str(account), "nonce": secrets.token_hex(4)})


async def test_the_api_ends_the_tokens_of_an_account_that_is_deleted(people: Connecting) -> None:
    await changed(people, revocation_url=f"{people.url}/token/revocation")
    account = await people.connected()
    token = await refresh_token(people)
    with pytest.raises(NotFound):
        await disconnect(people.context("bob"), account, asked(account))
    assert await disconnect(people.context(), account, asked(account)) is True
    endpoint = TokenEndpoint("api", f"{people.url}/token", "axion", None)
    with pytest.raises(Conflict, match="Connect again"):
        await people.stores.oauth.refresh(endpoint, refresh_token=token, ledger=Ledger())
    with pytest.raises(NotFound):
        await access_token(people.context(), people.api)
    with pytest.raises(NotFound):
        await disconnect(people.context(), account, asked(account))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/revoke", "{}/nowhere"])
async def test_an_account_is_deleted_even_if_the_api_does_not_answer(people: Connecting, url: str) -> None:
    await changed(people, revocation_url=url.format(people.url))
    account = await people.connected()
    context = people.context()
    assert await disconnect(context, account, asked(account)) is False
    assert sum(usage.statements for store, usage in context.ledger.stores.items() if "external_api" in store) == 1
    with pytest.raises(NotFound):
        await access_token(people.context(), people.api)


async def test_another_issuer_has_not_answered(people: Connecting) -> None:
    """RFC 9207: of two APIs one may be an attacker's, who lets the other's answer be taken for its own."""
    await changed(people, issuer=people.url)
    for iss in ("https://attacker.example", None, people.url + "/"):
        started = await start_authorization(people.context(), people.api)
        code, state = await consented(started.url)
        with pytest.raises(BadInput, match="another issuer") as refused:
            await finish_authorization(people.context(), Returned(code=code, state=state, iss=iss))
        assert refused.value.field == "iss"
        assert people.context().ledger.stores == {}
    sent = await sent_back((await start_authorization(people.context(), people.api)).url)
    await finish_authorization(people.context(), Returned(code=sent["code"], state=sent["state"], iss=sent["iss"]))


async def test_tokens_of_an_api_that_moves_meanwhile_are_not_kept(
    people: Connecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = await start_authorization(people.context(), people.api)
    code, state = await consented(started.url)
    exchange = people.stores.oauth.exchange

    async def slow(*given: object, **named: object) -> object:
        tokens = await exchange(*given, **named)  # type: ignore[arg-type]  # what it is called with
        await changed(people, token_url="https://elsewhere.example/token")
        return tokens

    monkeypatch.setattr(people.stores.oauth, "exchange", slow)
    with pytest.raises(Conflict, match="has moved"):
        await finish_authorization(people.context(), Returned(code=code, state=state))
    with pytest.raises(NotFound):
        await access_token(people.context(), people.api)


INSIDE = ("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1")
INSIDE_6 = ("::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:a00:1::", "::")


@pytest.mark.parametrize("address", [*INSIDE, *INSIDE_6])
def test_addresses_inside_are_out_of_reach(address: str) -> None:
    assert not Reach().allows(address)
    assert Reach(private=True).allows(address)


def test_only_this_machine_is_in_reach_of_the_demo() -> None:
    reached = [address for address in (*INSIDE, *INSIDE_6) if Reach(loopback=True).allows(address)]
    assert reached == ["127.0.0.1", "0.0.0.0", "::1", "::"]
    for address in ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"):
        assert Reach().allows(address)


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1"])
async def test_a_name_is_judged_by_what_it_leads_to(host: str) -> None:
    resolver = ReachResolver(Reach())
    with pytest.raises(InsideAddress):
        await resolver.resolve(host, 443)
    await resolver.close()


@pytest.mark.parametrize("host", ["localhost", "10.0.0.1", "[::ffff:7f00:1]"])
async def test_nothing_is_sent_inside(stores: GenStores, provider_url: str, host: str) -> None:
    strict = with_oauth(stores, reach=Reach())
    endpoint = TokenEndpoint("api", f"https://{host}/token", "axion", "secret")
    with pytest.raises(BadInput, match="AXION_OAUTH__ALLOW_PRIVATE_ADDRESSES") as refused:
        await strict.oauth.refresh(endpoint, refresh_token="r", ledger=Ledger())
    assert refused.value.field == "tokenUrl"
    await strict.oauth.close()
