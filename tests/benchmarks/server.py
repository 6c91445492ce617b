"""A server process of the benchmark: started, awaited, measured from outside, ended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import tail
from deploy.local.ports import is_free

_START_SECONDS = 60.0
_END_SECONDS = 20.0
_FIRST_PORT, _LAST_PORT = 29_200, 29_800


@dataclass(frozen=True, slots=True)
class Server:
    """Answers on 127.0.0.1. The figures are the process's own, from /proc."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """CPU time of all its threads so far, to the nanosecond (those that have ended are left out)."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):  # the thread has ended
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def resident_mib(self) -> float:
        return self._status("VmRSS")

    def peak_resident_mib(self) -> float:
        """Highest since the last `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        raise LookupError(name)


@asynccontextmanager
async def serving(
    command: Sequence[str], *, port: int, environment: Mapping[str, str], log: Path, folder: Path | None = None
) -> AsyncIterator[Server]:
    """The server from when its port takes connections. `RuntimeError` with the log's last lines when it ends before."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
    try:
        await _until_it_listens(process, port, log)
        yield Server(port, process.pid)
    finally:
        await _end(process)


async def _until_it_listens(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"a server of the benchmark ended with {process.returncode}:\n{tail(log)}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)  # another program's port: there is no event to wait for
                continue
            writer.close()
            return


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def free_port() -> int:
    """Below the ports the system gives to outgoing connections."""
    return next(port for port in range(_FIRST_PORT, _LAST_PORT) if is_free(port))
