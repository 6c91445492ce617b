import asyncio
import json
from typing import Any

import pytest

from gateway.auth.errors import IdentityUnavailable, TokenRejected
from gateway.auth.oidc import TokenVerifier
from loaders.errors import Code
from tests.gateway.auth.provider import Provider, ec, rsa

SECOND = rsa("second")


async def test_keys_are_fetched_once_and_again_when_old(idp: Provider, verifier: TokenVerifier) -> None:
    for _ in range(3):
        await verifier.verify(idp.token())
    assert idp.fetches == 1
    idp.clock.seconds += 300
    await verifier.verify(idp.token())
    assert idp.fetches == 2


async def test_first_callers_share_a_fetch(idp: Provider, verifier: TokenVerifier) -> None:
    idp.gate.clear()
    callers = [asyncio.create_task(verifier.verify(idp.token(n=n))) for n in range(20)]
    await idp.asked.wait()
    callers[0].cancel()  # it began the fetch; the others go on with it
    idp.gate.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert [claims.subject for claims in answers[1:] if not isinstance(claims, BaseException)] == ["auth0|1"] * 19
    assert idp.fetches == 1


async def test_rotation(idp: Provider, verifier: TokenVerifier) -> None:
    old = idp.token()
    await verifier.verify(old)
    idp.keys = [SECOND, *idp.keys]
    idp.clock.seconds += 10
    assert (await verifier.verify(idp.token(SECOND))).subject == "auth0|1"
    assert idp.fetches == 2
    await verifier.verify(old)
    idp.keys = [SECOND]
    idp.clock.seconds += 300
    with pytest.raises(TokenRejected, match="current key"):
        await verifier.verify(old)  # believed before, but its key was withdrawn


async def test_new_tokens_that_come_at_once_are_all_good(idp: Provider, verifier: TokenVerifier) -> None:
    """The first of them has the new key fetched, and the others wait for it."""
    await verifier.verify(idp.token())
    idp.keys = [SECOND, *idp.keys]
    idp.clock.seconds += 10
    idp.asked.clear()
    idp.gate.clear()
    first = asyncio.create_task(verifier.verify(idp.token(SECOND)))
    await idp.asked.wait()
    others = [asyncio.create_task(verifier.verify(idp.token(SECOND, n=n))) for n in range(5)]
    await asyncio.sleep(0)  # they have begun
    idp.gate.set()
    assert {claims.subject for claims in await asyncio.gather(first, *others)} == {"auth0|1"}
    assert idp.fetches == 2


async def test_unknown_keys_do_not_flood_the_provider(idp: Provider, verifier: TokenVerifier) -> None:
    await verifier.verify(idp.token())
    for seconds, fetches in ((0, 1), (9, 1), (1, 2), (5, 2), (5, 3)):
        idp.clock.seconds += seconds
        for n in range(10):
            with pytest.raises(TokenRejected, match="current key"):
                await verifier.verify(idp.token(SECOND, header={"kid": f"forged-{n}"}))
        assert idp.fetches == fetches


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"status": 500}, "answered 500"),
    ({"status": 302}, "answered 302"),
    ({"body": b"<html>"}, "not JSON"),
    ({"body": b"[]"}, "no list"),
    ({"body": b'{"keys": {}}'}, "no list"),
    ({"body": b'{"keys": []}'}, "no key that verifies"),
    ({"body": b" " * 300_000}, "larger than"),
    ({"body": json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "first"}]}).encode()}, "no key that"),
    (
        {"body": json.dumps({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "first"}]}).encode()},
        "no key that",
    ),
    ({"body": json.dumps({"keys": [{"kty": "RSA", "kid": "first"}, "x", None]}).encode()}, "no key that"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS, ids=repr)
async def test_provider_without_keys(
    idp: Provider, verifier: TokenVerifier, fault: dict[str, Any], reason: str
) -> None:
    for name, value in fault.items():
        setattr(idp, name, value)
    with pytest.raises(IdentityUnavailable, match=reason) as caught:
        await idp.verifier().verify(idp.token())
    assert caught.value.extensions == {"code": Code.STORE_UNAVAILABLE, "store": "identity provider"}


async def test_nobody_listens(idp: Provider) -> None:
    verifier = idp.verifier(jwks_url="http://127.0.0.1:1/jwks.json")
    with pytest.raises(IdentityUnavailable, match="ClientConnectorError"):
        await verifier.verify(idp.token())


async def test_provider_that_is_back(idp: Provider, verifier: TokenVerifier) -> None:
    idp.status = 503
    for _ in range(3):
        with pytest.raises(IdentityUnavailable, match="answered 503"):
            await verifier.verify(idp.token())
    assert idp.fetches == 1
    idp.status = 200
    idp.clock.seconds += 1
    assert await verifier.verify(idp.token())


async def test_keys_outlast_a_fault_for_as_long_again(idp: Provider, verifier: TokenVerifier) -> None:
    await verifier.verify(idp.token())
    idp.status = 503
    idp.clock.seconds += 300
    assert await verifier.verify(idp.token())
    idp.clock.seconds += 300
    with pytest.raises(IdentityUnavailable):
        await verifier.verify(idp.token())


async def test_a_provider_that_is_silent_stops_nobody(idp: Provider, verifier: TokenVerifier) -> None:
    """Keys are asked for before their time is over, and used meanwhile and for as long again."""
    await verifier.verify(idp.token())
    idp.gate.clear()
    idp.asked.clear()
    idp.clock.seconds += 250
    assert await verifier.verify(idp.token(n=1))
    await idp.asked.wait()
    assert idp.fetches == 2
    idp.clock.seconds += 49
    assert await verifier.verify(idp.token(n=2))
    idp.clock.seconds += 200
    assert await verifier.verify(idp.token(n=3))
    assert idp.fetches == 2
    idp.gate.set()


async def test_new_key_while_the_provider_is_down(idp: Provider, verifier: TokenVerifier) -> None:
    """The token may well be good: its holder is to try again, not to sign in again."""
    await verifier.verify(idp.token())
    idp.status, idp.clock.seconds = 503, idp.clock.seconds + 10
    for _ in range(2):
        with pytest.raises(IdentityUnavailable):
            await verifier.verify(idp.token(SECOND))
    await verifier.verify(idp.token())


@pytest.mark.parametrize(
    "entry",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "first"},
        {"kty": "quantum", "kid": "first"},
        rsa("first").as_dict(private=False, use="enc"),
        rsa("first").as_dict(private=False, key_ops=["encrypt"]),
        rsa("first").as_dict(private=True),
        ec("first").as_dict(private=False),
    ],
    ids=lambda entry: f"{entry['kty']} {entry.get('use') or entry.get('key_ops') or ''}",
)
async def test_keys_not_for_rsa_signatures_are_passed_over(
    idp: Provider, verifier: TokenVerifier, entry: dict[str, Any]
) -> None:
    idp.body = json.dumps({"keys": [entry, *idp.document["keys"]]}).encode()
    assert await verifier.verify(idp.token())
