"""Maps subjects of tokens to users of the platform: rows of `axion_sense.public.users`, by `external_auth_id`."""

import time
from collections.abc import Callable
from functools import partial

from gateway.auth.errors import TokenRejected
from gateway.auth.oidc import Claims
from gateway.auth.row_cache import RowCache
from loaders.accounts import User, user_of
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from resolvers.subject import Subject


class Subjects:
    """Looks users up with at most one statement per user and second, however many requests they make. That includes
    unknown users.
    """

    def __init__(self, postgres: Postgres, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._postgres = postgres
        self._rows: RowCache[str, User | None] = RowCache(clock=clock)

    async def close(self) -> None:
        await self._rows.close()

    async def of(self, claims: Claims, ledger: Ledger) -> Subject:
        """Raises `TokenRejected` for an unknown or inactive user, `StoreError` when the database fails."""
        user = await self._rows.get(
            claims.subject, partial(user_of, claims.subject, sense=self._postgres, ledger=ledger)
        )
        if user is None:
            raise TokenRejected("The token is good, but its subject is no user of this platform. Ask an administrator.")
        if not user.is_active:
            raise TokenRejected("This user is deactivated. Ask an administrator.")
        if user.kind == "service":
            raise TokenRejected("This is a service account: it signs in with its API keys only.")
        return Subject(
            id=claims.subject,
            user_id=user.id,
            email=user.email or claims.email,
            display_name=user.display_name or claims.name,
        )
