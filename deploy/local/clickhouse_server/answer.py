"""Produces answers in the requested format, chunk by chunk; each `next` requests one block from the engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import orjson
from chdb.state.sqlitelike import StreamingResult

from deploy.local.clickhouse_server.arrow_stream import END_OF_STREAM, ArrowSplice
from deploy.local.clickhouse_server.engine import EngineConnection, Result
from deploy.local.clickhouse_server.errors import ServerError
from deploy.local.clickhouse_server.statement import Statement, StatementKind

_BLOCK_BY_BLOCK = frozenset(
    {
        "native", "tabseparated", "tsv", "tabseparatedraw", "tsvraw", "csv", "tskv", "rowbinary",
        "jsoneachrow", "jsonlines", "ndjson", "jsoncompacteachrow", "jsonstringseachrow", "jsoncompactstringseachrow",
    }
)  # fmt: skip
"""Formats whose blocks can be concatenated: without header, frame, or separator between blocks."""

_CONTENT_TYPES = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "native": "application/octet-stream",
    "rowbinary": "application/octet-stream",
    "arrow": "application/octet-stream",
    "arrowstream": "application/octet-stream",
    "parquet": "application/octet-stream",
}


def content_type(format_name: str) -> str:
    return _CONTENT_TYPES.get(format_name.lower(), "text/plain; charset=UTF-8")


@dataclass(slots=True)
class Summary:
    """The figures of `X-ClickHouse-Summary`; `read_*` from storage, `result_*` of the answer."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0

    def add(self, result: Result) -> None:
        self.read_rows += result.storage_rows_read()
        self.read_bytes += result.storage_bytes_read()
        self.written_rows += result.rows_written()
        self.written_bytes += result.bytes_written()
        self.result_rows += result.rows_read()
        self.result_bytes += result.bytes_read()

    def header(self, elapsed_ns: int) -> str:
        figures = {name: str(getattr(self, name)) for name in self.__slots__}
        return orjson.dumps({**figures, "elapsed_ns": str(elapsed_ns)}).decode()


class Answer(Protocol):
    summary: Summary

    def next(self) -> bytes | None:
        """The next bytes, or None after the last. `ServerError` when the query failed or was cancelled."""

    def close(self) -> None:
        """Cancels what has not been read. Not to be called while `next` runs."""


class _Whole:
    """An answer produced as a whole: commands, SHOW and the like, and formats with a frame."""

    def __init__(self, result: Result) -> None:
        self.summary = Summary()
        self.summary.add(result)
        self._bytes: bytes | None = result.bytes() or None

    def next(self) -> bytes | None:
        chunk, self._bytes = self._bytes, None
        return chunk

    def close(self) -> None:
        self._bytes = None


class _Blocks:
    def __init__(self, stream: StreamingResult) -> None:
        self.summary = Summary()
        self._stream = stream

    def next(self) -> bytes | None:
        try:
            result = self._stream.fetch()  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            raise ServerError.from_engine(error) from error
        if result is None:
            return None
        self.summary.add(result)
        chunk: bytes = result.bytes()
        return chunk

    def close(self) -> None:
        self._stream.cancel()  # type: ignore[no-untyped-call]


class _Arrow:
    """Joins many Arrow streams to one. An answer without rows still has its schema, which chDB's stream leaves out."""

    def __init__(
        self, blocks: _Blocks, connection: EngineConnection, sql: bytes, parameters: Mapping[str, str]
    ) -> None:
        self.summary = blocks.summary
        self._blocks = blocks
        self._splice = ArrowSplice()
        self._empty = (connection, sql, parameters)
        self._begun = False
        self._ended = False

    def next(self) -> bytes | None:
        if self._ended:
            return None
        chunk = self._blocks.next()
        if chunk is not None:
            self._begun = True
            try:
                return self._splice.add(chunk)
            except ValueError as error:
                raise ServerError(49, "LOGICAL_ERROR", str(error)) from error
        self._ended = True
        if self._begun:
            return END_OF_STREAM
        connection, sql, parameters = self._empty
        return connection.query(b"SELECT * FROM (\n" + sql + b"\n) LIMIT 0", "ArrowStream", parameters).bytes()

    def close(self) -> None:
        self._blocks.close()


def answer(
    connection: EngineConnection, statement: Statement, format_name: str, parameters: Mapping[str, str]
) -> Answer:
    """Starts the statement (no INSERT with data) and blocks until the engine has its first figures."""
    lowered = format_name.lower()
    streamed = statement.kind is StatementKind.SELECT and not statement.framed
    if streamed and lowered == "arrowstream":
        blocks = _Blocks(connection.stream(statement.sql, "ArrowStream", parameters))
        return _Arrow(blocks, connection, statement.sql, parameters)
    if streamed and lowered in _BLOCK_BY_BLOCK:
        return _Blocks(connection.stream(statement.sql, format_name, parameters))
    return _Whole(connection.query(statement.sql, format_name, parameters))
