"""The chDB engine of this process: its folder, its connections, the queries that run in it.

A connection costs 0.2 ms, carries the settings of one request and runs one statement at a time, so every request gets
its own. Methods block and are called in threads.
"""

import fcntl
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from chdb.state.sqlitelike import Connection, StreamingResult

from deploy.local.clickhouse_server.errors import ServerError
from deploy.local.clickhouse_server.statement import CLIENT_QUERY_ID, MARK, OWN, Statement

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LIKE_A_SERVER = {"implicit_select": "0", "allow_introspection_functions": "0"}
"""Settings that the engine changes for a local shell but a server does not have."""


class FolderInUse(RuntimeError):
    """Another process owns the data folder."""


class Result(Protocol):
    """What chDB returns of one block or one whole answer."""

    def bytes(self) -> bytes: ...
    def rows_read(self) -> int: ...
    def bytes_read(self) -> int: ...
    def rows_written(self) -> int: ...
    def bytes_written(self) -> int: ...
    def storage_rows_read(self) -> int: ...
    def storage_bytes_read(self) -> int: ...


class EngineConnection:
    """One request's (or one session's) connection. Errors of the engine come out as `ServerError`."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = Connection(str(path))
        except RuntimeError as error:
            raise ServerError.from_engine(error) from error
        self.set(_LIKE_A_SERVER)

    def set(self, settings: Mapping[str, str]) -> None:
        """Applies all settings or none. The engine refuses unknown names and values of the wrong type."""
        if not settings:
            return
        for name in settings:
            if not _NAME.fullmatch(name):
                raise ServerError(115, "UNKNOWN_SETTING", f"Unknown setting '{name}'.")
        pairs = ", ".join(f"{name} = {literal(value)}" for name, value in settings.items())
        self.query(f"SET {pairs}".encode())

    def use(self, database: str) -> None:
        quoted = database.replace("\\", "\\\\").replace("`", "\\`")
        self.query(f"USE `{quoted}`".encode())

    def query(
        self, sql: bytes, format_name: str = "TabSeparated", parameters: Mapping[str, str] | None = None
    ) -> Result:
        try:
            result: Result = self._connection.query(_text(sql), format_name, params=dict(parameters or {}))
        except RuntimeError as error:
            raise ServerError.from_engine(error) from error
        return result

    def stream(self, sql: bytes, format_name: str, parameters: Mapping[str, str]) -> StreamingResult:
        try:
            return self._connection.send_query(_text(sql), format_name, params=dict(parameters))
        except RuntimeError as error:
            raise ServerError.from_engine(error) from error

    def insert(self, statement: Statement, format_name: str, data: Path) -> Result:
        """Of all rows in a file. What chDB is sent piece by piece (`send_insert`) it reports as written even if its
        commit failed: on a full disk, or for rows that break a constraint.
        """
        if not _NAME.fullmatch(format_name):
            raise ServerError(73, "UNKNOWN_FORMAT", f"Unknown format {format_name}")
        named = f" FROM INFILE {literal(str(data))} COMPRESSION 'none' ".encode()
        before, after = statement.sql[: statement.source], statement.sql[statement.source :]
        return self.query(before + named + after + f" FORMAT {format_name}".encode())

    def close(self) -> None:
        """Cancels what still runs on it."""
        self._connection.close()


class Engine:
    """Owns `path` from construction to `close`. `FolderInUse` when another process has it."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = path / "store"
        self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise FolderInUse(
                f"{path} is in use by another process (chDB allows one): stop that server or choose another --path"
            ) from error
        self._control = EngineConnection(self._path)
        self.version, self.timezone = self._control.query(b"SELECT version(), timezone()").bytes().decode().split()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> EngineConnection:
        return EngineConnection(self._path)

    def kill(self, query_id: str) -> None:
        """Cancels the query with that id and waits for its end. Does nothing when there is none."""
        connection = self.connect()
        try:
            connection.set(marked(OWN))
            connection.query(f"KILL QUERY WHERE {CLIENT_QUERY_ID} = {literal(query_id)} SYNC".encode())
        finally:
            connection.close()

    def close(self) -> None:
        self._control.close()
        os.close(self._lock)


def marked(query_id: str) -> dict[str, str]:
    """The setting that carries the client's query id (see `statement.MARK`)."""
    return {MARK: query_id}


def literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _text(sql: bytes) -> str:
    try:
        return sql.decode()
    except UnicodeDecodeError:
        raise ServerError(62, "SYNTAX_ERROR", "Syntax error: the statement is not valid UTF-8") from None
