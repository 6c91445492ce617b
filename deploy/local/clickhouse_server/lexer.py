"""ClickHouse SQL as tokens, by regular expression. Text is bytes decoded as latin-1, so offsets are byte offsets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|\#[\ !][^\n]*|/\*.*?\*/)
      | (?P<string>'(?:[^'\\]|\\.|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
      | (?P<quoted>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9][A-Za-z0-9_.]*)
      | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class TokenKind(StrEnum):
    STRING = "string"
    QUOTED = "quoted"
    WORD = "word"
    NUMBER = "number"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Token:
    """`depth` counts the open brackets around the token; a bracket itself has the depth outside of it."""

    kind: TokenKind
    text: str
    start: int
    depth: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def keyword(self) -> str:
        """The word in capitals; empty for anything but an unquoted word."""
        return self.text.upper() if self.kind is TokenKind.WORD else ""

    @property
    def name(self) -> str:
        """The identifier without its quotes; empty for anything but a word or a quoted identifier."""
        if self.kind is TokenKind.WORD:
            return self.text
        return self.text[1:-1] if self.kind is TokenKind.QUOTED else ""


def tokens(sql: str) -> Iterator[Token]:
    """Significant tokens, lazily: a caller that meets the data of an INSERT stops and never lexes it.

    An unterminated literal comes out as single characters; the engine will name that error better than this could.
    """
    depth = 0
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup if match.lastgroup != "tag" else "string"
        if kind is None or kind == "space":
            continue
        text = match.group(kind)
        if text in (")", "]", "}"):
            depth = max(0, depth - 1)
        yield Token(TokenKind(kind), text, match.start(), depth)
        if text in ("(", "[", "{"):
            depth += 1
