"""A server process that outlives its starter: it is identified reliably, watched without polling, and ended in bounded
time.
"""

import json
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from deploy.local.privilege import as_root

_STARTED = 19
"""Index of `starttime` (proc(5), field 22) among the fields after the command's name."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Identifies a process permanently: a pid alone is reused, but not a pid with its start time and boot."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """None when no such process runs (a zombie does not)."""
        fields = _stat(pid)
        if fields is None or fields[0] in ("Z", "X"):
            return None
        return cls(pid, int(fields[_STARTED]), Path("/proc/sys/kernel/random/boot_id").read_text().strip())

    @property
    def alive(self) -> bool:
        _reap(self.pid)
        return Identity.of(self.pid) == self

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


def start(command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> int:
    """Starts the command in a session of its own, so that Ctrl-C in the terminal does not reach it. Returns its pid.

    `environment` is its whole environment. Output is appended to `log`, which only this user can read.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return os.posix_spawnp(
            command[0],
            list(command),
            dict(environment),
            setsid=True,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, descriptor, 1),
                (os.POSIX_SPAWN_DUP2, descriptor, 2),
            ],
        )
    finally:
        os.close(descriptor)


def stop(identity: Identity, *, how: signal.Signals = signal.SIGTERM, grace_seconds: float) -> bool:
    """Asks the process to end, and kills it after the grace time. False when it had to be killed."""
    if not identity.alive:
        return True
    _signal(identity.pid, how)
    if wait(identity, grace_seconds):
        return True
    _signal(identity.pid, signal.SIGKILL)
    wait(identity, 10.0)
    return False


def wait(identity: Identity, seconds: float) -> bool:
    """Blocks until the process has ended, at most `seconds`. Returns whether it has."""
    try:
        watch = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        if identity.alive:
            poll.poll(seconds * 1000)
    finally:
        os.close(watch)
    return not identity.alive


def _signal(pid: int, which: signal.Signals) -> None:
    try:
        os.kill(pid, which)
    except ProcessLookupError:
        return
    except PermissionError:
        subprocess.run(as_root("kill", f"-{which.value}", str(pid)), capture_output=True)


def _reap(pid: int) -> None:
    """Collects the exit status of a child process, so that it does not remain a zombie while its starter runs on."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
