"""The ASGI application: authenticates, dispatches and refuses requests. One task per request."""

import uuid
from collections.abc import Mapping
from typing import Any

from deploy.local.clickhouse_server.body import Body, ClientGone, Receive, Send
from deploy.local.clickhouse_server.credentials import Credentials
from deploy.local.clickhouse_server.encoding import decoder
from deploy.local.clickhouse_server.engine import Engine
from deploy.local.clickhouse_server.errors import ServerError, bad_arguments
from deploy.local.clickhouse_server.exchange import STATEMENT_BYTES, Exchange
from deploy.local.clickhouse_server.request import form_fields, parameters_of, request
from deploy.local.clickhouse_server.running import Running
from deploy.local.clickhouse_server.sending import send_text
from deploy.local.clickhouse_server.sessions import Sessions


class Application:
    def __init__(self, engine: Engine, credentials: Credentials, *, max_queries: int) -> None:
        self.engine = engine
        self.running = Running(engine, limit=max_queries)
        self._credentials = credentials
        self._sessions = Sessions(engine)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if path in ("/ping", "/replicas_status") and method in ("GET", "HEAD"):
            await send_text(send, 200, b"Ok.\n")
            return
        if path != "/" or method not in ("GET", "POST"):
            await send_text(
                send, 404 if path != "/" else 405, b"There is no handle for that. Use / with GET or POST, or /ping.\n"
            )
            return
        query_id: str | None = None
        try:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            given = parameters_of(scope["query_string"])
            self._credentials.check(headers, given)
            body = Body(receive, decoder(headers.get("content-encoding", "")))
            if headers.get("content-type", "").startswith("multipart/form-data"):
                fields = form_fields(headers["content-type"], await body.read(limit=STATEMENT_BYTES))
                if both := fields.keys() & given.keys():
                    raise bad_arguments(f"{', '.join(sorted(both))}: given both in the query string and in the form.")
                given |= fields
            asked = request(method, headers, given)
            query_id = asked.query_id or str(uuid.uuid4())
            if method == "GET" and not asked.query:
                await send_text(send, 200, b"Ok.\n")
                return
            exchange = Exchange(
                self.engine, self.running, self._sessions, asked=asked, query_id=query_id, body=body, send=send
            )
            await exchange.run()
        except ClientGone:
            return
        except ServerError as error:
            await self._refuse(send, error, query_id)

    async def _refuse(self, send: Send, error: ServerError, query_id: str | None) -> None:
        headers = {"X-ClickHouse-Exception-Code": str(error.code), "X-ClickHouse-Server-Display-Name": "embedded"}
        if query_id is not None:
            headers["X-ClickHouse-Query-Id"] = query_id
        if error.code == 194:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        await send_text(send, error.status, error.text(self.engine.version).encode(), headers)

    def close(self) -> None:
        """Call it after the last request has ended."""
        self.running.close()
        self._sessions.close()
