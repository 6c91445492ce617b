import base64
import os
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loaders.errors import EncryptionKeyMissing, SecretUnreadable
from loaders.secrets.keyring import Keyring, Sealed

KEY_1 = base64.b64encode(bytes(range(32))).decode()
KEY_2 = base64.b64encode(bytes(range(32, 64))).decode()
RING = Keyring({1: KEY_1, 2: KEY_2}, current_version=2)


def with_part(sealed: Sealed, part: str, value: bytes) -> Sealed:
    parts = {name: getattr(sealed, name) for name in ("ciphertext", "nonce", "tag", "key_version")}
    return Sealed(**(parts | {part: value}))


@given(st.binary(max_size=5_000))
def test_what_is_sealed_opens_again(secret: bytes) -> None:
    sealed = RING.seal(secret)
    assert RING.open(sealed) == secret
    assert (len(sealed.nonce), len(sealed.tag), len(sealed.ciphertext)) == (12, 16, len(secret))
    assert sealed.key_version == 2


def test_known_answer_of_the_reference_algorithm() -> None:
    """AES-256-GCM with no associated data, test case 14 of the GCM specification (McGrew and Viega)."""
    ring = Keyring({7: base64.b64encode(bytes(32)).decode()}, current_version=7)
    sealed = Sealed(
        ciphertext=bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18"),
        nonce=bytes(12),
        tag=bytes.fromhex("d0d1c8a799996bf0265b98b5d48ab919"),
        key_version=7,
    )
    assert ring.open(sealed) == bytes(16)


@given(st.binary(min_size=1, max_size=200), st.sampled_from(["ciphertext", "nonce", "tag"]), st.data())
def test_any_flipped_bit_is_noticed(secret: bytes, part: str, data: st.DataObject) -> None:
    sealed = RING.seal(secret)
    raw = bytearray(getattr(sealed, part))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SecretUnreadable):
        RING.open(with_part(sealed, part, bytes(raw)))


@pytest.mark.parametrize("part", ["ciphertext", "nonce", "tag"])
@pytest.mark.parametrize("cut", [slice(0, 0), slice(0, -1), slice(1, None)])
def test_a_truncated_part_is_noticed(part: str, cut: slice) -> None:
    sealed = RING.seal(b"correct horse battery staple")
    with pytest.raises(SecretUnreadable):
        RING.open(with_part(sealed, part, getattr(sealed, part)[cut]))


def test_a_tag_moved_from_the_ciphertext_is_noticed() -> None:
    sealed = RING.seal(b"secret")
    moved = replace(sealed, ciphertext=sealed.ciphertext + sealed.tag[:4], tag=sealed.tag[4:])
    with pytest.raises(SecretUnreadable):
        RING.open(moved)


def test_another_version_of_the_ring_does_not_open_it() -> None:
    with pytest.raises(SecretUnreadable, match="version 1"):
        RING.open(replace(RING.seal(b"secret"), key_version=1))


def test_a_missing_version_is_named() -> None:
    with pytest.raises(EncryptionKeyMissing, match="version 3"):
        RING.open(replace(RING.seal(b"secret"), key_version=3))


def test_an_old_version_still_opens_after_the_current_one_moves_on() -> None:
    sealed = Keyring({1: KEY_1}, current_version=1).seal(b"secret")
    assert RING.open(sealed) == b"secret"


def test_nonces_do_not_repeat() -> None:
    nonces = {RING.seal(b"").nonce for _ in range(10_000)}
    assert len(nonces) == 10_000


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "0 bytes"),
        ("not base64!", "not valid base64"),
        pytest.param(base64.b64encode(os.urandom(31)).decode(), "31 bytes", id="short"),
        pytest.param(base64.b64encode(os.urandom(33)).decode(), "33 bytes", id="long"),
        (KEY_1[:-1], "not valid base64"),
        (KEY_1 + "\n", "not valid base64"),
    ],
)
def test_a_bad_key_is_refused_by_version_and_never_shown(key: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"version 4 .*{reason}") as caught:
        Keyring({4: key}, current_version=4)
    assert not key or key not in str(caught.value)


def test_the_current_version_must_have_a_key() -> None:
    with pytest.raises(ValueError, match="version 5 is not among"):
        Keyring({1: KEY_1}, current_version=5)


def test_repr_shows_no_key_and_no_ciphertext() -> None:
    sealed = RING.seal(b"secret")
    assert repr(RING) == "Keyring(versions=[1, 2], current_version=2)"
    assert repr(sealed) == "Sealed(key_version=2)"


@given(
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.sets(st.sampled_from(["ciphertext", "nonce", "tag"]), min_size=1, max_size=2),
)
def test_parts_of_another_row_do_not_open(secret: bytes, other: bytes, swapped: set[str]) -> None:
    """Any part but the whole of it: empty ciphertexts are alike, so swapping the rest of one swaps all."""
    mine, theirs = RING.seal(secret), RING.seal(other)
    mixed = mine
    for part in swapped:
        mixed = with_part(mixed, part, getattr(theirs, part))
    assume(mixed != mine and mixed != theirs)
    with pytest.raises(SecretUnreadable):
        RING.open(mixed)


@given(st.binary(max_size=200), st.integers(-(2**31), 2**31 - 1))
def test_another_version_in_its_column_does_not_open(secret: bytes, version: int) -> None:
    assume(version != RING.current_version)
    with pytest.raises(SecretUnreadable if version in RING.versions else EncryptionKeyMissing, match=f"{version}"):
        RING.open(replace(RING.seal(secret), key_version=version))


@given(st.binary(max_size=200))
def test_sealing_twice_shares_nothing(secret: bytes) -> None:
    one, two = RING.seal(secret), RING.seal(secret)
    assert (one.nonce, one.tag) != (two.nonce, two.tag)
    assert one.nonce != two.nonce
    assert len(secret) < 4 or one.ciphertext != two.ciphertext


@given(st.binary(max_size=500), st.binary(max_size=500))
def test_fingerprints(message: bytes, other: bytes) -> None:
    """Known under every version on the ring, and by no other ring; equal for no other message."""
    assume(message != other)
    old, without = Keyring({1: KEY_1}, current_version=1), Keyring({2: KEY_2}, current_version=2)
    fingerprint = old.fingerprint(message)
    assert RING.is_of(fingerprint, message)
    assert RING.is_of(RING.fingerprint(message), message)
    assert RING.fingerprint(message) != fingerprint
    assert not without.is_of(fingerprint, message)
    assert not RING.is_of(fingerprint, other)
