"""Long commands: a failure is reported with the log, and ending a command ends its children."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local import process
from deploy.local.command import ended_on_interrupt, run_logged
from deploy.local.errors import StackError
from deploy.local.process import Identity


def test_output_is_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "log"
    run_logged(["sh", "-c", "echo to the one; echo $MORE >&2"], log=log, environment={"MORE": "to the other"})
    run_logged(["echo", "again"], log=log)
    assert log.read_text() == "to the one\nto the other\nagain\n"


def test_failure_names_the_code_and_the_logs_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(StackError) as failed:
        run_logged(["sh", "-c", "seq 100; exit 3"], log=log)
    message = str(failed.value)
    assert "exit code 3" in message
    assert str(log) in message
    assert message.endswith("\n99\n100")
    assert "\n88\n" not in message


def test_an_interrupt_ends_commands_of_other_threads_and_their_children(tmp_path: Path) -> None:
    """The command starts a child that would run for long; both are gone when the interrupt leaves."""
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    script = f"sleep 1000 & echo $! > {ready}; wait"
    ended = threading.Event()

    def long() -> None:
        with pytest.raises(StackError):
            run_logged(["sh", "-c", script], log=tmp_path / "log")
        ended.set()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(long)
        child = Identity.of(int(ready.read_text()))
        assert child is not None
        with pytest.raises(KeyboardInterrupt), ended_on_interrupt():
            raise KeyboardInterrupt
        running.result(timeout=10)

    assert ended.is_set()
    assert process.wait(child, 5.0)
