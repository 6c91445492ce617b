"""5 million rows of ClickHouse as one Arrow stream through the gateway, against the store's own ArrowStream."""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import pyarrow as pa

from loaders.clickhouse.query_settings import Settings
from loaders.clickhouse.source import IN_LARGE_BLOCKS
from tests.benchmarks.data.frames import FRAMES
from tests.benchmarks.figure import Figure, Goal
from tests.benchmarks.load import WrongAnswer, post
from tests.benchmarks.world import World

_DOCUMENT = "{ sense { frames { nodes { trackId capturedAt lat lon speed } } } }"
_SQL = """SELECT track_id, captured_at, lat, lon, speed FROM frames
WHERE organization_id = {organization:Int64} FORMAT ArrowStream"""
_ROUNDS = 9
"""A round reads all rows three times: some two seconds."""


@dataclass(frozen=True, slots=True)
class Stream:
    """As its reader sees it. `first_byte` is of the body; decoding is not part of the time."""

    seconds: float
    first_byte: float
    body: bytearray


async def arrow(world: World) -> list[Figure]:
    at = world.settings.clickhouse
    port = int(at.url.rpartition(":")[2])
    direct, in_large_blocks = _direct(world, {}), _direct(world, IN_LARGE_BLOCKS)
    ours: list[Stream] = []
    theirs: list[Stream] = []
    alike: list[Stream] = []
    async with world.gateway() as gateway:
        request = post(_DOCUMENT, token=world.member, accept="application/vnd.apache.arrow.stream")
        _check(await _read(gateway.port, request))  # warm-up, of the store's caches as well
        _check(await _read(port, direct))
        before = gateway.resident_mib()
        gateway.forget_peak()
        for _ in range(_ROUNDS):
            ours.append(await _read(gateway.port, request, keep=False))
            theirs.append(await _read(port, direct, keep=False))
            alike.append(await _read(port, in_large_blocks, keep=False))
        growth = gateway.peak_resident_mib() - before
    name = "Arrow stream of 5 million ClickHouse rows"
    peer = "the store's own ArrowStream"
    return [
        Figure.of_pairs(
            f"{name}: speed",
            [FRAMES / stream.seconds for stream in ours],
            [FRAMES / stream.seconds for stream in theirs],
            unit="rows/s",
            peer=peer,
            goal=Goal("at least", 0.9),
        ),
        Figure.of_pairs(
            f"{name}: speed",
            [FRAMES / stream.seconds for stream in ours],
            [FRAMES / stream.seconds for stream in alike],
            unit="rows/s",
            peer=f"{peer}, in blocks as large as the gateway's",
            goal=None,
        ),
        Figure.of_pairs(
            f"{name}: first byte",
            [stream.first_byte * 1000 for stream in ours],
            [stream.first_byte * 1000 for stream in theirs],
            unit="ms",
            peer=peer,
            goal=Goal("at most", 2.0),
        ),
        Figure(f"{name}: growth of the gateway's memory", growth, "MiB", goal=Goal("at most", 64, " MiB")),
    ]


def _direct(world: World, settings: Settings) -> bytes:
    """The same rows asked of the store itself, under settings of its own or under those given."""
    at = world.settings.clickhouse
    parameters = {"database": at.database, "param_organization": world.organizations[0], **settings}
    body = _SQL.encode()
    return (
        f"POST /?{urlencode(parameters)} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-clickhouse-user: {at.username}\r\n"
        f"x-clickhouse-key: {at.password.get_secret_value()}\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body


async def _read(port: int, request: bytes, *, keep: bool = True) -> Stream:
    """Reads the chunked body of one answer. `WrongAnswer` unless it is 200 and whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    try:
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.splitlines()[0] or b"chunked" not in head.lower():
            raise WrongAnswer(head.decode() + (await reader.read(1_000)).decode(errors="replace"))
        first = 0.0
        body = bytearray()
        while size := int(await reader.readline(), 16):
            left = size
            while left:
                data = await reader.read(min(left, 1 << 20))
                if not data:
                    raise WrongAnswer("the stream broke off")
                first = first or time.perf_counter() - started
                left -= len(data)
                if keep:
                    body += data
            await reader.readexactly(2)
        return Stream(time.perf_counter() - started, first, body)
    finally:
        writer.close()


def _check(stream: Stream) -> None:
    """Before the figures: all rows are there, of the five columns."""
    rows = columns = 0
    with pa.ipc.open_stream(pa.BufferReader(bytes(stream.body))) as reader:
        for batch in reader:
            rows += batch.num_rows
            columns = batch.num_columns
    if rows != FRAMES or columns != 5:
        raise WrongAnswer(f"{rows} rows of {columns} columns")
