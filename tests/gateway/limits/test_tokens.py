"""The number of tokens is never below what graphql-core's lexer reads, and no text makes counting expensive."""

import time

import pytest
from graphql import GraphQLSyntaxError, Lexer, Source, TokenKind
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.limits.tokens import measure_tokens
from tests.gateway.limits.hostile import MANY, TEXTS

PIECES = (
    *('"', '""', '"""', '\\"""', "\\", '\\"', "\\u0041", "\\n", "#", "\n", "\r", " ", ",", "\ufeff", "\t"),
    *("0", "1", "12", "-", "+", ".", "...", "e", "E", "1.5e5", "1-1-1", "-1", "1e-1", "_", "a", "A1", "é", "\u2028"),
    *("{", "}", "(", ")", "[", "]", ":", "=", "!", "$", "@", "&", "|", "\ud83d", "\ude00", "\u00a0", "\x00", "?"),
)
DRAWN = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=40)


def lexed(text: str) -> tuple[int, bool]:
    """How many tokens graphql-core's lexer reads, comments included, and whether it came to the end."""
    lexer = Lexer(Source(text))
    count, token = 0, lexer.token
    try:
        while True:
            token = lexer.read_next_token(token.end)
            if token.kind is TokenKind.EOF:
                return count, True
            count += 1
    except GraphQLSyntaxError:
        return count, False


@given(DRAWN)
@example("1-1-1")
@example("1.5e5-1.5.5")
@example('"""a""""b"""""')
@example('"""\\"""\n1"')
@example('"\\"1 1\n1')
def test_never_below_the_lexers(text: str) -> None:
    count, whole = lexed(text)
    measured = measure_tokens(text, stop_after=1_000).count
    assert measured >= count
    assert measured == count or not whole


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1-1-1", 3),
        ("1.5e5", 1),
        ("1.5e5-1E+2-0", 3),
        ('{a(x: """ "" \\""" ', 6),
        ('{a(x: "b c\n}', 7),
    ],
)
def test_numbers_and_strings_without_end(text: str, count: int) -> None:
    assert measure_tokens(text, stop_after=1_000).count == count


def spent(text: str) -> float:
    """Seconds of CPU, the least of some tries."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        measure_tokens(text, stop_after=MANY)
        best = min(best, time.process_time() - started)
    return best


@pytest.mark.parametrize("name", ["unclosed block strings", "unclosed escapes", "unterminated block strings", "quotes"])
def test_costs_as_much_as_any_text_of_its_length(name: str) -> None:
    """A few times that at most; scanned again from each quote it would be hundreds of times."""
    assert spent(TEXTS[name]) < 10 * spent(TEXTS["tokens"])
