import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from gateway.auth.errors import TokenRejected
from gateway.auth.oidc import Claims, TokenVerifier
from loaders.errors import Code
from tests.gateway.auth.provider import AUDIENCE, Provider, ec, part, provider, rsa, sign


async def test_good_token(idp: Provider, verifier: TokenVerifier) -> None:
    token = idp.token(email="a@b.example", name="Ada")
    expires = datetime.fromtimestamp(idp.clock() + 600 + 30, UTC)
    assert await verifier.verify(token) == Claims("auth0|1", expires, "a@b.example", "Ada")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["other", AUDIENCE]},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "application/at+JWT"}},
        {"header": {"nonce": "a provider's own"}},
        {"header": {"jku": "https://evil.example/jwks"}},  # not looked at
        {"nbf": ...},
        {"iat": ...},
        {"email": 1, "name": ""},
    ],
)
async def test_accepted(idp: Provider, verifier: TokenVerifier, changes: dict[str, Any]) -> None:
    claims = await verifier.verify(idp.token(**changes))
    assert (claims.subject, claims.email, claims.name) == ("auth0|1", None, None)


NOW = 1_800_000_000

CLAIMS = [
    ({"exp": NOW - 30}, "has expired"),
    ({"exp": NOW - 10_000}, "has expired"),
    ({"exp": 10**30}, "'exp' is out of range"),
    ({"exp": float("nan")}, "'exp' is not valid"),
    ({"exp": str(NOW + 600)}, "'exp' is not valid"),
    ({"exp": True}, "'exp' is not valid"),
    ({"exp": ...}, "lacks the claim 'exp'"),
    ({"exp": None}, "lacks the claim 'exp'"),
    ({"nbf": NOW + 31}, "not valid yet"),
    ({"iat": NOW + 31}, "issued in the future"),
    ({"iss": "https://identity.example/"}, "another issuer"),
    ({"iss": ["https://identity.example"]}, "another issuer"),
    ({"iss": ...}, "lacks the claim 'iss'"),
    ({"aud": "axion"}, "another audience"),
    ({"aud": ["axion", "gateway"]}, "another audience"),
    ({"aud": []}, "another audience"),
    ({"aud": {"axion-gateway": 1}}, "another audience"),
    ({"aud": ...}, "lacks the claim 'aud'"),
    ({"sub": ...}, "lacks the claim 'sub'"),
    ({"sub": ""}, "'sub' is not valid"),
    ({"sub": 1}, "'sub' is not valid"),
    ({"sub": "a\0b"}, "not a subject"),
    ({"sub": "a" * 256}, "not a subject"),
    ({"sub": "\ud800"}, "not a subject"),
    ({"header": {"typ": "dpop+jwt"}}, "another type"),
    ({"header": {"typ": "logout+jwt"}}, "another type"),
    ({"header": {"typ": 1}}, "another type"),
]


@pytest.mark.parametrize(("changes", "reason"), CLAIMS, ids=repr)
async def test_refused_claims(idp: Provider, verifier: TokenVerifier, changes: dict[str, Any], reason: str) -> None:
    """The provider itself signed each of them."""
    with pytest.raises(TokenRejected, match=reason) as caught:
        await verifier.verify(idp.token(**changes))
    assert caught.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    "claims", [b"[]", b"null", b'"x"', b"{", b"", b"\xff", b"[" * 9_000], ids=lambda claims: repr(claims[:5])
)
async def test_signed_payload_that_is_no_object(idp: Provider, verifier: TokenVerifier, claims: bytes) -> None:
    with pytest.raises(TokenRejected, match="not a signed JWT"):
        await verifier.verify(sign({"alg": "RS256", "kid": "first"}, claims, idp.keys[0]))


def hmac_signed(secret: bytes, **header: Any) -> Callable[[Provider], str]:
    def token(idp: Provider) -> str:
        signed = f"{part({'alg': 'HS256', 'kid': 'first', 'typ': 'JWT'} | header)}.{part(idp.claims())}"
        return f"{signed}.{part(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    return token


def with_public_key(encode: Callable[[RSAKey], bytes], **header: Any) -> Callable[[Provider], str]:
    """The classic: the public key, which everyone has, taken as an HMAC secret."""

    def token(idp: Provider) -> str:
        key = idp.keys[0]
        assert isinstance(key, RSAKey)
        return hmac_signed(encode(key), **header)(idp)

    return token


def unsigned(algorithm: object, signature: str = "") -> Callable[[Provider], str]:
    return lambda idp: f"{part({'alg': algorithm, 'kid': 'first'})}.{part(idp.claims())}.{signature}"


def stranger_signed(**header: Any) -> Callable[[Provider], str]:
    return lambda idp: sign({"alg": "RS256", "typ": "JWT"} | header, idp.claims(), STRANGER)


def header_of(**header: Any) -> Callable[[Provider], str]:
    return lambda idp: sign({"alg": "RS256", "kid": "first"} | header, idp.claims(), idp.keys[0])


def altered(change: Callable[[list[str]], list[str]]) -> Callable[[Provider], str]:
    return lambda idp: ".".join(change(idp.token().split(".")))


STRANGER = rsa("stranger")
OTHER_CLAIMS = part({"sub": "auth0|admin", "exp": NOW + 600, "iss": "https://identity.example", "aud": AUDIENCE})

FORGED: dict[str, tuple[Callable[[Provider], str], str]] = {
    "none": (unsigned("none"), "algorithm is not accepted"),
    "none in capitals": (unsigned("NONE"), "algorithm is not accepted"),
    "none with a signature": (unsigned("none", "AAAA"), "algorithm is not accepted"),
    "no alg": (unsigned(None), "algorithm is not accepted"),
    "alg is a list": (unsigned(["RS256"]), "algorithm is not accepted"),
    "RS256 unsigned": (unsigned("RS256"), "signature is wrong"),
    "HS256, public key as PEM": (with_public_key(lambda key: key.as_pem(private=False)), "not accepted"),
    "HS256, public key as DER": (with_public_key(lambda key: key.as_der(private=False)), "not accepted"),
    "HMAC called RS256": (
        with_public_key(lambda key: key.as_pem(private=False), alg="RS256"),
        "signature is wrong",
    ),
    "HS256, empty secret": (hmac_signed(b""), "algorithm is not accepted"),
    "algorithm not on the list": (header_of(alg="RS512"), "algorithm is not accepted"),
    "RSA key under ES256": (header_of(alg="ES256"), "current key"),
    "another key under our kid": (stranger_signed(kid="first"), "signature is wrong"),
    "another key under its own kid": (stranger_signed(kid="stranger"), "current key"),
    "another key, embedded": (
        stranger_signed(kid="stranger", jwk=STRANGER.as_dict(private=False)),
        "current key",
    ),
    "another key, by address": (stranger_signed(kid="stranger", jku="https://evil.example"), "current key"),
    "another key without kid": (stranger_signed(), "signature is wrong"),
    "path as kid": (stranger_signed(kid="../../dev/null"), "current key"),
    "kid is a number": (header_of(kid=1), "not supported"),
    "unknown critical header": (header_of(crit=["exp"], exp=1), "not supported"),
    "unencoded payload": (header_of(crit=["b64"], b64=False), "not supported"),
    "other claims": (altered(lambda p: [p[0], OTHER_CLAIMS, p[2]]), "signature is wrong"),
    "signature cut": (altered(lambda p: [p[0], p[1], p[2][:-8]]), "signature is wrong"),
    "signature missing": (altered(lambda p: p[:2]), "not a JWT"),
    "signature twice": (altered(lambda p: [*p, p[2]]), "not a JWT"),
    "five parts, as a JWE": (altered(lambda p: [*p, p[2], p[2]]), "not a JWT"),
    "header not base64": (altered(lambda p: ["!!!", *p[1:]]), "not a JWT"),
    "header not an object": (altered(lambda p: [part(["alg"]), *p[1:]]), "not a JWT"),
    "header nested without end": (altered(lambda p: [part(b"[" * 9_000), *p[1:]]), "not a JWT"),
    "longer than any token": (lambda idp: idp.token(pad="x" * 20_000), "not a JWT"),
    "not ASCII": (lambda idp: idp.token() + "é", "not a JWT"),
    "a word": (lambda _: "token", "not a JWT"),
    "nothing": (lambda _: "", "not a JWT"),
}


@pytest.mark.parametrize("name", FORGED)
async def test_forged(idp: Provider, verifier: TokenVerifier, name: str) -> None:
    forge, reason = FORGED[name]
    with pytest.raises(TokenRejected, match=reason):
        await verifier.verify(forge(idp))


@pytest.mark.parametrize("algorithms", [(), ("none",), ("RS256", "HS256")])
async def test_algorithms_that_cannot_be_allowed(idp: Provider, algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"oidc\.algorithms"):
        idp.verifier(algorithms=algorithms)


async def test_leeway(idp: Provider, verifier: TokenVerifier) -> None:
    now = int(idp.clock())
    assert await verifier.verify(idp.token(exp=now - 29, nbf=now + 30, iat=now + 30))


async def test_believed_token_expires(idp: Provider, verifier: TokenVerifier) -> None:
    token = idp.token()
    await verifier.verify(token)
    idp.clock.seconds += 629
    await verifier.verify(token)
    idp.clock.seconds += 1
    with pytest.raises(TokenRejected, match="has expired"):
        await verifier.verify(token)


async def test_believed_token_is_not_verified_again(
    idp: Provider, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = 0
    decode = jwt.decode

    def counting(*args: Any, **options: Any) -> jwt.Token:
        nonlocal decoded
        decoded += 1
        return decode(*args, **options)

    monkeypatch.setattr(jwt, "decode", counting)
    token = idp.token()
    assert await verifier.verify(token) == await verifier.verify(token)
    assert decoded == 1
    with pytest.raises(TokenRejected, match="signature is wrong"):
        await verifier.verify(token[:-8])
    assert decoded == 2


async def test_believed_tokens_are_bounded(
    idp: Provider, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.auth.oidc._KEPT", 3)
    for n in range(9):
        await verifier.verify(idp.token(n=n))
        assert len(verifier._verified) == min(n + 1, 3)


async def test_elliptic_curve_key_without_kid() -> None:
    key = ec("curve")
    async with provider(key, rsa("rsa")) as idp:
        verifier = idp.verifier()
        token = sign({"alg": "ES256"}, idp.claims(), key)
        assert (await verifier.verify(token)).subject == "auth0|1"


async def test_curve_other_than_the_algorithm_names() -> None:
    key = ec("curve", "P-384")
    async with provider(key) as idp:
        verifier = idp.verifier()
        with pytest.raises(TokenRejected, match="not a signed JWT"):
            await verifier.verify(sign({"alg": "ES256", "kid": "curve"}, idp.claims(), key))
