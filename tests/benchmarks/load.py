"""The load: connections that send the next request as soon as an answer is in. One process, uvloop, httptools.

It spends some 20 us a request, a tenth of what the fastest server here needs. Every distinct request is asked once
before and its answer checked; under load an answer must have status 200 and the length of the checked one.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import httptools
import orjson

_PATIENCE_S = 60.0

Check = Callable[[Any], None]
"""Given the decoded answer; raises for a wrong one."""


@dataclass(frozen=True, slots=True)
class Target:
    """Requests a server on 127.0.0.1 is sent in turn, and how long the answer of each is."""

    port: int
    requests: tuple[bytes, ...]
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: `latencies` in seconds, one for each answer."""

    seconds: float
    latencies: tuple[float, ...]

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def median_ms(self) -> float:
        return sorted(self.latencies)[len(self.latencies) // 2] * 1000


class WrongAnswer(Exception):
    """A server answered something else than what it was asked for: no figure is worth anything then."""


def post(document: str, *, token: str | None = None, accept: str = "application/json") -> bytes:
    """One request for `/graphql`, as bytes."""
    body = orjson.dumps({"query": document})
    lines = [
        "POST /graphql HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        f"accept: {accept}",
        f"content-length: {len(body)}",
        *([f"authorization: Bearer {token}"] if token else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def target(port: int, requests: Sequence[bytes], check: Check) -> Target:
    """Asks each request once. Raises `WrongAnswer` unless each is answered with 200 and data that passes the check."""
    lengths = []
    for request in requests:
        answer = await ask(port, request)
        decoded = orjson.loads(answer)
        if decoded.get("errors") or not decoded.get("data"):
            raise WrongAnswer(answer[:1_000].decode(errors="replace"))
        check(decoded["data"])
        lengths.append(len(answer))
    return Target(port, tuple(requests), tuple(lengths))


async def ask(port: int, request: bytes) -> bytes:
    """The body of the answer to one request. `WrongAnswer` unless its status is 200."""
    connection = _Connection(Target(port, (request,), (-1,)), 0, stop=lambda: True, keep=True)
    await _run([connection], port)
    return bytes(connection.body)


async def load(at: Target, *, connections: int, seconds: float) -> Load:
    """Answers begun within `seconds`; the clock stops when the last of them is in."""
    started = time.perf_counter()
    opened = [
        _Connection(at, number, stop=lambda: time.perf_counter() - started >= seconds) for number in range(connections)
    ]
    await _run(opened, at.port)
    ended = max(connection.ended for connection in opened)
    return Load(ended - started, tuple(latency for connection in opened for latency in connection.latencies))


async def _run(connections: Sequence["_Connection"], port: int) -> None:
    loop = asyncio.get_running_loop()

    async def run(connection: _Connection) -> None:
        transport, _ = await loop.create_connection(lambda: connection, "127.0.0.1", port)
        try:
            await connection.done
        finally:
            transport.close()

    async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as tasks:
        for connection in connections:
            tasks.create_task(run(connection))


class _Connection(asyncio.Protocol):
    """Also httptools' callbacks. Connections begin at different places of the list of requests."""

    def __init__(self, at: Target, number: int, *, stop: Callable[[], bool], keep: bool = False) -> None:
        self._at = at
        self._next = number * len(at.requests) // 8 % len(at.requests)
        self._stop = stop
        self._keep = keep
        self._length = 0
        self.body = bytearray()
        self.latencies: list[float] = []
        self.ended = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by its methods alone
        self._send()

    def _send(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._length = 0
        self._sent = time.perf_counter()
        self._transport.write(self._at.requests[self._next])

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._length += len(body)
        if self._keep:
            self.body += body

    def on_message_complete(self) -> None:
        self.ended = time.perf_counter()
        self.latencies.append(self.ended - self._sent)
        status = self._parser.get_status_code()
        expected = self._at.lengths[self._next]
        if status != 200 or expected not in (-1, self._length):
            self._fail(WrongAnswer(f"status {status}, {self._length} bytes instead of {expected}: {self.body[:500]!r}"))
        elif self._stop():
            self._finish()
        else:
            self._next = (self._next + 1) % len(self._at.requests)
            asyncio.get_running_loop().call_soon(self._send)  # the parser is still at work here

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(WrongAnswer(f"the connection was closed in the middle: {exc}"))

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
