"""Counts the tokens of a document without parsing it: graphql-core needs about 7 us per token and 0.2 us per character
of a string, this module about 0.1 us per token.

For a document that parses, the count is the parser's plus the number of comments, which the parser has to read, too.
For any other document it is at least the number of tokens that the parser reads before it stops. An unterminated string
is one token up to the end of its line, an unterminated block string one up to the end of the document, so nothing is
scanned twice.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      [_A-Za-z][_0-9A-Za-z]*+
    | "{3}(?:[^"\\]|\\"{3}|\\|"(?!""))*+(?:"{3})?
    | "(?:[^"\\\n\r]|\\.)*+"?
    | \#[^\n\r]*+
    | -?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?
    | \.\.\.
    | [^\s,\ufeff]
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """`longest` and `text` are in characters; `text` is the length of all strings and comments together, quotes
    included.
    """

    count: int
    longest: int
    text: int


def measure_tokens(text: str, *, stop_after: int) -> Tokens:
    """Counts at most `stop_after + 1` tokens. Linear in the length of the text."""
    count = longest = inside = 0
    for match in _TOKEN.finditer(text):
        count += 1
        if count > stop_after:
            break
        start, end = match.span()
        longest = max(longest, end - start)
        if text[start] in '"#':
            inside += end - start
    return Tokens(count, longest, inside)
