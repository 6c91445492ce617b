"""Encryption of stored secrets: AES-256-GCM under versioned keys (reference/axion-gen-data-model.txt, "Encryption").

32-byte keys, a new 12-byte nonce for each call, a 16-byte tag and no associated data, as the reference demands: the
platform's other services can decrypt what is encrypted here, and vice versa.
"""

import base64
import binascii
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from loaders.errors import EncryptionKeyMissing, SecretUnreadable

_AUTHENTICATION = b"axion: authentication of messages"
"""The HKDF info string. Keys derived with it reveal nothing about the key that encrypts."""
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sealed:
    """The four columns of an encrypted secret: `encrypted_*`, `nonce`, `tag`, `key_version`."""

    ciphertext: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    tag: bytes = field(repr=False)
    key_version: int


class Keyring:
    """Encryption keys by version. New secrets are encrypted under `current_version`; secrets of every configured
    version can be decrypted.
    """

    __slots__ = ("_authentication", "_ciphers", "current_version")

    def __init__(self, keys: Mapping[int, str], current_version: int) -> None:
        """`keys` are base64 of exactly 32 bytes. `ValueError` names the faulty version, never the key."""
        decoded = {version: _decode(version, key) for version, key in keys.items()}
        self._ciphers = {version: AESGCM(key) for version, key in decoded.items()}
        self._authentication = {version: _derived(key) for version, key in decoded.items()}
        if current_version not in self._ciphers:
            raise ValueError(f"the current encryption key version {current_version} is not among the configured keys")
        self.current_version = current_version

    @property
    def versions(self) -> frozenset[int]:
        return frozenset(self._ciphers)

    def seal(self, secret: bytes) -> Sealed:
        """Encrypts under the current version with a new random nonce, so that equal secrets have different
        ciphertexts.
        """
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self.current_version].encrypt(nonce, secret, None)
        return Sealed(sealed[:-TAG_BYTES], nonce, sealed[-TAG_BYTES:], self.current_version)

    def open(self, sealed: Sealed) -> bytes:
        """Decrypts the secret.

        `EncryptionKeyMissing` when the version is not configured, `SecretUnreadable` when any part was altered or the
        key of that version is another than the one used to encrypt.
        """
        cipher = self._ciphers.get(sealed.key_version)
        if cipher is None:
            raise EncryptionKeyMissing(
                f"A stored secret needs encryption key version {sealed.key_version}, which is not configured. "
                "Add that version to the encryption keys until rotation has re-encrypted its rows."
            )
        if len(sealed.nonce) != NONCE_BYTES or len(sealed.tag) != TAG_BYTES:
            raise _unreadable(sealed)
        try:
            return cipher.decrypt(sealed.nonce, sealed.ciphertext + sealed.tag, None)
        except InvalidTag:
            raise _unreadable(sealed) from None

    def seal_text(self, secret: str) -> Sealed:
        """Encrypts the text's UTF-8 bytes (reference, "What's encrypted")."""
        return self.seal(secret.encode())

    def open_text(self, sealed: Sealed) -> str:
        """Decrypts what `seal_text` encrypted. Raises what `open` raises."""
        return self.open(sealed).decode()

    def fingerprint(self, message: bytes) -> str:
        """HMAC-SHA-256 under a key derived from the current version: 64 hexadecimal digits, the same for equal
        messages.

        Without the keys nobody can find out whether a guess is the message.
        """
        return self._fingerprint(self.current_version, message)

    def is_of(self, fingerprint: str, message: bytes) -> bool:
        """Whether this is the message's fingerprint under any configured version."""
        return any(hmac.compare_digest(self._fingerprint(each, message), fingerprint) for each in self._ciphers)

    def _fingerprint(self, version: int, message: bytes) -> str:
        return hmac.new(self._authentication[version], message, "sha256").hexdigest()

    def __repr__(self) -> str:
        return f"Keyring(versions={sorted(self._ciphers)}, current_version={self.current_version})"


def _derived(key: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=_AUTHENTICATION).derive(key)


def _decode(version: int, key: str) -> bytes:
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"encryption key version {version} is not valid base64") from None
    if len(raw) != KEY_BYTES:
        raise ValueError(f"encryption key version {version} has {len(raw)} bytes, AES-256 needs {KEY_BYTES}")
    return raw


def _unreadable(sealed: Sealed) -> SecretUnreadable:
    return SecretUnreadable(
        f"A stored secret does not open with encryption key version {sealed.key_version}: the row was altered or the "
        "key was replaced under the same version. Enter the secret again, or restore the key it was sealed with."
    )
