"""The `Authorization` of a request, or of a WebSocket's `connection_init`, as the caller it stands for."""

import re
from dataclasses import dataclass

from gateway.auth.errors import TokenRejected
from gateway.auth.token import Tokens
from gateway.auth.users import Users
from resolvers.context import ANONYMOUS, Subject

_BEARER = re.compile(r" *bearer +([!-~]+) *", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """`expires_at` is in Unix seconds, and subscriptions end then; `None` for the anonymous subject."""

    subject: Subject
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Authenticator:
    """No credentials are anonymous; bad ones are refused, never taken as none."""

    tokens: Tokens
    users: Users

    async def authenticate(self, authorization: str | None) -> Authenticated:
        """Raises `TokenRejected`; a `StoreUnavailable` when the provider or the users' store cannot be asked."""
        if authorization is None:
            return Authenticated(ANONYMOUS)
        found = _BEARER.fullmatch(authorization)
        if found is None:
            raise TokenRejected("The Authorization header must read: Bearer, a space, the token.")
        claims = await self.tokens.verify(found[1])
        user = await self.users.find(claims.subject)
        if user is None:
            raise TokenRejected("The token's subject is no user of this platform: ask for an account.")
        if not user.is_active:
            raise TokenRejected("This user is not active: ask an administrator.")
        subject = Subject(
            id=claims.subject,
            user_id=user.id,
            email=user.email or claims.email,
            display_name=user.display_name or claims.name,
        )
        return Authenticated(subject, claims.expires_at)
