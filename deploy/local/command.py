"""A long command with its output in a log file, ended together with this process."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import StackError, tail

_GRACE_SECONDS = 10.0
_running: set[subprocess.Popen[bytes]] = set()


def run_logged(command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> None:
    """Runs to the end; raises `StackError` with the log's last lines when it fails.

    `environment` is added to this process's own. The command has a process group
    of its own: on an interrupt it is ended with everything it started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            process_group=0,
        )
        _running.add(process)
        try:
            code = process.wait()
        except BaseException:
            end(process)
            raise
        finally:
            _running.discard(process)
    if code != 0:
        what = " ".join(command[:3])
        raise StackError(f"`{what}` ended with exit code {code}. Last lines of {log}:\n{tail(log)}")


@contextmanager
def ended_on_interrupt() -> Iterator[None]:
    """Commands that run on other threads do not see the interrupt of the main one: they are ended here."""
    try:
        yield
    except KeyboardInterrupt:
        for process in tuple(_running):
            end(process)
        raise


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends the command and its children: SIGTERM, then SIGKILL for those still running after a while."""
    for which in (signal.SIGTERM, signal.SIGKILL):
        _signal_group(process.pid, which)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def _signal_group(group: int, which: signal.Signals) -> None:
    try:
        os.killpg(group, which)
    except ProcessLookupError:
        return
    except PermissionError:  # started by sudo, it belongs to root
        subprocess.run(["sudo", "-n", "kill", f"-{which.value}", "--", f"-{group}"], capture_output=True)
