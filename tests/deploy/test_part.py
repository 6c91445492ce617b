"""Supervision of real processes: crashed differs from stopped, a crash is repaired, and other processes are
left alone.
"""

import dataclasses
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import process
from deploy.local.errors import StackError
from deploy.local.part import Part, PartState, Probe, bring_up, read_record, state, take_down, write_record
from deploy.local.paths import StatePaths
from deploy.local.process import Identity
from deploy.local.servers.http import complaint
from tests.ports import free_port

SERVE = """
import http.server, signal, sys
if "deaf" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("serving", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def part(paths: StatePaths) -> Iterator[Part]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    yield Part(
        probe=Probe("web", address, lambda: complaint(f"{address}/", expected=b"<html")),
        command=(sys.executable, "-c", SERVE, str(port)),
        environment={"PATH": os.defpath},
        grace_seconds=5.0,
    )
    take_down("web", paths, grace_seconds=0.1)


def _pid(paths: StatePaths) -> int:
    record = read_record(paths, "web")
    assert record is not None
    return record.identity.pid


def test_answers_when_brought_up(part: Part, paths: StatePaths) -> None:
    assert state(part.probe, paths) == (PartState.STOPPED, None)

    assert bring_up(part, paths)

    found, identity = state(part.probe, paths)
    assert found is PartState.RUNNING
    assert identity is not None
    assert identity.pid == _pid(paths)
    assert not bring_up(part, paths)
    assert _pid(paths) == identity.pid


def test_outlives_a_ctrl_c(part: Part, paths: StatePaths) -> None:
    bring_up(part, paths)
    assert os.getsid(_pid(paths)) != os.getsid(0)


def test_a_killed_part_is_dead_and_up_again_after_up(part: Part, paths: StatePaths) -> None:
    bring_up(part, paths)
    record = read_record(paths, "web")
    assert record is not None
    os.kill(record.identity.pid, signal.SIGKILL)
    assert process.wait(record.identity, 5.0)

    assert state(part.probe, paths) == (PartState.DEAD, None)
    assert bring_up(part, paths)
    assert state(part.probe, paths)[0] is PartState.RUNNING
    assert _pid(paths) != record.identity.pid


def test_alive_without_an_answer_is_unready(part: Part, paths: StatePaths) -> None:
    bring_up(part, paths)
    silent = dataclasses.replace(part.probe, ready=lambda: complaint(f"{part.probe.address}/none", expected=b""))
    assert state(silent, paths)[0] is PartState.UNREADY


def test_another_configuration_restarts(part: Part, paths: StatePaths) -> None:
    bring_up(part, paths)
    before = _pid(paths)
    changed = dataclasses.replace(part, environment={**part.environment, "LANG": "C.UTF-8"})

    assert bring_up(changed, paths)
    assert _pid(paths) != before


def test_another_shell_restarts_nothing(part: Part, paths: StatePaths) -> None:
    bring_up(part, paths)
    before = _pid(paths)
    elsewhere = dataclasses.replace(part, environment={**part.environment, "PATH": f"/elsewhere:{os.defpath}"})

    assert not bring_up(elsewhere, paths)
    assert _pid(paths) == before


def test_taken_down_is_stopped(part: Part, paths: StatePaths) -> None:
    bring_up(part, paths)
    assert take_down("web", paths)
    assert state(part.probe, paths) == (PartState.STOPPED, None)
    assert not take_down("web", paths)


def test_who_ignores_sigterm_is_killed_within_the_bound(part: Part, paths: StatePaths) -> None:
    bring_up(dataclasses.replace(part, command=(*part.command, "deaf")), paths)
    record = read_record(paths, "web")
    assert record is not None

    assert not process.stop(record.identity, grace_seconds=0.2)
    assert not record.identity.alive


def test_a_failed_start_says_why(part: Part, paths: StatePaths) -> None:
    broken = dataclasses.replace(part, command=(sys.executable, "-c", "raise SystemExit('no such disk')"))
    with pytest.raises(StackError, match=r"web ended while starting.*\n.*no such disk"):
        bring_up(broken, paths)


def test_logs_are_private(part: Part, paths: StatePaths) -> None:
    bring_up(part, paths)
    assert stat.S_IMODE(paths.log("web").stat().st_mode) == 0o600


def test_a_reused_pid_is_not_ours(part: Part, paths: StatePaths) -> None:
    """A stale record names a pid that another program has now (this test): it is dead, and stopping leaves it alone."""
    ourselves = Identity.of(os.getpid())
    assert ourselves is not None
    stale = dataclasses.replace(ourselves, started=ourselves.started - 1)
    bring_up(part, paths)
    record = read_record(paths, "web")
    assert record is not None
    process.stop(record.identity, grace_seconds=5.0)
    write_record(paths, "web", dataclasses.replace(record, identity=stale))

    assert state(part.probe, paths) == (PartState.DEAD, None)
    assert not take_down("web", paths)
    assert ourselves.alive


def test_secrets_are_not_in_the_representation(part: Part) -> None:
    secret = dataclasses.replace(part, environment={"PASSWORD": "hunter2"})
    assert "hunter2" not in repr(secret)


def test_a_pid_file_names_the_server_behind_its_starter(part: Part, paths: StatePaths, tmp_path: Path) -> None:
    """As sudo does, the starter stays as the parent: what is supervised is the server."""
    pid_file = tmp_path / "pid"
    behind = dataclasses.replace(
        part,
        command=("sh", "-c", 'file=$1; shift; "$@" & echo $! > "$file"; wait', "-", str(pid_file), *part.command),
        pid_file=pid_file,
    )
    bring_up(behind, paths)
    assert _pid(paths) == int(pid_file.read_text())
    assert Path(f"/proc/{_pid(paths)}/cmdline").read_text().split("\0")[0] == sys.executable
