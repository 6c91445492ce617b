"""The embedded stack: bring it up, take it down, say how it is. Every operation may be repeated at any time."""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from deploy.local.emulators import EMULATORS, checked, part_of
from deploy.local.environment import Addresses, admin_url, settings_of, write_env
from deploy.local.errors import StackError
from deploy.local.lock import locked
from deploy.local.part import PartState, Probe, bring_up, is_up, read_record, state, take_down
from deploy.local.paths import StatePaths, cache_folder, state_paths
from deploy.local.ports import Ports, choose_ports, read_ports
from deploy.local.privilege import remove_tree
from deploy.local.progress import Progress
from deploy.local.provision.everything import Provisions, provision
from deploy.local.secrets import Secrets, keep_secrets
from deploy.local.servers import clickhouse, gateway, objects, openfga, postgres

STORES = (postgres.NAME, clickhouse.NAME, openfga.NAME, objects.NAME)
PROCESSES = (gateway.GATEWAY, gateway.WORKER)


@dataclass(frozen=True, slots=True)
class PartReport:
    state: PartState
    address: str
    pid: int | None
    admin_url: str | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack with its ports and secrets settled."""

    paths: StatePaths
    ports: Ports
    secrets: Secrets

    @classmethod
    def existing(cls, name: str) -> Self | None:
        """The stack as last brought up; None when it never was (or was reset)."""
        paths = state_paths(name)
        ports = read_ports(paths)
        return None if ports is None else cls(paths, ports, keep_secrets(paths.secrets))

    @property
    def addresses(self) -> Addresses:
        return Addresses.local(self.ports)

    @property
    def settings(self) -> dict[str, str]:
        return settings_of(self.addresses, self.secrets)

    def start_stores(self, provisions: Provisions, progress: Progress) -> None:
        """Postgres and then OpenFGA upon it, beside ClickHouse and S3; returns when all answer."""

        def relational() -> None:
            cluster = postgres.cluster(provisions.postgres_root, self.paths, self.ports, self.secrets)
            with progress.step("PostgreSQL", self.paths.log(postgres.NAME)):
                if not is_up(part := cluster.part(), self.paths):
                    take_down(part.name, self.paths, how=part.stop_signal, grace_seconds=part.grace_seconds)
                    cluster.initialise()
                    bring_up(part, self.paths)
                cluster.ensure_database(openfga.DATABASE, owner=openfga.ROLE, password=self.secrets.openfga_database)
            with progress.step("OpenFGA", self.paths.log(openfga.NAME)):
                if not is_up(part := openfga.part(provisions.openfga, self.ports, self.secrets), self.paths):
                    openfga.migrate(provisions.openfga, self.paths, self.ports, self.secrets)
                    bring_up(part, self.paths)

        def columnar() -> None:
            with progress.step("ClickHouse (chDB)", self.paths.log(clickhouse.NAME)):
                bring_up(clickhouse.part(self.paths, self.ports, self.secrets), self.paths)

        def bucket() -> None:
            with progress.step("S3 (versitygw)", self.paths.log(objects.NAME)):
                bring_up(objects.part(provisions.versitygw, self.paths, self.ports, self.secrets), self.paths)

        _together(relational, columnar, bucket)

    def start_emulators(self, names: Collection[str], progress: Progress) -> None:
        """Beside the stores, which need not run; returns when they answer. What runs already is left alone."""
        wanted = checked(names)
        with self._exclusive(progress):
            for name in wanted:
                part = part_of(name, self.paths, self.ports, self.secrets, progress)
                with progress.step(name, self.paths.log(name)):
                    bring_up(part, self.paths)

    def start_gateway(self, progress: Progress) -> None:
        """Gateway and worker; returns when `/health/ready` answers 200."""
        with self._exclusive(progress):
            with progress.step("worker", self.paths.log(gateway.WORKER)):
                bring_up(gateway.worker(self.paths, self.settings), self.paths)
            with progress.step("gateway", self.paths.log(gateway.GATEWAY)):
                bring_up(gateway.gateway(self.paths, self.ports, self.settings), self.paths)

    def report(self) -> dict[str, PartReport]:
        """How every part is, in the order they start; parts that were never started are `stopped`."""
        probes = (
            postgres.probe(self.ports, self.secrets),
            clickhouse.probe(self.ports),
            openfga.probe(self.ports),
            objects.probe(self.ports),
            gateway.gateway_probe(self.ports),
            gateway.WORKER_PROBE,
        )
        started = [name for name in EMULATORS if read_record(self.paths, name) is not None]
        return {probe.name: self._report(probe) for probe in probes} | {name: self._emulator(name) for name in started}

    def _emulator(self, name: str) -> PartReport:
        """Whether it lives; it is asked nothing, for that would need what it was built from."""
        record = read_record(self.paths, name)
        if record is None or not record.identity.alive:
            return PartReport(PartState.DEAD, record.address if record else "", None)
        return PartReport(PartState.RUNNING, record.address, record.identity.pid)

    def _report(self, probe: Probe) -> PartReport:
        found, identity = state(probe, self.paths)
        admin = admin_url(self.addresses.postgres, self.secrets) if probe.name == postgres.NAME else None
        return PartReport(found, probe.address, identity.pid if identity else None, admin)

    @contextmanager
    def _exclusive(self, progress: Progress) -> Iterator[None]:
        with locked(self.paths.lock, progress=progress, waiting_for=f"work on the stack {self.paths.name!r}"):
            yield


def up(name: str, progress: Progress, *, gateway_port: int | None = None) -> Stack:
    """Provisions, starts what does not run, writes the env file; returns when every store answers."""
    paths = state_paths(name)
    provisions = provision(progress)
    with locked(paths.lock, progress=progress, waiting_for=f"work on the stack {name!r}"):
        paths.create()
        secrets = keep_secrets(paths.secrets)

        def ours(part: str) -> bool:
            record = read_record(paths, part)
            return record is not None and record.identity.alive

        # Ports are chosen and taken under one lock, so that two stacks starting at once do not choose the same.
        with locked(cache_folder() / "locks" / "ports.lock", progress=progress, waiting_for="the start of a stack"):
            stack = Stack(paths, choose_ports(paths, ours=ours, gateway=gateway_port), secrets)
            write_env(paths.env, stack.settings)
            stack.start_stores(provisions, progress)
    return stack


def running(name: str) -> frozenset[str]:
    """The parts whose process is alive, ready or not."""
    paths = state_paths(name)
    records = {part: read_record(paths, part) for part in (*STORES, *EMULATORS, *PROCESSES)}
    return frozenset(part for part, record in records.items() if record is not None and record.identity.alive)


def down(name: str, progress: Progress, *, keep: frozenset[str] = frozenset()) -> list[str]:
    """Stops everything of the stack that runs, but not `keep`, in reverse order; what was stopped. Data stays."""
    paths = state_paths(name)
    if not paths.root.exists():
        return []
    with locked(paths.lock, progress=progress, waiting_for=f"work on the stack {name!r}"):
        parts = reversed((*STORES, *EMULATORS, *PROCESSES))
        return [part for part in parts if part not in keep and _stop(part, paths, progress)]


def reset(name: str, progress: Progress) -> None:
    """Stops the stack and deletes its data, logs, ports and secrets. What was built for it stays in the cache."""
    down(name, progress)
    with progress.step(f"deleting the state of {name!r}"):
        remove_tree(state_paths(name).root)


def _stop(part: str, paths: StatePaths, progress: Progress) -> bool:
    if read_record(paths, part) is None:
        return False
    with progress.step(f"stopping {part}"):
        if part == postgres.NAME:
            return take_down(part, paths, how=postgres.STOP_SIGNAL, grace_seconds=postgres.STOP_SECONDS)
        return take_down(part, paths)


def _together(*works: Callable[[], None]) -> None:
    """Runs all of them, waits for all, and raises every failure's message."""
    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(work) for work in works]
    errors = [error for future in futures if (error := future.exception()) is not None]
    unexpected = next((error for error in errors if not isinstance(error, StackError)), None)
    if unexpected is not None:
        raise unexpected
    if errors:
        raise StackError("\n".join(str(error) for error in errors))
