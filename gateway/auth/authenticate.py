"""Turns the `Authorization` of a request, or of a WebSocket's `connection_init`, into a caller."""

import re
from datetime import datetime

from gateway.auth.api_keys import ApiKeys
from gateway.auth.errors import TokenRejected
from gateway.auth.oidc import TokenVerifier
from gateway.auth.subjects import Subjects
from loaders.ledger import Ledger
from resolvers.subject import Subject

_BEARER = re.compile(r" *bearer +([a-z0-9._~+/=-]+) *", re.IGNORECASE | re.ASCII)  # RFC 6750, section 2.1


class Authenticator:
    """Bad credentials are refused. A bearer token is a JWT or an API key."""

    def __init__(self, verifier: TokenVerifier, subjects: Subjects, api_keys: ApiKeys) -> None:
        self._verifier = verifier
        self._subjects = subjects
        self._api_keys = api_keys

    async def subject(self, authorization: str, ledger: Ledger) -> tuple[Subject, datetime | None]:
        """The caller, and when the token ends (UTC), which also ends subscriptions.

        Raises `TokenRejected`, and a `StoreError` when the identity provider or `axion_sense` cannot be asked.
        """
        found = _BEARER.fullmatch(authorization)
        if found is None:
            raise TokenRejected("The Authorization header must read: Bearer, a space, the token.")
        if ApiKeys.is_key(found[1]):
            return await self._api_keys.of(found[1], ledger)
        claims = await self._verifier.verify(found[1])
        return await self._subjects.of(claims, ledger), claims.expires_at

    async def close(self) -> None:
        await self._subjects.close()
        await self._api_keys.close()
        await self._verifier.close()
