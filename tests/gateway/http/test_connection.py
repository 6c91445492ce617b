"""What comes before and between bodies is bounded, for everybody and before anybody is asked who they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.http.connection import BoundedHttp
from tests.gateway.auth.serving import serving

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\nhi"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PIECE = b"a" * 65_536
MUCH = 64 << 20


class Hasty(BoundedHttp):
    head_seconds = 1.0


@asynccontextmanager
async def connected(
    http: type[BoundedHttp] = BoundedHttp, until: asyncio.Event | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """To a server that answers with the length of the body, once `until` is set."""

    async def length(request: Request) -> Response:
        body = await request.body()
        if until is not None:
            await until.wait()
        return PlainTextResponse(str(len(body)))

    application = Starlette(routes=[Route("/", length, methods=["POST"])])
    async with serving(application, http=http) as origin:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rpartition(":")[2]))
        try:
            yield reader, writer
        finally:
            writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[str, str]:
    """Status and body of the next answer that has a length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    (length,) = (line.partition(":")[2] for line in head.splitlines() if line.lower().startswith("content-length:"))
    return head.split(" ", 2)[1], (await reader.readexactly(int(length))).decode()


@pytest.mark.parametrize(
    "begin",
    [b"POST /", HEAD + b"X-A: ", CHUNKED + b"1;", CHUNKED + b"1\r\nx\r\n0\r\nX-T: "],
    ids=["address", "header", "extension of a chunk", "trailer"],
)
async def test_what_never_ends_is_cut_off(begin: bytes) -> None:
    async with connected() as (_, writer):
        writer.write(begin)
        with pytest.raises(ConnectionError):
            await go_on(writer)


async def go_on(writer: asyncio.StreamWriter) -> None:
    for _ in range(MUCH // len(PIECE)):
        writer.write(PIECE)
        await writer.drain()


async def test_many_headers_are_too_large() -> None:
    async with connected() as (reader, writer):
        writer.write(HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(10_000)))
        assert await answer(reader) == ("431", "The request's head, or what frames it, is too large.")
        assert await reader.read() == b""


@pytest.mark.parametrize(
    "head",
    [b"POST /?" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n", HEAD + b"X-A: " + b"x" * 70_000 + b"\r\n"],
    ids=["address", "header"],
)
async def test_a_head_that_comes_at_once_is_too_large_as_well(head: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(head + b"Content-Length: 2\r\n\r\nhi")
        assert await answer(reader) == ("431", "The request's head, or what frames it, is too large.")
        assert await reader.read() == b""


async def test_a_body_in_many_pieces_is_not_what_frames_it() -> None:
    async with connected() as (reader, writer):
        writer.write(CHUNKED + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")
        assert await answer(reader) == ("200", "50000")
        writer.write(WHOLE * 2_000)
        assert [await answer(reader) for _ in range(2_000)] == [("200", "2")] * 2_000


async def test_a_head_that_does_not_end_is_answered_and_closed() -> None:
    async with connected(Hasty) as (reader, writer):
        writer.write(HEAD)
        assert await answer(reader) == ("408", "The request's head did not arrive in time.")
        assert await reader.read() == b""


async def test_so_is_the_next_one_of_a_connection() -> None:
    async with connected(Hasty) as (reader, writer):
        writer.write(WHOLE)
        assert await answer(reader) == ("200", "2")
        writer.write(HEAD)
        assert (await answer(reader))[0] == "408"
        assert await reader.read() == b""


async def test_a_connection_without_a_request_is_closed() -> None:
    async with connected(Hasty) as (reader, _):
        assert await reader.read() == b""


async def test_an_answer_is_waited_for_before_the_head_behind_it_is_late() -> None:
    may_end = asyncio.Event()
    async with connected(Hasty, may_end) as (reader, writer):
        writer.write(WHOLE + HEAD)
        await asyncio.sleep(2 * Hasty.head_seconds)  # the bound itself is what must pass
        may_end.set()
        assert await answer(reader) == ("200", "2")
        assert (await answer(reader))[0] == "408"
