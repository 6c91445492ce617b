"""HTTP sessions: a connection that outlives a request, with its temporary tables and its SET values.

Settings in the query string hold for their own request only, so they are put back afterwards. A read-only request (and
every GET is one) cannot be put back in ClickHouse; it runs on a connection of its own and sees no temporary table.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from deploy.local.clickhouse_server.engine import Engine, EngineConnection, literal
from deploy.local.clickhouse_server.errors import ServerError


@dataclass(slots=True)
class _Session:
    connection: EngineConnection
    expires_at: float
    busy: bool = False
    before: dict[str, str | None] = field(default_factory=dict)


class Sessions:
    """Used from the event loop's thread except for `enter` and `leave`, which block on the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: dict[str, _Session] = {}

    def reserve(self, session_id: str, *, must_exist: bool) -> None:
        """Takes the session for one request: `ServerError` when it is busy, or not there and `must_exist`."""
        self._drop_expired()
        session = self._sessions.get(session_id)
        if session is None:
            if must_exist:
                raise ServerError(372, "SESSION_NOT_FOUND", f"Session {session_id} not found")
            session = self._sessions[session_id] = _Session(self._engine.connect(), 0.0)
        if session.busy:
            raise ServerError(373, "SESSION_IS_LOCKED", f"Session {session_id} is locked by a concurrent client")
        session.busy = True

    def enter(self, session_id: str, settings: Mapping[str, str]) -> EngineConnection:
        session = self._sessions[session_id]
        session.before = _values(session.connection, settings)
        session.connection.set(settings)
        return session.connection

    def leave(self, session_id: str) -> None:
        session = self._sessions[session_id]
        for name, value in session.before.items():
            restored = "DEFAULT" if value is None else literal(value)
            session.connection.query(f"SET {name} = {restored}".encode())
        session.before = {}

    def release(self, session_id: str, *, keep_seconds: float) -> None:
        session = self._sessions[session_id]
        session.busy = False
        session.expires_at = time.monotonic() + keep_seconds
        if keep_seconds <= 0:
            self._sessions.pop(session_id).connection.close()

    def close(self) -> None:
        for session in self._sessions.values():
            session.connection.close()
        self._sessions.clear()

    def _drop_expired(self) -> None:
        now = time.monotonic()
        for session_id, session in list(self._sessions.items()):
            if not session.busy and session.expires_at < now:
                self._sessions.pop(session_id).connection.close()


def _values(connection: EngineConnection, names: Mapping[str, str]) -> dict[str, str | None]:
    """The set value of each name, None where it is the default; names that do not exist are left out."""
    if not names:
        return {}
    listed = ", ".join(literal(name) for name in names)
    sql = f"SELECT name, value, changed FROM system.settings WHERE name IN ({listed})"  # noqa: S608 - literals
    rows = connection.query(sql.encode(), "JSONCompactEachRow").bytes().decode().splitlines()
    found: dict[str, str | None] = {}
    for row in rows:
        name, value, changed = orjson.loads(row)
        found[name] = value if changed else None
    return found
