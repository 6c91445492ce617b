"""UUID version 7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then bits that make ids of one process strictly rise.

`rand_a` holds the sub-millisecond part of the clock (6.2, method 3) and the id is never less than or equal to the one
before it: when the clock stands still or steps back, the last timestamp is advanced by one tick (about 244 ns).
"""

import hashlib
import secrets
import threading
import time
import uuid
from datetime import datetime

_TICKS_PER_MS = 4096
_NS_PER_MS = 1_000_000

_lock = threading.Lock()
_last_tick = 0


def _next_tick() -> int:
    global _last_tick
    milliseconds, nanoseconds = divmod(time.time_ns(), _NS_PER_MS)
    tick = milliseconds * _TICKS_PER_MS + nanoseconds * _TICKS_PER_MS // _NS_PER_MS
    with _lock:
        _last_tick = max(tick, _last_tick + 1)
        return _last_tick


def uuid7() -> uuid.UUID:
    """A new id, greater than every id this process made before, as bytes and as text. Thread-safe."""
    milliseconds, fraction = divmod(_next_tick(), _TICKS_PER_MS)
    return _uuid7(milliseconds, fraction, secrets.randbits(62))


def uuid7_of(moment: datetime, seed: bytes) -> uuid.UUID:
    """The same id whenever it is asked for: of what is made once, for `moment`. It sorts among the others by that."""
    digest = int.from_bytes(hashlib.sha256(seed).digest()[:10])
    return _uuid7(round(moment.timestamp() * 1000), digest >> 62 & 0xFFF, digest & (1 << 62) - 1)


def _uuid7(milliseconds: int, fraction: int, bits: int) -> uuid.UUID:
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | bits
    return uuid.UUID(int=value)
