"""Splits init.sql into statements and applies its one switch."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from migrations.errors import TargetInvalid

_REPLICATED = "Replicated"
_PATH_AND_REPLICA = [TokenType.L_PAREN, TokenType.STRING, TokenType.COMMA, TokenType.STRING, TokenType.R_PAREN]


@dataclass(frozen=True, slots=True)
class Statement:
    """`line` is where it begins in the file; `title` its first words, for messages."""

    sql: str
    line: int
    title: str


def statements(script: str, *, replicated: bool) -> Iterator[Statement]:
    """In order. `replicated=False` reads `ENGINE = Replicated...MergeTree` as the engine without replication.

    `TargetInvalid` for a script that cannot be read, or an engine with arguments beyond its path and replica.
    """
    try:
        tokens = ClickHouse().tokenize(script)
    except TokenError as error:
        raise TargetInvalid(f"init.sql cannot be read: {error}") from error
    current: list[Token] = []
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            if current:
                yield _statement(script, current, replicated)
            current = []
        else:
            current.append(token)
    if current:
        yield _statement(script, current, replicated)


def _statement(script: str, tokens: list[Token], replicated: bool) -> Statement:
    start, end = tokens[0].start, tokens[-1].end + 1
    sql = script[start:end]
    if not replicated:
        for index in reversed(_replicated_engines(tokens)):
            engine = tokens[index]
            after = _after_arguments(tokens, index)
            sql = sql[: engine.start - start] + engine.text.removeprefix(_REPLICATED) + sql[after - start :]
    title = " ".join(token.text for token in tokens[:6])
    return Statement(sql, tokens[0].line, title)


def _replicated_engines(tokens: list[Token]) -> list[int]:
    """Places of the names in `ENGINE = Replicated...MergeTree`."""
    found = []
    for index, token in enumerate(tokens):
        named = token.text.startswith(_REPLICATED) and token.text.endswith("MergeTree")
        if named and "ENGINE" in [word.text.upper() for word in tokens[max(0, index - 2) : index]]:
            found.append(index)
    return found


def _after_arguments(tokens: list[Token], engine: int) -> int:
    """Where the text continues after the engine and its `(path, replica)`, if it has them."""
    kinds = [token.token_type for token in tokens[engine + 1 : engine + 6]]
    if not kinds or kinds[0] is not TokenType.L_PAREN:
        return int(tokens[engine].end) + 1
    if kinds != _PATH_AND_REPLICA:
        raise TargetInvalid(
            f"init.sql, line {tokens[engine].line}: {tokens[engine].text} has arguments besides a path and a replica, "
            "so it cannot be read without replication"
        )
    return int(tokens[engine + 5].end) + 1
