"""Executes one statement of a client. The engine's blocking calls run in threads, so the event loop is
never blocked.
"""

import asyncio
import contextlib
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from deploy.local.clickhouse_server.answer import Answer, Summary, answer, content_type
from deploy.local.clickhouse_server.body import Body, ClientGone, Send
from deploy.local.clickhouse_server.encoding import Encoder, encoder, negotiate
from deploy.local.clickhouse_server.engine import Engine, EngineConnection, Result, marked
from deploy.local.clickhouse_server.errors import ServerError, not_implemented
from deploy.local.clickhouse_server.request import Request
from deploy.local.clickhouse_server.running import Running
from deploy.local.clickhouse_server.sending import send_more, send_start
from deploy.local.clickhouse_server.sessions import Sessions
from deploy.local.clickhouse_server.statement import Statement, StatementKind, parse

P = ParamSpec("P")
T = TypeVar("T")

_HEAD_BYTES = 256 << 10
"""The data of an INSERT must begin within this many bytes to be streamed (ClickHouse's default `max_query_size`)."""
STATEMENT_BYTES = 64 << 20
_SPOOL_BYTES = 16 << 20
_PIECE_BYTES = 1 << 20
_REASON_SECONDS = 0.25
"""How long a failed answer stays open so that its reader gets the reason: some clients discard what they
have not read.
"""


class AnswerBroken(Exception):
    """Raised through the HTTP server so that it drops the connection: the answer failed after it had begun."""


class Exchange:
    """One statement: from its request to the last byte of its answer."""

    def __init__(
        self,
        engine: Engine,
        running: Running,
        sessions: Sessions,
        *,
        asked: Request,
        query_id: str,
        body: Body,
        send: Send,
    ) -> None:
        self._engine = engine
        self._running = running
        self._sessions = sessions
        self._asked = asked
        self._query_id = query_id
        self._body = body
        self._send = send
        self._started_ns = time.monotonic_ns()
        self._encoding = None
        if asked.settings.get("enable_http_compression", "0") in ("1", "true"):
            self._encoding = negotiate(asked.headers.get("accept-encoding", ""))
        self._tag = secrets.token_hex(8)
        self._gone = asyncio.Event()

    async def run(self) -> None:
        """Releases the query's id before the last bytes are sent, so that a client that received them can
        reuse the id.
        """
        self._running.add(self._query_id)
        try:
            last = await self._answer_but_for_the_end()
        finally:
            self._running.remove(self._query_id)
        await self._send({"type": "http.response.body", "body": last})

    async def _answer_but_for_the_end(self) -> bytes:
        text, statement = await self._statement()
        in_session = self._asked.session_id if self._asked.settings.get("readonly", "0") == "0" else None
        if in_session is None:
            connection = await self._call(self._open)
            try:
                return await self._on(connection, text, statement)
            finally:
                await self._call(connection.close)
        sessions = self._sessions
        sessions.reserve(in_session, must_exist=self._asked.session_check)
        try:
            connection = await self._call(sessions.enter, in_session, self._settings)
            try:
                return await self._on(connection, text, statement)
            finally:
                await self._call(sessions.leave, in_session)
        finally:
            keep = 0.0 if self._asked.close_session else self._asked.session_timeout
            sessions.release(in_session, keep_seconds=keep)

    async def _statement(self) -> tuple[bytes, Statement]:
        """The statement and the text it was parsed from, which is followed by the first data of an INSERT."""
        text = self._asked.query.encode()
        if text:
            text += b"\n"
        text += await self._body.read_some(at_least=_HEAD_BYTES)
        if not self._body.ended:
            if text.lstrip()[:6].upper() == b"INSERT":
                statement = await self._call(parse, text)
                if statement.kind is StatementKind.INSERT and statement.data is not None and statement.data < len(text):
                    return text, statement
            text += await self._body.read(limit=STATEMENT_BYTES)
        return text, await self._call(parse, text)

    @property
    def _settings(self) -> dict[str, str]:
        return {**self._asked.settings, **marked(self._query_id)}

    def _open(self) -> EngineConnection:
        connection = self._engine.connect()
        try:
            if self._asked.database:
                connection.use(self._asked.database)
            connection.set(self._settings)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _on(self, connection: EngineConnection, text: bytes, statement: Statement) -> bytes:
        if statement.kind is StatementKind.INSERT:
            return await self._insert(connection, text, statement)
        return await self._query(connection, statement)

    async def _insert(self, connection: EngineConnection, text: bytes, statement: Statement) -> bytes:
        format_name = statement.format or self._asked.default_format or "Values"
        head = text[statement.data :]
        summary = Summary()
        if self._asked.parameters:
            if format_name != "Values":
                raise not_implemented("Parameters in an INSERT with a FORMAT are not supported by the embedded server.")
            data = head + await self._body.read(limit=STATEMENT_BYTES)
            sql = statement.sql + b" VALUES " + data
            summary.add(await self._call(connection.query, sql, "TabSeparated", self._asked.parameters))
        else:
            summary.add(await self._inserted(connection, statement, format_name, head))
        await send_start(self._send, 200, {**self._headers("TabSeparated", summary), "Content-Length": "0"})
        return b""

    async def _inserted(
        self, connection: EngineConnection, statement: Statement, format_name: str, head: bytes
    ) -> Result:
        with tempfile.NamedTemporaryFile() as file:
            try:
                await self._call(file.write, head)
                async for chunk in self._body.chunks():
                    await self._call(file.write, chunk)
                await self._call(file.flush)
            except OSError as error:
                raise ServerError(243, "NOT_ENOUGH_SPACE", f"Cannot keep the data of the INSERT: {error}") from error
            return await self._call(connection.insert, statement, format_name, Path(file.name))

    async def _query(self, connection: EngineConnection, statement: Statement) -> bytes:
        format_name = statement.format or self._asked.default_format or "TabSeparated"
        watch = asyncio.create_task(self._cancel_when_client_goes())
        found: Answer | None = None
        try:
            found = await self._call(answer, connection, statement, format_name, self._asked.parameters)
            return await self._respond(found, format_name)
        except ServerError:
            if self._gone.is_set():
                raise ClientGone from None
            raise
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            if found is not None:
                await self._call(found.close)

    async def _cancel_when_client_goes(self) -> None:
        await self._body.wait_for_client_to_go()
        self._gone.set()
        await self._running.kill(self._query_id)

    async def _respond(self, found: Answer, format_name: str) -> bytes:
        """Holds back the first `buffer_size` bytes (all of them with `wait_end_of_query`), so that early errors get
        their HTTP status.
        """
        stream = encoder(self._encoding)
        with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as held:
            limit = None if self._asked.wait_end_of_query else self._asked.buffer_size
            ended = await self._call(_hold, found, stream, held, limit)
            headers = self._headers(format_name, found.summary)
            if self._encoding is not None:
                headers["Content-Encoding"] = self._encoding
            await send_start(self._send, 200, headers)
            while piece := await self._call(held.read, _PIECE_BYTES):
                await send_more(self._send, piece)
        while not ended:
            try:
                piece_or_end = await self._call(_encoded, found, stream)
            except ServerError as error:
                await send_more(self._send, stream.encode(self._exception_text(error)) + stream.finish())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._gone.wait(), _REASON_SECONDS)
                raise AnswerBroken(str(error)) from error
            if piece_or_end is None:
                ended = True
            elif piece_or_end:
                await send_more(self._send, piece_or_end)
        return stream.finish()

    def _headers(self, format_name: str, summary: Summary) -> dict[str, str]:
        return {
            "Content-Type": content_type(format_name),
            "X-ClickHouse-Format": format_name,
            "X-ClickHouse-Query-Id": self._query_id,
            "X-ClickHouse-Server-Display-Name": "embedded",
            "X-ClickHouse-Timezone": self._engine.timezone,
            "X-ClickHouse-Exception-Tag": self._tag,
            "X-ClickHouse-Summary": summary.header(time.monotonic_ns() - self._started_ns),
        }

    def _exception_text(self, error: ServerError) -> bytes:
        """The trailer that ClickHouse 25.11 and later append to an answer that fails midway."""
        message = error.text(self._engine.version)
        framed = (
            f"\r\n__exception__\r\n{self._tag}\r\n{message}{len(message.encode())} {self._tag}\r\n__exception__\r\n"
        )
        return framed.encode()

    async def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._running.call(self._query_id, work, *args, **kwargs)


def _encoded(found: Answer, stream: Encoder) -> bytes | None:
    chunk = found.next()
    return None if chunk is None else stream.encode(chunk)


def _hold(found: Answer, stream: Encoder, held: IO[bytes], limit: int | None) -> bool:
    """Fills `held` and rewinds it. Returns whether the answer ended within `limit` bytes."""
    ended = False
    while not ended and (limit is None or held.tell() <= limit):
        chunk = _encoded(found, stream)
        ended = chunk is None
        held.write(chunk or b"")
    held.seek(0)
    return ended
