"""Sends responses to the client as ASGI messages."""

from collections.abc import Mapping

from deploy.local.clickhouse_server.body import Send


async def send_start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})


async def send_more(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


async def send_text(send: Send, status: int, text: bytes, headers: Mapping[str, str] | None = None) -> None:
    plain = {"Content-Type": "text/plain; charset=UTF-8", "Content-Length": str(len(text))}
    await send_start(send, status, {**plain, **(headers or {})})
    await send({"type": "http.response.body", "body": text})
