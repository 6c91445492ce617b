"""An OpenFGA process for a test (in memory, on free ports), which can be stopped, frozen and killed."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.ports import free_port, free_ports
from tests.waiting import until

START_DEADLINE_S = 20


@dataclass(slots=True)
class Server:
    binary: Path
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    ports: tuple[int, ...] = field(default_factory=lambda: free_ports(2))
    process: asyncio.subprocess.Process | None = None
    options: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(self.binary, "run", "--datastore-engine=memory", "--playground-enabled=false", "--metrics-enabled=false"),
            *(f"--http-addr=127.0.0.1:{self.ports[0]}", f"--grpc-addr=127.0.0.1:{self.ports[1]}", "--log-level=error"),
            *("--authn-method=preshared", f"--authn-preshared-keys={self.token}"),
            *self.options,
        )
        await self.answering()

    async def answering(self) -> None:
        await until(self._healthy, timeout_s=START_DEADLINE_S)

    async def freeze(self) -> None:
        """Returns when every thread has stopped: the signal alone leaves time for an answer."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitid, os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def _healthy(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, "OpenFGA ended at start"
        try:
            async with aiohttp.request("GET", f"{self.url}/healthz", timeout=aiohttp.ClientTimeout(1)) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


@asynccontextmanager
async def own_server(binary: Path, *options: str) -> AsyncIterator[Server]:
    server = Server(binary, options=options)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


@asynccontextmanager
async def replying(answer: bytes) -> AsyncIterator[str]:
    """The URL of something that is not OpenFGA: it gives every request the same bytes and hangs up."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(reply, "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"


def http(status: str, body: str, *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n{body}".encode()
