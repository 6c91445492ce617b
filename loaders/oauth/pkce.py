"""The two secrets of an authorization: `state`, which passes through the browser, and the PKCE verifier, which does not
(RFC 7636).
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Started:
    """256 random bits each, encoded as base64url."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def new(cls) -> "Started":
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32))

    @property
    def challenge(self) -> str:
        """The S256 code challenge of the verifier."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


def state_sha256(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()


def authorization_url(
    endpoint: str, *, client_id: str, redirect_url: str, scopes: tuple[str, ...], started: Started
) -> str:
    """The URL at which the user gives consent. The query of `endpoint` is kept, its fragment is dropped."""
    parts = urlsplit(endpoint)
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_url,
        "state": started.state,
        "code_challenge": started.challenge,
        "code_challenge_method": "S256",
        **({"scope": " ".join(scopes)} if scopes else {}),
    }
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in asked]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode([*kept, *asked.items()]), ""))
