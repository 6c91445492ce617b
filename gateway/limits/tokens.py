"""Counts a document's tokens without parsing it: graphql-core needs some 7 us a token, this some 0.1 us.

The count is the parser's for every document that parses, except that comments and unlexable characters count as well:
the parser has to read them too.
"""

import re

_TOKEN = re.compile(
    r"""
      [_A-Za-z][_0-9A-Za-z]*+
    | "{3}(?:[^"\\]|\\"{3}|\\|"(?!""))*+"{3}
    | "(?:[^"\\\n\r]|\\.)*+"
    | \#[^\n\r]*+
    | -?[0-9][0-9.eE+-]*+
    | \.\.\.
    | [^\s,\ufeff]
    """,
    re.VERBOSE,
)


def count_tokens(text: str, *, stop_after: int) -> int:
    """Tokens of the text, counting no further than `stop_after + 1`. Linear in the length of the text."""
    count = 0
    for _ in _TOKEN.finditer(text):
        count += 1
        if count > stop_after:
            break
    return count
