"""Content negotiation of GraphQL over HTTP: which of our media types the client accepts, and which one it sent."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache


class MediaType(StrEnum):
    JSON = "application/json"
    GRAPHQL = "application/graphql-response+json"
    EVENT_STREAM = "text/event-stream"
    ARROW = "application/vnd.apache.arrow.stream"
    MIXED = "multipart/mixed"
    HTML = "text/html"


class Parts(StrEnum):
    """The two formats of incremental delivery that clients use."""

    BY_ID = "v0.2"
    """The specification's draft (graphql-spec pull request 1110): `pending`, `incremental` and `completed` by id."""
    BY_PATH = "20220824"
    """The draft of 24 August 2022: each of `incremental` has its path. Asked for with `deferSpec=20220824`."""


_UTF8 = frozenset({"utf-8", "utf8"})
_WILDCARDS = {
    "*/*": (MediaType.JSON, MediaType.GRAPHQL),
    "application/*": (MediaType.JSON, MediaType.GRAPHQL),
    "text/*": (MediaType.EVENT_STREAM,),
}
"""What they take, the first of them that the header does not refuse."""
DATA = tuple(each for each in MediaType if each is not MediaType.HTML)
"""What operations are answered as."""


@lru_cache(maxsize=256)
def accepted(header: str | None, *, page: bool = False) -> MediaType | None:
    """The best of our media types: the highest quality, then the first named. `None` when none is acceptable.

    `page`: whether `text/html` may be answered; browsers name it wherever they go. `multipart/mixed` is chosen only if
    nothing else is accepted: most answers have one part (see `accepted_parts`). Without the header, and for wildcards,
    it is `application/json`, the default that the specification asks for until 2025. A wildcard does not apply to types
    that the header names (RFC 9110, 12.5.1).
    """
    if header is None or not header.strip():
        return MediaType.JSON
    ranges = _ranges(header)
    said = dict(ranges)
    qualities: dict[MediaType, float] = {}
    for name, quality in ranges:
        named = _wildcard(name, said) if name in _WILDCARDS else _known(name)
        if named is not None and quality > 0 and (page or named is not MediaType.HTML):
            qualities[named] = max(quality, qualities.get(named, 0.0))
    mixed = MediaType.MIXED if qualities.pop(MediaType.MIXED, None) else None
    return max(qualities, key=lambda each: qualities[each], default=mixed)


@lru_cache(maxsize=256)
def accepted_parts(header: str | None) -> Parts | None:
    """The format of an answer in parts, if the client accepts `multipart/mixed` at all."""
    for name, parameters in map(_parsed, (header or "").split(",")):
        if name == MediaType.MIXED and _quality(parameters.get("q", "1")) > 0:
            return Parts.BY_PATH if parameters.get("deferspec") == Parts.BY_PATH else Parts.BY_ID
    return None


@lru_cache(maxsize=256)
def takes_compressed(header: str | None) -> bool:
    """Whether an Arrow stream may have compressed batches. `compression=none` refuses them, for readers without LZ4
    (such as Apache Arrow's for JavaScript before version 21).
    """
    parts = map(_parsed, (header or "").split(","))
    return all(parameters.get("compression") != "none" for name, parameters in parts if name == MediaType.ARROW)


@lru_cache(maxsize=256)
def is_json(header: str | None) -> bool:
    """Whether a body of this Content-Type is JSON in UTF-8. Requests without the header are not, since a form can make
    them.
    """
    if header is None:
        return False
    name, parameters = _parsed(header)
    return name == MediaType.JSON and parameters.get("charset", "utf-8") in _UTF8


def _ranges(header: str) -> list[tuple[str, float]]:
    """The header's media ranges with their qualities, in order, without those that want another charset than UTF-8."""
    parsed = map(_parsed, header.split(","))
    return [
        (name, _quality(parameters.get("q", "1")))
        for name, parameters in parsed
        if parameters.get("charset", "utf-8") in _UTF8
    ]


def _wildcard(name: str, named: Mapping[str, float]) -> MediaType | None:
    """The type that a wildcard stands for. `None` if the header names that type itself, with a quality of its own."""
    taken = (each for each in _WILDCARDS[name] if named.get(each) != 0)
    first = next(taken, None)
    return None if first in named else first


def _known(name: str) -> MediaType | None:
    try:
        return MediaType(name)
    except ValueError:
        return None


def _parsed(value: str) -> tuple[str, dict[str, str]]:
    name, *rest = value.split(";")
    pairs = (part.partition("=") for part in rest)
    return name.strip().lower(), {key.strip().lower(): text.strip().strip('"').lower() for key, _, text in pairs}


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
