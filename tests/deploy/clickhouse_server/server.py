"""A server for tests that count queries and end processes: a subprocess with an empty data folder."""

import base64
import http.client
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port

CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    password: str = field(repr=False)
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"default:{self.password}".encode()).decode()}

    def end(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """The exit status after the signal."""
        self.process.send_signal(sig)
        return self.process.wait(timeout=20)


def command(port: int, path: Path) -> list[str]:
    return [sys.executable, "-m", "deploy.local.clickhouse_server", f"--port={port}", f"--path={path}"]


@contextmanager
def running(path: Path) -> Iterator[Server]:
    password = secrets.token_hex(8) + ":'é"
    port = free_port()
    environment = {**os.environ, "AXION_CLICKHOUSE__PASSWORD": password}
    process = subprocess.Popen(command(port, path), cwd=CHECKOUT, env=environment)
    server = Server(port, password, process)
    try:
        _await_ping(server)
        yield server
    finally:
        if process.poll() is None:
            server.end()


def _await_ping(server: Server) -> None:
    deadline = time.monotonic() + 20
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        try:
            connection.request("GET", "/ping")
            assert connection.getresponse().read() == b"Ok.\n"
            return
        except OSError:
            assert server.process.poll() is None, "the server ended before it was ready"
            assert time.monotonic() < deadline, "the server is not ready after 20 s"
            time.sleep(0.05)
        finally:
            connection.close()
