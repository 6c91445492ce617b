"""The gateway and the worker as real processes, under the test stack's settings and what a test changes of them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from deploy.local.paths import CHECKOUT
from tests.ports import free_port
from tests.waiting import until


@dataclass(slots=True)
class Running:
    """A process of the product. What it prints is kept in `log`."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def rss_bytes(self) -> int:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def lines(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()

    async def logs(self, *words: str, since: int = 0) -> str:
        """Waits for a line after the `since`th that holds all the words."""
        found: list[str] = []

        def there() -> bool:
            found[:] = [line for line in self.lines()[since:] if all(word in line for word in words)]
            return bool(found)

        await until(there, timeout_s=120)
        return found[0]


class Started:
    """`async with`: the process runs; at the end it is asked to end, and killed when it does not within 20 s."""

    def __init__(
        self, command: str, env_file: Path, log: Path, changes: Mapping[str, str], checkout: Path = CHECKOUT
    ) -> None:
        self._command, self._log, self._checkout = command, log, checkout
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AXION_")}
        own = {"AXION_ENV_FILE": str(env_file), "PYTHONPATH": str(checkout), "PYTHONUNBUFFERED": "1"}
        self._environment = {**kept, **own, **changes}

    async def __aenter__(self) -> Running:
        with self._log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gateway.cli",
                self._command,
                cwd=self._checkout,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._running = Running(process, self._log)
        return self._running

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        process = self._running.process
        if process.returncode is not None:
            raise AssertionError(f"{self._command} ended by itself: {self._log.read_text()[-2000:]}")
        process.terminate()
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"{self._command} did not end when asked to") from None


@dataclass(frozen=True, slots=True)
class Gateway:
    url: str
    running: Running

    @classmethod
    @asynccontextmanager
    async def serve(
        cls, env_file: Path, log: Path, changes: Mapping[str, str] | None = None, *, checkout: Path = CHECKOUT
    ) -> AsyncIterator[Self]:
        """A gateway on a free port, yielded when it answers; of another checkout's code, if one is given."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        own = {"AXION_HTTP__PORT": str(port), "AXION_OIDC__JWKS_URL": f"{url}/demo/issuer/jwks.json"}
        async with (
            Started("serve", env_file, log, {**own, **(changes or {})}, checkout) as running,
            aiohttp.ClientSession() as http,
        ):

            async def live() -> bool:
                assert running.process.returncode is None, running.lines()[-20:]
                try:
                    async with http.get(f"{url}/health/live") as response:
                        return response.status == 200
                except aiohttp.ClientConnectorError:
                    return False

            await until(live, timeout_s=60)
            yield cls(url, running)
