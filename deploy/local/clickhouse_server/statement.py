"""Classifies a statement: its kind, its format, and where its data begins. Also maps query ids.

chDB assigns query ids itself. So the client's `query_id` is stored in a setting of the query that has no effect on a
single node (`MARK`), and statements that read query ids are rewritten: `system.processes` becomes a subquery that shows
the client's ids, and `query_id` in `KILL QUERY ... WHERE` refers to the client's id.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from deploy.local.clickhouse_server.errors import ServerError
from deploy.local.clickhouse_server.lexer import Token, TokenKind, tokens

MARK = "cluster_for_parallel_replicas"
OWN = "(server)"
"""The mark of the server's own statements, which `system.processes` does not show."""

CLIENT_QUERY_ID = f"if(Settings['{MARK}'] = '', query_id, Settings['{MARK}'])"
_PROCESSES = (
    f"(SELECT * REPLACE ({CLIENT_QUERY_ID} AS query_id, {CLIENT_QUERY_ID} AS initial_query_id, "  # noqa: S608 - constants
    f"mapFilter((k, v) -> k != '{MARK}', Settings) AS Settings) "
    f"FROM (SELECT * FROM system.processes WHERE Settings['{MARK}'] != '{OWN}'))"
)

_SELECTS = ("SELECT", "WITH", "FROM")
_SHOWN = ("SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK", "KILL")
_DATA_FOLLOWS = ("VALUES", "FORMAT", "SELECT", "WITH", "FROM", "WATCH")
_NOT_A_FORMAT = (
    "ASC",
    "DESC",
    "NULLS",
    "COLLATE",
    "FROM",
    "WHERE",
    "LIMIT",
    "AND",
    "OR",
    "IS",
    "IN",
    "LIKE",
    "BETWEEN",
)
_NO_FORMAT_AFTER = ("SELECT", "BY", "WHERE", "AND", "OR", "NOT", "AS", "FROM", "JOIN", "ON", "HAVING", "IN", "DISTINCT")
_LOCAL_FILES = ("file", "filecluster", "executable", "python")
_DATA_START = re.compile(r"[ \t\f]*(?:\r?\n)?")


class StatementKind(StrEnum):
    SELECT = "select"  # rows, can be streamed
    SHOW = "show"  # rows, made at once
    COMMAND = "command"  # no rows
    INSERT = "insert"  # rows follow the statement


@dataclass(frozen=True, slots=True)
class Statement:
    """`sql` is ready for the engine: without FORMAT clause, and with query ids mapped.

    `format` is the requested format of the answer or, for INSERT, of the data. `data` is the offset of an INSERT's
    data, and `source` where in `sql` a file with the data would be named. `framed` says that the answer also has other
    rows than plain ones (WITH TOTALS), so it cannot be produced block by block.
    """

    kind: StatementKind
    sql: bytes
    format: str | None = None
    data: int | None = None
    source: int | None = None
    framed: bool = False


def parse(text: bytes) -> Statement:
    """Raises `ServerError` for an empty statement, several statements, and reading of the server's own files."""
    sql = text.decode("latin-1")
    stream = tokens(sql)
    first = next((token for token in stream if token.text not in ("(", ";")), None)
    if first is None:
        raise ServerError(62, "SYNTAX_ERROR", "Syntax error: Empty query")
    if first.keyword == "INSERT":
        return _insert(sql, stream)
    words = [first, *stream]
    words = _single(words)
    _refuse_local_files(words)
    edits = list(_rename_queries(words))
    format_name = None
    if clause := _format_clause(words):
        format_name = clause[1].name
        edits.append((clause[0].start, clause[1].end, ""))
    return Statement(
        _kind(words),
        _edited(sql[: words[-1].end], edits),
        format_name,
        framed=any(token.keyword in ("TOTALS", "EXTREMES") for token in words),
    )


def _kind(words: Sequence[Token]) -> StatementKind:
    keyword = words[0].keyword
    if keyword in _SELECTS:
        writes = keyword == "WITH" and any(token.depth == 0 and token.keyword == "INSERT" for token in words)
        return StatementKind.COMMAND if writes else StatementKind.SELECT
    return StatementKind.SHOW if keyword in _SHOWN else StatementKind.COMMAND


def _insert(sql: str, stream: Iterator[Token]) -> Statement:
    """Stops at the keyword that the data follows, because the rest is not SQL."""
    words: list[Token] = []
    for token in stream:
        words.append(token)
        starts = len(words) > 2 and token.depth == 0 and words[-2].text != "."
        if not (starts and token.keyword in _DATA_FOLLOWS):
            continue
        if token.keyword == "FORMAT":
            name = next(stream, None)
            if name is None or not name.name:
                raise ServerError(62, "SYNTAX_ERROR", "Syntax error: a name of a format must follow FORMAT")
            data = _DATA_START.match(sql, name.end)
            _refuse_local_files(words)
            offset = data.end() if data else name.end
            return _of_data(sql[: token.start], words, name.name, offset)
        if token.keyword == "VALUES":
            _refuse_local_files(words)
            return _of_data(sql[: token.start], words, "Values", token.end)
        if token.keyword == "FROM":
            raise ServerError(1, "UNSUPPORTED_METHOD", "INSERT ... FROM INFILE is for a local client only")
        words = _single([*words, *stream])
        _refuse_local_files(words)
        return Statement(StatementKind.COMMAND, _edited(sql[: words[-1].end], list(_rename_queries(words))))
    return _of_data(sql.rstrip(" \t\r\n;"), words, None, len(sql))


def _of_data(sql: str, words: Sequence[Token], format_name: str | None, data: int) -> Statement:
    """`words` are those after INSERT; the third is the first that cannot be the table's name."""
    settings = (
        after.start
        for before, after in pairwise(words[1:])
        if after.keyword == "SETTINGS" and after.depth == 0 and before.text != "." and before.keyword != "TABLE"
    )
    source = next(settings, len(sql))
    return Statement(StatementKind.INSERT, sql.encode("latin-1"), format_name, data, source)


def _single(words: list[Token]) -> list[Token]:
    semicolon = next((index for index, token in enumerate(words) if token.text == ";"), None)
    if semicolon is None:
        return words
    if any(token.text != ";" for token in words[semicolon:]):
        at = words[semicolon].end
        raise ServerError(
            62, "SYNTAX_ERROR", f"Syntax error (Multi-statements are not allowed): failed at position {at}"
        )
    return words[:semicolon]


def _refuse_local_files(words: Sequence[Token]) -> None:
    """A ClickHouse server keeps `file()` to a folder of its own; the embedded engine does not, so it is refused."""
    for token, after in pairwise(words):
        if after.text == "(" and token.name.lower() in _LOCAL_FILES:
            raise ServerError(497, "ACCESS_DENIED", f"default: Not enough privileges: {token.name}() is not granted")
        if token.keyword == "INTO" and after.keyword == "OUTFILE":
            raise ServerError(1, "UNSUPPORTED_METHOD", "INTO OUTFILE is for a local client only")


def _format_clause(words: Sequence[Token]) -> tuple[Token, Token] | None:
    """The last `FORMAT name` outside of brackets that ends the statement or is followed by SETTINGS."""
    for index in range(len(words) - 2, 0, -1):
        keyword, name = words[index], words[index + 1]
        if keyword.keyword != "FORMAT" or keyword.depth or name.kind is not TokenKind.WORD:
            continue
        before = words[index - 1]
        operand_wanted = before.keyword in _NO_FORMAT_AFTER or before.text in (
            ",",
            ".",
            "=",
            "<",
            ">",
            "+",
            "-",
            "*",
            "/",
        )
        ends = index + 2 == len(words) or words[index + 2].keyword == "SETTINGS"
        if ends and not operand_wanted and name.keyword not in _NOT_A_FORMAT:
            return keyword, name
    return None


def _rename_queries(words: Sequence[Token]) -> Iterator[tuple[int, int, str]]:
    if words[0].keyword == "KILL":
        where = next((index for index, token in enumerate(words) if token.keyword == "WHERE"), len(words))
        for before, token in pairwise(words[where:]):
            if token.name == "query_id" and before.text not in ("{", "."):
                yield token.start, token.end, CLIENT_QUERY_ID
        return
    for before, schema, dot, table in zip(words, words[1:], words[2:], words[3:], strict=False):
        if schema.name == "system" and dot.text == "." and table.name == "processes" and _reads_from(before):
            yield schema.start, table.end, _PROCESSES


def _reads_from(before: Token) -> bool:
    return before.keyword in ("FROM", "JOIN") or before.text == ","


def _edited(sql: str, edits: list[tuple[int, int, str]]) -> bytes:
    for start, end, text in sorted(edits, reverse=True):
        sql = f"{sql[:start]}{text}{sql[end:]}"
    return sql.encode("latin-1")
