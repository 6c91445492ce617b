"""Rate limits per process: a sustained number of requests per second, and a burst.

The generic cell rate algorithm (ITU-T I.371, annex A): one number per caller, the time at which its next request would
arrive at an even rate.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

_MAX_CALLERS = 100_000
"""Callers remembered at a time, about 200 bytes each. Beyond it, the caller that was silent longest starts afresh."""


class RateLimit:
    """`per_second=None` sets no limit. `clock` is in seconds."""

    def __init__(self, per_second: float | None, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = None if per_second is None else 1 / per_second
        self._ahead = 0.0 if self._interval is None else self._interval * (burst - 1)
        self._clock = clock
        self._even: OrderedDict[str, float] = OrderedDict()

    def wait(self, caller: str, *, counts: bool = True) -> float:
        """0 for a request that may pass, and is counted unless `counts` is false; otherwise the seconds until one may
        pass.
        """
        if self._interval is None:
            return 0.0
        now = self._clock()
        even = max(self._even.get(caller, now), now)
        if even - now > self._ahead:
            return even - now - self._ahead
        if not counts:
            return 0.0
        self._even[caller] = even + self._interval
        self._even.move_to_end(caller)
        self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        """Drops callers that have their whole burst again, checking two at a time, and any beyond the maximum."""
        for _ in range(2):
            caller, even = next(iter(self._even.items()))
            if even > now and len(self._even) <= _MAX_CALLERS:
                return
            del self._even[caller]
            if not self._even:
                return


def address_of(host: str | None) -> str:
    """The identity of an anonymous caller: its IPv4 address, or its IPv6 /64, which belongs to one customer."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or ""
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)
