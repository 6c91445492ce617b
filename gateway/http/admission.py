"""Rate limits: decides whether a caller may send another request now."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import sha256
from math import ceil

from starlette.types import Scope

from gateway.http.refusal import Refusal, refuse
from gateway.limits.rate import RateLimit, address_of
from gateway.settings import Limits
from loaders.bounded_cache import BoundedCache
from loaders.errors import Code
from resolvers.subject import Subject

_FREE = nullcontext()
_MAX_GOOD = 10_000
"""Kept at a time, some 200 bytes each."""


class Admission:
    """The token buckets of this process: one for each user, and one for each address that sends no credentials,
    whatever the transport.

    Refused credentials are counted per address in buckets of their own, since verifying them costs more than most
    requests. Once such a bucket is empty, credentials that were valid before are still verified, so that nobody is
    locked out by others who share the address.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits.requests_per_second is not None
        self._requests = RateLimit(limits.requests_per_second, limits.requests_burst)
        self._refused = RateLimit(limits.requests_per_second, limits.requests_burst)
        self._good: BoundedCache[bytes, bool] = BoundedCache(_MAX_GOOD)

    def credentials(self, authorization: str, scope: Scope) -> AbstractContextManager[None]:
        """A context manager to verify credentials in. Raises `Refusal` 429 if the address has sent too many bad
        ones.
        """
        return _FREE if not self._limits else self._judging(authorization, scope)

    @contextmanager
    def _judging(self, authorization: str, scope: Scope) -> Iterator[None]:
        address, digest = _address(scope), sha256(authorization.encode()).digest()
        if self._good.get(digest) is None:
            _require_none(self._refused.wait(address, counts=False))
        try:
            yield
        except Refusal as refusal:
            if refusal.status == 401:
                self._refused.wait(address)
                self._good.drop(digest)
            raise
        self._good.keep(digest, True)

    def admit(self, subject: Subject, scope: Scope) -> None:
        """Counts a request. Raises `Refusal` 429 when the caller has used up its allowance."""
        if self._limits:
            _require_none(self._requests.wait(_address(scope) if subject.is_anonymous else f"user:{subject.id}"))


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return f"address:{address_of(client[0] if client else None)}"


def _require_none(seconds: float) -> None:
    if seconds > 0:
        whole = ceil(seconds)
        message = f"Too many requests: wait {whole} s, and send fewer."
        raise refuse(429, Code.RATE_LIMITED, message, headers={"retry-after": str(whole)}, retryAfter=whole)
