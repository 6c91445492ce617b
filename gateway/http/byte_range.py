"""Range requests (RFC 9110, section 14) and conditional ones (section 13), as far as a tile bundle needs them."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII | re.IGNORECASE)
_SEVERAL = re.compile(r"\s*bytes\s*=.*,", re.ASCII | re.IGNORECASE)


class NotSatisfiable(Exception):
    """416: the range lies beyond the end, or there are several."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From `start` up to, not including, `end`."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.end - 1}/{size}"


def asked_range(header: str | None, size: int) -> ByteRange | None:
    """None for the whole: without a range, or with one that is no range of bytes (RFC 9110, 14.2: ignored)."""
    if header is None:
        return None
    if _SEVERAL.match(header):
        raise NotSatisfiable
    parts = _RANGE.fullmatch(header)
    if parts is None or not (parts[1] or parts[2]):
        return None
    if not parts[1]:
        start, end = max(size - int(parts[2]), 0), size
    else:
        start, end = int(parts[1]), min(int(parts[2]) + 1, size) if parts[2] else size
        if parts[2] and int(parts[2]) < start:
            return None
    if start >= end:
        raise NotSatisfiable
    return ByteRange(start, end)


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has this version already; tags are compared weakly."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags


def range_applies(if_range: str | None, etag: str) -> bool:
    """A part is only of use to who has the rest of the same version; a date is not exact enough to say so."""
    return if_range is None or (if_range.strip() == etag and not etag.startswith("W/"))
