"""An answer is in flight until its client has taken it, and a client that takes nothing is not waited for."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.http.connection import BoundedHttp
from gateway.http.socket_connection import BoundedSocket
from gateway.metrics import REGISTRY
from tests.gateway.http.application import serving
from tests.gateway.http.test_websocket import HANDSHAKE
from tests.waiting import until

SECONDS = 2.0
MEGABYTE = 1_000_000
LARGE = 40 * MEGABYTE
"""Of an answer: more than both kernels' buffers take."""
FIELDS = " ".join(f"a{number}: hello(name: $name)" for number in range(48))
PARAMETERS = {"query": f"query ($name: String!) {{ {FIELDS} }}", "variables": {"name": "x" * 900_000}}


class Http(BoundedHttp):
    write_seconds = SECONDS


class Socket(BoundedSocket):
    write_seconds = SECONDS


class Demanding(BoundedHttp):
    """Who reads less than a megabyte a second is waited for some seconds in all."""

    write_seconds = SECONDS / 2
    bytes_per_second = MEGABYTE


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async with serving(http=Http, ws=Socket) as origin:
        yield int(origin.rpartition(":")[2])


@pytest.fixture
async def demanding() -> AsyncIterator[int]:
    async with serving(http=Demanding, ws=Socket) as origin:
        yield int(origin.rpartition(":")[2])


def counted(transport: str, code: str) -> float:
    return REGISTRY.get_sample_value("axion_operations_total", {"transport": transport, "code": code}) or 0.0


def flying(transport: str) -> float:
    return REGISTRY.get_sample_value("axion_operations_in_flight", {"transport": transport}) or 0.0


def sockets() -> float | None:
    return REGISTRY.get_sample_value("axion_websockets")


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def connected(port: int, sent: bytes) -> AsyncIterator[socket.socket]:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        await asyncio.get_running_loop().sock_sendall(connection, sent)
        yield connection


def request(accept: str) -> bytes:
    """Of a large answer."""
    body = json.dumps(PARAMETERS).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: {accept}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def read_to_the_end(connection: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(connection, MEGABYTE):
        pass


def frame(message: dict[str, object]) -> bytes:
    """A WebSocket's text frame of a client, under a mask that changes nothing."""
    text = json.dumps(message).encode()
    return b"\x81\xff" + len(text).to_bytes(8, "big") + bytes(4) + text


@pytest.mark.parametrize(
    ("accept", "transport"),
    [("application/json", "http"), ("multipart/mixed", "http"), ("text/event-stream", "sse")],
)
async def test_an_answer_that_nobody_reads_is_given_up(port: int, accept: str, transport: str) -> None:
    before, ended = resident(), counted(transport, "CANCELLED")
    async with connected(port, request(accept)) as connection:
        await until(lambda: flying(transport) == 1)
        await until(lambda: flying(transport) == 0)
        assert counted(transport, "CANCELLED") == ended + 1
        await until(lambda: resident() < before + LARGE // 2)
        with pytest.raises(ConnectionResetError):
            await read_to_the_end(connection)


async def test_so_is_one_on_a_websocket(port: int) -> None:
    ended = counted("websocket", "CANCELLED")
    messages: list[dict[str, object]] = [
        {"type": "connection_init"},
        {"type": "subscribe", "id": "1", "payload": PARAMETERS},
    ]
    loop = asyncio.get_running_loop()
    async with connected(port, HANDSHAKE) as connection:
        assert (await loop.sock_recv(connection, MEGABYTE)).startswith(b"HTTP/1.1 101")
        await loop.sock_sendall(connection, b"".join(frame(each) for each in messages))
        await until(lambda: flying("websocket") == 1)
        await until(lambda: counted("websocket", "CANCELLED") == ended + 1)
        await until(lambda: flying("websocket") == 0 and sockets() == 0)


async def test_a_slow_reader_has_all_of_it(port: int) -> None:
    ended, size = counted("http", "OK"), 0
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with connected(port, request("application/json")) as connection:
        while size < LARGE or flying("http"):
            piece = await loop.sock_recv(connection, MEGABYTE)
            assert piece
            if size // (4 * MEGABYTE) != (size + len(piece)) // (4 * MEGABYTE):
                await asyncio.sleep(SECONDS / 8)  # a reader that is slow: what is tested
                assert counted("http", "OK") == ended or size > LARGE - 10 * MEGABYTE
            size += len(piece)
    assert counted("http", "OK") == ended + 1
    assert loop.time() - started > SECONDS


async def test_who_reads_a_little_now_and_then_is_given_up_too(demanding: int) -> None:
    """Each piece comes well before nothing was read for too long: it is all of them that are too little."""
    loop, taken = asyncio.get_running_loop(), 0
    ended, started = counted("http", "CANCELLED"), loop.time()
    async with connected(demanding, request("application/json")) as connection:
        await until(lambda: flying("http") == 1)
        while counted("http", "CANCELLED") == ended:
            taken += len(await loop.sock_recv(connection, 32_768))
            await asyncio.sleep(Demanding.write_seconds / 10)  # a reader that is slow: what is tested
            assert loop.time() - started < 60
    assert loop.time() - started > 4 * Demanding.write_seconds
    assert 0 < taken < LARGE / 2
