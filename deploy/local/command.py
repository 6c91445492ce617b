"""A long command with its output in a log file, ended together with this process."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.errors import StackError, tail


def run_logged(command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> None:
    """Runs to the end; raises `StackError` with the log's last lines when it fails.

    `environment` is added to this process's own. On an interrupt the command gets SIGTERM and is waited for.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if code != 0:
        raise StackError(f"`{command[0]}` ended with exit code {code}. Last lines of {log}:\n{tail(log)}")
