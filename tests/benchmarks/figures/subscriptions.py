"""2,000 clients that watch jobs over WebSocket on one gateway process: connections to Postgres, delay, memory."""

import asyncio
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gateway.auth.demo_issuer import DEMO_USERS
from loaders.encode.node_id import encode_node_id
from loaders.jobs.attempts import Attempt, Attempts
from loaders.jobs.store import JobStore
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from tests.benchmarks.data.road import MEMBER
from tests.benchmarks.figure import Figure, Goal
from tests.benchmarks.server import Server
from tests.benchmarks.world import World

CLIENTS, JOBS = 2_000, 100
_COMMITS, _SECONDS_BETWEEN = 200, 0.05
_COMMITS_TO_ALL, _SECONDS_BETWEEN_ALL = 8, 1.5
_OPENING_AT_ONCE = 50
_PATIENCE_S = 60.0


@dataclass(slots=True)
class _Watched:
    """One running job, and what its watchers saw: per event the time from before its transaction to each client."""

    id: uuid.UUID
    attempt: Attempt
    sent: dict[int, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)


class _Client:
    """Reads until it is closed. `seen` is the number of the newest event."""

    def __init__(self, socket: ClientConnection, job: _Watched) -> None:
        self._socket = socket
        self._job = job
        self.seen = -1
        self.news = asyncio.Event()

    async def read(self) -> None:
        async for text in self._socket:
            now = time.perf_counter()
            message = orjson.loads(text)
            if message["type"] != "next" or message["payload"].get("errors"):
                raise AssertionError(text)
            self.seen = int(message["payload"]["data"]["jobUpdated"]["sequence"])
            if self.seen in self._job.sent:
                self._job.delays.append(now - self._job.sent[self.seen])
            self.news.set()

    async def until(self, sequence: int) -> None:
        while self.seen < sequence:
            self.news.clear()
            await self.news.wait()


async def subscriptions(world: World) -> list[Figure]:
    urls = world.settings.databases.axion_sense_tasks
    app = await _postgres(urls.app_url.get_secret_value())
    worker = await _postgres(urls.worker_url.get_secret_value())
    jobs = [await _running_job(app, worker) for _ in range(JOBS)]
    attempts = Attempts(worker)
    try:
        async with world.gateway() as gateway:
            idle = gateway.resident_mib()
            async with _watching(gateway.port, world.member, jobs) as clients:
                held = gateway.resident_mib()
                listening = await _listeners(world)
                await _commit(attempts, clients, jobs, count=_COMMITS, pause=_SECONDS_BETWEEN)
            await _gone(gateway)
            after_first = gateway.resident_mib()
            shared = jobs[:1]
            for job in jobs:
                job.sent.clear()
            spread = [delay for job in jobs for delay in job.delays]
            shared[0].delays = []
            async with _watching(gateway.port, world.member, shared) as clients:
                await _commit(attempts, clients, shared, count=_COMMITS_TO_ALL, pause=_SECONDS_BETWEEN_ALL)
            await _gone(gateway)
            after_second = gateway.resident_mib()
    finally:
        await _delete(worker, jobs)
        await app.close()
        await worker.close()
    name = "2,000 subscription clients"
    return [
        Figure(f"{name}: LISTEN connections", listening, "connections", goal=Goal("at most", 1, "")),
        Figure(
            f"{name} of {JOBS} jobs, {1 / _SECONDS_BETWEEN:g} commits/s: p95 from commit to client",
            _p95_ms(spread),
            "ms",
            goal=Goal("at most", 250, " ms"),
        ),
        Figure(f"{name} of one job: p95 from commit to client", _p95_ms(shared[0].delays), "ms"),
        Figure(f"{name}: memory they hold", held - idle, "MiB"),
        Figure(
            f"{name}: memory left behind, second time over first",
            after_second - after_first,
            "MiB",
            goal=Goal("at most", 16, " MiB"),
        ),
    ]


def _p95_ms(delays: Sequence[float]) -> float:
    return statistics.quantiles(delays, n=20)[-1] * 1000


async def _postgres(url: str) -> Postgres:
    return await Postgres.open("axion_sense_tasks", url, pool_max=4, statement_timeout_ms=15_000)


async def _running_job(app: Postgres, worker: Postgres) -> _Watched:
    """A job no worker will take: this benchmark reports its progress."""
    subject = DEMO_USERS[MEMBER].subject
    job = await JobStore(app).create(kind="table_profile_refresh", subject=subject, arguments={})
    queued = "SELECT procrastinate_job_id FROM public.jobs WHERE id = $1"
    (row,) = await worker.fetch(queued, job.id, ledger=Ledger())
    started = await Attempts(worker).start(job.id, queue_id=row[0])
    assert started is not None
    return _Watched(job.id, Attempt(job.id, started.attempts))


async def _delete(worker: Postgres, jobs: Sequence[_Watched]) -> None:
    for job in jobs:
        await Attempts(worker).succeed(job.attempt, {})


@asynccontextmanager
async def _watching(port: int, token: str, jobs: Sequence[_Watched]) -> AsyncIterator[list[_Client]]:
    """All clients with their snapshot received; all closed at the end."""
    slots = asyncio.Semaphore(_OPENING_AT_ONCE)
    sockets: list[ClientConnection] = []

    async def one(job: _Watched) -> _Client:
        async with slots:
            socket = await connect(
                f"ws://127.0.0.1:{port}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
                compression=None,
                ping_interval=None,
            )
            sockets.append(socket)
            await socket.send(_message("connection_init", {"authorization": f"Bearer {token}"}))
            acknowledged = orjson.loads(await socket.recv())
            assert acknowledged["type"] == "connection_ack", acknowledged
            id_ = encode_node_id("Job", (str(job.id),))
            document = f'subscription {{ jobUpdated(id: "{id_}") {{ sequence kind payload }} }}'
            await socket.send(_message("subscribe", {"query": document}))
            client = _Client(socket, job)
            readers.append(asyncio.create_task(client.read()))
            await client.until(0)
            return client

    readers: list[asyncio.Task[None]] = []
    try:
        async with asyncio.timeout(_PATIENCE_S):
            clients = await asyncio.gather(*(one(jobs[number % len(jobs)]) for number in range(CLIENTS)))
        yield clients
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))
    await asyncio.gather(*readers)


def _message(type_: str, payload: object) -> str:
    return orjson.dumps({"id": "1", "type": type_, "payload": payload}).decode()


async def _commit(
    attempts: Attempts, clients: Sequence[_Client], jobs: Sequence[_Watched], *, count: int, pause: float
) -> None:
    """Progress of one job after the other at a steady pace; returns when every client has its job's last event."""
    last: dict[uuid.UUID, int] = {}
    begun = time.perf_counter()
    for number in range(count):
        job = jobs[number % len(jobs)]
        sequence = last.get(job.id) or max(client.seen for client in clients if client._job is job)
        job.sent[sequence + 1] = time.perf_counter()
        reported = await attempts.report(job.attempt, progress=(number + 1) / (count + 1), message="measured")
        assert reported is not None
        assert reported.sequence == sequence + 1
        last[job.id] = reported.sequence
        await asyncio.sleep(max(0.0, begun + (number + 1) * pause - time.perf_counter()))
    async with asyncio.timeout(_PATIENCE_S):
        await asyncio.gather(*(client.until(last.get(client._job.id, 0)) for client in clients))


async def _listeners(world: World) -> int:
    admin = world.settings.postgres.admin_url
    assert admin is not None
    connection = await asyncpg.connect(admin.get_secret_value())
    try:
        found: int = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'axion-listener'"
        )
    finally:
        await connection.close()
    return found


async def _gone(gateway: Server) -> None:
    """Until the gateway has let go of every socket, by its own gauge."""
    request = b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(request)
            text = (await reader.read()).decode()
            writer.close()
            if any(line == "axion_websockets 0.0" for line in text.splitlines()):
                return
            await asyncio.sleep(0.1)  # another process's gauge: there is no event to wait for
