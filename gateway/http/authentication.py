"""Authenticates a request: its subject, or the HTTP refusal that fits the failure."""

from dataclasses import dataclass
from datetime import datetime
from random import random
from typing import Protocol

from gateway.auth.errors import TokenRejected
from gateway.http.refusal import Refusal, refuse
from gateway.metrics import count_stores
from loaders.errors import StoreError
from loaders.ledger import Ledger
from resolvers.context import Denials
from resolvers.subject import ANONYMOUS, Subject


class Authenticates(Protocol):
    """What `gateway.auth` offers: the subject and the end of its token. Raises `TokenRejected` or a `StoreError`."""

    async def subject(self, authorization: str, ledger: Ledger) -> tuple[Subject, datetime | None]: ...


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The caller. `expires_at` is in Unix seconds, `None` for the anonymous subject, which never expires."""

    subject: Subject
    expires_at: float | None


WITHOUT_CREDENTIALS = Authenticated(ANONYMOUS, None)


async def authenticate(
    authenticator: Authenticates, authorization: str, *, request_id: str, denials: Denials | None
) -> Authenticated:
    """Raises `Refusal`: 401 for a bad token, 503 when it cannot be verified. Statements made here are counted in the
    metrics but are not part of the operation's ledger.
    """
    ledger = Ledger()
    try:
        subject, expires_at = await authenticator.subject(authorization, ledger)
    except TokenRejected as error:
        if denials is not None:
            denials.denied("", request_id, "token", error.code)
        raise refuse(401, error.code, str(error), headers={"www-authenticate": error.challenge}) from None
    except StoreError as error:
        raise refuse(503, error.code, str(error), headers={"retry-after": "5"}, store=error.store) from error
    finally:
        count_stores(ledger)
    return Authenticated(subject, None if expires_at is None else expires_at.timestamp())


def first_renewal(every_s: float) -> float:
    """A random delay of at most `every_s` seconds until the caller of a new socket or stream is authenticated again.

    Without this jitter, connections that were opened at the same time (after a restart) would be renewed at the same
    time for ever.
    """
    return every_s * random()  # noqa: S311 - jitter, not a secret


async def refused_by_now(
    authenticator: Authenticates, authorization: str | None, *, request_id: str, denials: Denials | None
) -> Refusal | None:
    """The refusal of credentials that were valid before. `None` while they are valid, or when they cannot be verified
    now.
    """
    if authorization is None:
        return None
    try:
        await authenticate(authenticator, authorization, request_id=request_id, denials=denials)
    except Refusal as refusal:
        return refusal if refusal.status == 401 else None
    return None
