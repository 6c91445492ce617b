"""Why a caller is refused: `TokenRejected` (401), or, when nobody can tell, `IdentityUnavailable` (503)."""

from loaders.errors import StoreUnavailable, Unauthenticated

IDENTITY_PROVIDER = "identity provider"
"""The name of the identity provider as a store, in errors and in readiness."""


class TokenRejected(Unauthenticated):
    """The bearer token was refused. The message says why, in words that help its owner but not a forger."""

    @property
    def challenge(self) -> str:
        """The value of `WWW-Authenticate` (RFC 6750, section 3)."""
        return f'Bearer realm="axion", error="invalid_token", error_description="{self}"'


class IdentityUnavailable(StoreUnavailable):
    """The identity provider's keys cannot be read, so no token can be verified and none is accepted."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            IDENTITY_PROVIDER, f"The identity provider's keys cannot be read: {reason}. Try again shortly."
        )
        self.reason = reason
