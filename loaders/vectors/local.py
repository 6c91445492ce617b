"""The local embedding model: hashed words of text and identifiers. As its name says, it finds shared words and not
shared meaning.

A text is cut into words. Identifiers are kept whole and also split (`WebSocketClose`, `close_code`, `iter_text`), and
endings are trimmed. Words, pairs of neighbouring words and the character trigrams of words are features. They are
weighted by 1 + ln(count), hashed with a sign (BLAKE2b, so the result is the same on every machine) and normalised.
"""

import asyncio
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b

_WORD = re.compile(r"[^\W_]+(?:[_.-][^\W_]+)*")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
_ENDINGS = (
    "ations",
    "ation",
    "ating",
    "ated",
    "ates",
    "ate",
    "ings",
    "ing",
    "ions",
    "ion",
    "edly",
    "ies",
    "ers",
    "ed",
    "es",
    "er",
    "s",
)
_SHORTEST_STEM = 3

_WHOLE, _PAIR, _TRIGRAM = 1.0, 0.6, 0.15

# Words that say nothing about the subject of English text or Python code.
_STOP_WORDS = """
    a an and are as at be been but by can could did do does for from had has have how i if in into is it its may
    more my no not of on or our over s such t than that the their them then there these they this those to under up
    use used using was we were what when where which while who will with would you your
    self cls def class return import none true false typing async await else elif pass yield raise try except
"""
_STOP = frozenset(_STOP_WORDS.split())


class LocalHashing:
    """Deterministic. A text without words, even an empty one, has a vector of its own."""

    model = "local-hashing-v1"

    def __init__(self, dimensions: int = 1536) -> None:
        if dimensions < 1:
            raise ValueError("a vector has at least one dimension")
        self.dimensions = dimensions

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        vectors = []
        for text in texts:
            vectors.append(self.vector(text))
            await asyncio.sleep(0)  # each takes about a millisecond; lets other tasks run
        return vectors

    async def close(self) -> None:
        return None

    def vector(self, text: str) -> list[float]:
        sums = [0.0] * self.dimensions
        for feature, weight in (_weights(text) or {text: _WHOLE}).items():
            place, sign = _place(feature)
            sums[place % self.dimensions] += sign * weight
        if not any(sums):  # its features cancelled each other out
            sums[_place(text)[0] % self.dimensions] = 1.0
        length = math.sqrt(math.fsum(value * value for value in sums))
        return [value / length for value in sums]


def _weights(text: str) -> dict[str, float]:
    counts: Counter[str] = Counter(_words(text))
    pairs: Counter[str] = Counter(_pairs(text))
    weights = {word: _WHOLE * (1 + math.log(count)) for word, count in counts.items()}
    weights |= {pair: _PAIR * (1 + math.log(count)) for pair, count in pairs.items()}
    trigrams: Counter[str] = Counter(trigram for word in counts for trigram in _trigrams(word))
    return weights | {trigram: _TRIGRAM * (1 + math.log(count)) for trigram, count in trigrams.items()}


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        whole = match.group().lower()
        parts = [stem(part) for part in _parts(match.group())]
        yield from parts
        if len(parts) > 1 and whole not in parts:
            yield "=" + re.sub(r"[_.-]", "", whole)


def _pairs(text: str) -> Iterator[str]:
    before = None
    for match in _WORD.finditer(text):
        for part in _parts(match.group()):
            word = stem(part)
            if before is not None:
                yield f"{before} {word}"
                yield f"={before}{word}"  # so that "web socket" meets `websocket`
            before = word


def _parts(word: str) -> Iterator[str]:
    """The parts of an identifier in lower case, without stop words."""
    for match in _PART.finditer(word):
        part = match.group().lower()
        if part not in _STOP:
            yield part


def _trigrams(word: str) -> Iterator[str]:
    if not word.startswith("="):
        padded = f"^{word}$"
        for start in range(len(padded) - 2):
            yield "#" + padded[start : start + 3]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The word without its commonest ending: `closing`, `closed`, `closes` and `close` all become `clos`."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST_STEM else word


@lru_cache(maxsize=200_000)
def _place(feature: str) -> tuple[int, int]:
    digest = int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return digest >> 1, 1 if digest & 1 else -1
