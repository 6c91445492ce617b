"""Tokens of ended connections are revoked at the provider, whatever is down meanwhile, or abandoned after a week."""

from datetime import timedelta
from typing import Any, cast

import aiohttp
import orjson
import pytest
import sqlalchemy as sa

from loaders.errors import Conflict
from loaders.ledger import Ledger
from loaders.oauth import revocations
from loaders.oauth.client import TokenEndpoint
from loaders.postgres.write import transaction
from loaders.tables.axion_gen.external import ExternalApi
from loaders.tables.axion_gen.revocations import TokenRevocation
from resolvers.gen.external_apis import disconnect
from resolvers.gen.external_moves import forget_if_moved, revoke_if_deleted
from resolvers.idempotency import MutationRequest
from tests.resolvers.gen.oauth.world import Connecting, OAuthStores, offered, refresh_token

NOBODY = "http://127.0.0.1:1/revoke"


@pytest.fixture(autouse=True)
async def nothing_noted(opened: OAuthStores) -> None:
    async with opened.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.delete(TokenRevocation))


async def revocable(people: Connecting, url: str) -> None:
    async with people.stores.postgres["axion_gen"].transaction() as session:
        chosen = sa.update(ExternalApi).where(ExternalApi.id == people.api)
        await session.execute(chosen.values(revocation_url=url))


async def deleted(people: Connecting) -> None:
    """As `genExternalApiDelete` does it."""
    async with transaction(people.stores.postgres["axion_gen"], Ledger()) as within:
        await revoke_if_deleted(people.context("admin"), within, (people.api,), {})
        await within.rows(sa.delete(ExternalApi).where(ExternalApi.id == people.api))


async def deliver(stores: OAuthStores) -> bool:
    return await revocations.deliver(stores.postgres["axion_gen"], stores.oauth, stores.keyring, ledger=Ledger())


async def rows(stores: OAuthStores, sql: str, *given: object) -> list[Any]:
    return list(await stores.postgres["axion_gen"].fetch(sql, *given, ledger=Ledger()))


async def places(stores: OAuthStores) -> dict[str, int]:
    """Tokens that are left, by where they are revoked."""
    sql = """SELECT revocation_url AS url, count(t.id) AS tokens FROM external_api_revocations AS p
      LEFT JOIN external_api_revocation_tokens AS t ON t.revocation_id = p.id GROUP BY 1"""
    return {row["url"]: row["tokens"] for row in await rows(stores, sql)}


async def ended(people: Connecting, token: str) -> bool:
    """Whether the provider takes the refresh token no more."""
    endpoint = TokenEndpoint("api", f"{people.url}/token", "axion", None)
    try:
        await people.stores.oauth.refresh(endpoint, refresh_token=token, ledger=Ledger())
    except Conflict:
        return True
    return False


async def test_all_tokens_of_an_api_that_is_deleted_are_revoked(people: Connecting) -> None:
    url = f"{people.url}/token/revocation"
    await revocable(people, url)
    tokens = []
    for name in ("ann", "bob"):
        await people.connected(name)
        tokens.append(await refresh_token(people, name))
    before = await audited(people, "external_api.deleted")
    await deleted(people)
    assert await places(people.stores) == {url: 2}
    (entry,) = (await audited(people, "external_api.deleted"))[len(before) :]
    assert (entry["actor"], entry["resource"]) == ("user:admin", f"external_api:{people.api}")
    assert context(entry)["tokensToRevoke"] == 2
    assert [await deliver(people.stores) for _ in range(3)] == [True, True, False]
    assert [await ended(people, token) for token in tokens] == [True, True]
    await revocations.prune(people.stores.postgres["axion_gen"], ledger=Ledger())
    assert await places(people.stores) == {}


async def test_an_api_that_is_down_waits_and_holds_up_no_other(people: Connecting, opened: OAuthStores) -> None:
    await revocable(people, NOBODY)
    await people.connected()
    other = Connecting(opened, people.url, await offered(opened, people.url))
    await revocable(other, f"{people.url}/token/revocation")
    await other.connected()
    tokens = await refresh_token(people), await refresh_token(other)
    await deleted(people)
    await deleted(other)
    sent = [await deliver(opened) for _ in range(3)]
    assert sent == [True, True, False]
    assert {url: left for url, left in (await places(opened)).items() if left} == {NOBODY: 1}
    (waits,) = await rows(
        opened,
        "SELECT attempts, last_error, next_attempt_at > now() AS later FROM external_api_revocations WHERE "
        "revocation_url = $1",
        NOBODY,
    )
    assert (waits["attempts"], waits["later"]) == (1, True)
    assert "cannot be reached" in waits["last_error"]
    async with opened.postgres["axion_gen"].transaction() as session:  # it is back
        back = {"revocation_url": f"{people.url}/token/revocation", "next_attempt_at": sa.func.now()}
        await session.execute(sa.update(TokenRevocation).where(TokenRevocation.revocation_url == NOBODY).values(back))
    assert [await deliver(opened), await deliver(opened)] == [True, False]
    assert [await ended(people, token) for token in tokens] == [True, True]


@pytest.mark.parametrize(
    "url", ["https://api..example/revoke", "https://[::1/revoke", "https://api.example:port/revoke"]
)
async def test_an_address_that_is_none_waits_until_it_is_corrected(people: Connecting, url: str) -> None:
    """Nobody's work ends with it, least of all the worker's."""
    await revocable(people, url)
    account = await people.connected()
    assert await disconnect(people.context(), account, MutationRequest("genExternalAccountDelete", "it", {})) is False
    async with people.stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.update(TokenRevocation).values(next_attempt_at=sa.func.now()))
    assert [await deliver(people.stores), await deliver(people.stores)] == [True, False]
    assert await places(people.stores) == {url: 1}
    async with transaction(people.stores.postgres["axion_gen"], Ledger()) as within:
        right = {"revocation_url": f"{people.url}/token/revocation"}
        await forget_if_moved(people.context("admin"), within, (people.api,), right)


async def test_an_api_that_moves_has_its_tokens_revoked_at_its_old_place(people: Connecting) -> None:
    url = f"{people.url}/token/revocation"
    await revocable(people, url)
    await people.connected()
    token = await refresh_token(people)
    gen = people.stores.postgres["axion_gen"]
    async with transaction(gen, Ledger()) as within:
        elsewhere = {"token_url": "https://elsewhere.example/token", "revocation_url": "https://elsewhere.example/end"}
        await forget_if_moved(people.context("admin"), within, (people.api,), elsewhere)
    assert await places(people.stores) == {url: 1}
    assert await deliver(people.stores)
    assert await ended(people, token)


async def test_what_an_api_never_takes_is_given_up_and_audited(people: Connecting) -> None:
    await revocable(people, NOBODY)
    await people.connected()
    await deleted(people)
    gen = people.stores.postgres["axion_gen"]
    before = await audited(people, "external_api.tokens_not_revoked")
    assert await deliver(people.stores)
    await revocations.prune(gen, ledger=Ledger())
    assert await places(people.stores) == {NOBODY: 1}
    await revocations.prune(gen, ledger=Ledger(), kept=timedelta())
    assert await places(people.stores) == {}
    assert await rows(people.stores, "SELECT id FROM external_api_revocation_tokens") == []
    (entry,) = (await audited(people, "external_api.tokens_not_revoked"))[len(before) :]
    assert context(entry)["tokens"] == 1
    assert "cannot be reached" in str(context(entry)["lastError"])


async def test_a_replaced_token_is_revoked_when_the_connection_ends(people: Connecting) -> None:
    """Three connections of one account, each in another browser, so that each has a grant of its own."""
    await revocable(people, f"{people.url}/token/revocation")
    tokens = []
    for _ in range(3):
        account = await people.connected()
        tokens.append(await refresh_token(people))
    await people.connected("bob")
    of_bob = await refresh_token(people, "bob")
    assert not await deliver(people.stores)
    await revocations.prune(people.stores.postgres["axion_gen"], ledger=Ledger(), kept=timedelta())
    assert (
        await disconnect(
            people.context(), account, MutationRequest("genExternalAccountDelete", "it", {"id": str(account)})
        )
        is True
    )
    assert [await ended(people, token) for token in tokens] == [True, True, True]
    assert await places(people.stores) == {}
    assert not await ended(people, of_bob)


async def test_to_revoke_it_at_once_would_end_the_new_connection(people: Connecting) -> None:
    """In one browser the provider has one grant for both, as many have, and a token's end is its grant's."""
    browser = aiohttp.CookieJar(unsafe=True)
    await people.connected(jar=browser)
    replaced = await refresh_token(people)
    await people.connected(jar=browser)
    assert await refresh_token(people) != replaced
    endpoint = TokenEndpoint("api", f"{people.url}/token", "axion", None)
    oauth = people.stores.oauth
    await oauth.revoke(endpoint, f"{people.url}/token/revocation", refresh_token=replaced, ledger=Ledger())
    assert await ended(people, await refresh_token(people))


async def test_without_a_revocation_endpoint_nothing_is_kept(people: Connecting) -> None:
    await people.connected()
    await deleted(people)
    assert await places(people.stores) == {}


async def audited(people: Connecting, action: str) -> list[Any]:
    return await rows(people.stores, "SELECT * FROM audit_outbox WHERE action = $1 ORDER BY id", action)


def context(entry: Any) -> dict[str, object]:
    return cast(dict[str, object], orjson.loads(entry["context"]))
