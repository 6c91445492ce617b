"""Whether a caller may make another request now."""

from math import ceil

from starlette.types import Scope

from gateway.http.refusal import refuse
from gateway.limits.rate import RateLimit, address_of
from loaders.errors import Code
from resolvers.subject import Subject


def admit(rate: RateLimit, subject: Subject, scope: Scope) -> None:
    """Counts a request of the user, or of the address of who has not signed in. Raises `Refusal` 429."""
    client = scope.get("client")
    caller = f"address:{address_of(client[0] if client else None)}" if subject.is_anonymous else f"user:{subject.id}"
    seconds = ceil(rate.wait(caller))
    if seconds:
        message = f"Too many requests: wait {seconds} s, and send fewer."
        raise refuse(429, Code.RATE_LIMITED, message, headers={"retry-after": str(seconds)}, retryAfter=seconds)
