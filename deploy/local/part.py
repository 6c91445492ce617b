"""One part of the stack: a server process, its address, and how to check that it answers."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from signal import SIGTERM, Signals

from deploy.local import process
from deploy.local.errors import StackError, tail
from deploy.local.paths import StatePaths
from deploy.local.process import Identity

READY_SECONDS = 60.0
_PROBE_EVERY = 0.05


class PartState(StrEnum):
    RUNNING = "running"
    UNREADY = "unready"
    """The process runs, but does not answer."""
    DEAD = "dead"
    """The process was started and has ended without `stack down`."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Probe:
    """A server's address, and how to check whether it answers."""

    name: str
    address: str
    ready: Callable[[], str | None]
    """Checks over the part's own protocol: None when it answers, otherwise what is wrong."""


OF_THE_SHELL = frozenset({"HOME", "PATH", "TMPDIR", "TZ"})


@dataclass(frozen=True, slots=True)
class Part:
    """How to run one server. Secrets are passed in `environment`, never in `command`, which every user can read."""

    probe: Probe
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    stop_signal: Signals = SIGTERM
    grace_seconds: float = 15.0
    ready_seconds: float = READY_SECONDS
    """How long it may take until it answers."""
    pid_file: Path | None = None
    """The file with the server's own pid, when the started process is not the server itself (sudo stays its parent)."""

    @property
    def name(self) -> str:
        return self.probe.name

    @property
    def fingerprint(self) -> str:
        """Changes when the part must be restarted to match this definition. It does not depend on the calling shell."""
        own = sorted((name, value) for name, value in self.environment.items() if name not in OF_THE_SHELL)
        return hashlib.sha256(json.dumps([self.command, own]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Record:
    """What was started, as stored in the state folder."""

    identity: Identity
    fingerprint: str
    address: str


def read_record(paths: StatePaths, name: str) -> Record | None:
    try:
        stored = json.loads((paths.parts / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    return Record(Identity(**stored["identity"]), stored["fingerprint"], stored["address"])


def write_record(paths: StatePaths, name: str, record: Record) -> None:
    identity = record.identity
    stored = {
        "identity": {"pid": identity.pid, "started": identity.started, "boot": identity.boot},
        "fingerprint": record.fingerprint,
        "address": record.address,
    }
    target = paths.parts / f"{name}.json"
    partial = target.with_suffix(".partial")
    partial.write_text(json.dumps(stored))
    partial.replace(target)


def state(probe: Probe, paths: StatePaths) -> tuple[PartState, Identity | None]:
    record = read_record(paths, probe.name)
    if record is None:
        return PartState.STOPPED, None
    if not record.identity.alive:
        return PartState.DEAD, None
    return (PartState.RUNNING if probe.ready() is None else PartState.UNREADY), record.identity


def is_up(part: Part, paths: StatePaths) -> bool:
    """Whether the part runs, answers, and was started with the same definition."""
    record = read_record(paths, part.name)
    return (
        record is not None
        and record.fingerprint == part.fingerprint
        and record.identity.alive
        and part.probe.ready() is None
    )


def bring_up(part: Part, paths: StatePaths) -> bool:
    """Starts the part unless it is up, and returns once it answers. False when there was nothing to do.

    Raises `StackError` with the log's last lines when it ends or does not answer in time.
    """
    if is_up(part, paths):
        return False
    take_down(part.name, paths, how=part.stop_signal, grace_seconds=part.grace_seconds)
    if part.pid_file is not None:
        part.pid_file.unlink(missing_ok=True)
    log = paths.log(part.name)
    spawned = Identity.of(process.start(part.command, environment=part.environment, log=log))
    deadline = time.monotonic() + part.ready_seconds
    identity: Identity | None = None
    complaint: str | None = "it has not written its pid"
    while complaint is not None:
        if spawned is None or not spawned.alive:
            raise StackError(f"{part.name} ended while starting. Last lines of {log}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise StackError(
                f"{part.name} does not answer at {part.probe.address} after {part.ready_seconds:.0f} s ({complaint}). "
                f"Last lines of {log}:\n{tail(log)}"
            )
        if identity is None and (identity := _server(part, spawned)) is not None:
            write_record(paths, part.name, Record(identity, part.fingerprint, part.probe.address))
        if identity is not None:
            complaint = part.probe.ready()
        if complaint is not None:
            process.wait(spawned, _PROBE_EVERY)
    return True


def take_down(name: str, paths: StatePaths, *, how: Signals = SIGTERM, grace_seconds: float = 15.0) -> bool:
    """Stops the part if it runs, and deletes its record. False when it did not run."""
    record = read_record(paths, name)
    if record is None:
        return False
    was_alive = record.identity.alive
    process.stop(record.identity, how=how, grace_seconds=grace_seconds)
    (paths.parts / f"{name}.json").unlink(missing_ok=True)
    return was_alive


def _server(part: Part, spawned: Identity) -> Identity | None:
    if part.pid_file is None:
        return spawned
    try:
        text = part.pid_file.read_text().strip()
    except FileNotFoundError:
        return None
    return Identity.of(int(text)) if text else None
