"""API keys: `axk_`, the key's id (32 hex digits), `_`, and its secret (43 characters of base64url, 256 random bits).

Only the SHA-256 of the secret is stored. 256 random bits cannot be guessed, so no slow hash is needed. The fixed prefix
lets scanners find keys that leaked into a repository.
"""

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass

PREFIX = "axk_"
_KEY = re.compile(PREFIX + r"([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKeyText:
    """The text of a key as a program sends it. Its `repr` does not show the secret."""

    id: uuid.UUID
    _secret: str

    @classmethod
    def new(cls, id_: uuid.UUID) -> "ApiKeyText":
        return cls(id_, secrets.token_urlsafe(32))

    @classmethod
    def parsed(cls, text: str) -> "ApiKeyText | None":
        """None for a text that `text` did not produce."""
        parts = _KEY.fullmatch(text)
        return None if parts is None else cls(uuid.UUID(parts[1]), parts[2])

    @property
    def text(self) -> str:
        return f"{PREFIX}{self.id.hex}_{self._secret}"

    @property
    def secret_sha256(self) -> bytes:
        return hashlib.sha256(self._secret.encode()).digest()

    def __repr__(self) -> str:
        return f"ApiKeyText({self.id})"
