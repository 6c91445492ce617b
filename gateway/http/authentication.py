"""The subject of a request, or the refusal that HTTP knows for its failure."""

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
from resolvers.subject import Subject


class Authenticates(Protocol):
    """What `gateway.auth` gives: the subject and when its token ends, `TokenRejected`, or a `StoreError`."""

    async def subject(self, authorization: str | None, ledger: Ledger) -> tuple[Subject, datetime | None]: ...


@dataclass(frozen=True, slots=True)
class Authenticated:
    """`expires_at` is in Unix seconds; `None` for the anonymous subject, which never expires."""

    subject: Subject
    expires_at: float | None


async def authenticate(
    authenticator: Authenticates, authorization: str | None, *, request_id: str, denials: Denials | None
) -> Authenticated:
    """Raises `Refusal`: 401 for a bad token, 503 when it cannot be checked. Not part of the operation's own ledger."""
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
    """Seconds until the caller of what was opened now is first authenticated again: at random, at most `every_s`.

    What is opened at once (after a restart) would be renewed at once ever after, and hold up everything else.
    """
    return every_s * random()  # noqa: S311 - jitter, not a secret


async def refused_by_now(
    authenticator: Authenticates, authorization: str | None, *, request_id: str, denials: Denials | None
) -> Refusal | None:
    """The refusal of credentials that were good; None while they are, and for a store that is away for a moment."""
    try:
        await authenticate(authenticator, authorization, request_id=request_id, denials=denials)
    except Refusal as refusal:
        return refusal if refusal.status == 401 else None
    return None
