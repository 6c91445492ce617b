"""A whole stack, started and stopped with the command as a user would."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from deploy.local import process
from deploy.local.paths import CHECKOUT, state_paths
from deploy.local.process import Identity
from deploy.local.provision.debian_root import UID

STORES = {"postgres", "clickhouse", "openfga", "objects"}


@dataclass(frozen=True)
class Command:
    name: str

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AXION_")}
        kept = {name: os.environ[name] for name in ("AXION_CACHE_DIR",) if name in os.environ}
        command = [sys.executable, "-m", "gateway.cli", "stack", *words, "--name", self.name]
        return subprocess.run(command, cwd=CHECKOUT, env={**environment, **kept}, capture_output=True, text=True)

    def must(self, *words: str) -> str:
        done = self(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self("status", "--json").stdout))


@pytest.fixture(scope="module")
def stack() -> Iterator[Command]:
    command = Command(f"own-{os.getpid()}")
    try:
        command.must("up")
        yield command
    finally:
        command.must("reset")


def test_status_is_for_programs_too(stack: Command) -> None:
    status = stack.status()

    assert status["name"] == stack.name
    assert status["env_file"] == str(state_paths(stack.name).env)
    assert set(status["parts"]) == {*STORES, "gateway", "worker"}
    for name in STORES:
        part = status["parts"][name]
        assert part["state"] == "running"
        assert part["address"].removeprefix("http://").startswith("127.0.0.1:")
        assert isinstance(part["pid"], int)
    assert status["parts"]["gateway"] == {
        "state": "stopped",
        "address": status["parts"]["gateway"]["address"],
        "pid": None,
    }
    assert [name for name, part in status["parts"].items() if "admin_url" in part] == ["postgres"]


def test_postgres_has_its_extensions_and_its_own_user(stack: Command) -> None:
    part = stack.status()["parts"]["postgres"]
    with psycopg.connect(part["admin_url"]) as connection:
        asked = "SELECT name FROM pg_available_extensions WHERE name IN ('postgis', 'vector', 'pg_partman') ORDER BY 1"
        extensions = [name for (name,) in connection.execute(asked)]
        version = connection.info.server_version
        zone = connection.execute("SHOW timezone").fetchone()

    assert extensions == ["pg_partman", "postgis", "vector"]
    assert version // 10000 == 17
    assert zone == ("UTC",)
    assert os.stat(f"/proc/{part['pid']}").st_uid == UID


def test_postgres_wants_a_password(stack: Command) -> None:
    url = stack.status()["parts"]["postgres"]["admin_url"]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(url.split(":")[2].split("@")[0], "wrong"))


def test_openfgas_database_is_closed_to_others(stack: Command) -> None:
    with psycopg.connect(stack.status()["parts"]["postgres"]["admin_url"]) as connection:
        asked = (
            "SELECT pg_get_userbyid(datdba), datacl::text FROM pg_database WHERE datname = 'axion_sense_permissions'"
        )
        row = connection.execute(asked).fetchone()

    assert row is not None
    owner, privileges = row
    assert owner == "axion_sense_permissions"
    assert privileges == "{axion_sense_permissions=CTc/axion_sense_permissions}"  # nothing before a bare '=': no PUBLIC


def test_no_secret_is_on_a_command_line(stack: Command) -> None:
    secrets = json.loads(state_paths(stack.name).secrets.read_text())
    for name in STORES:
        pid = stack.status()["parts"][name]["pid"]
        with open(f"/proc/{pid}/cmdline") as handle:
            line = handle.read()
        assert [secret for secret, value in secrets.items() if value in line] == []


@pytest.mark.parametrize("name", sorted(STORES))
def test_a_killed_part_is_dead_and_up_brings_it_back(name: str, stack: Command) -> None:
    before = stack.status()["parts"]
    identity = Identity.of(before[name]["pid"])
    assert identity is not None
    os.kill(identity.pid, signal.SIGKILL)
    assert process.wait(identity, 10.0)

    broken = stack("status", "--json")
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["parts"][name]["state"] == "dead"

    stack.must("up")
    after = stack.status()["parts"]
    assert after[name]["state"] == "running"
    assert after[name]["pid"] != identity.pid
    if name != "postgres":
        assert {other: after[other]["pid"] for other in STORES - {name}} == {
            other: before[other]["pid"] for other in STORES - {name}
        }


def test_data_and_secrets_outlive_down_and_up(stack: Command) -> None:
    before = stack.status()["parts"]["postgres"]
    with psycopg.connect(before["admin_url"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    stack.must("down")
    assert {part["state"] for part in stack.status()["parts"].values()} == {"stopped"}

    stack.must("up")
    after = stack.status()["parts"]["postgres"]
    assert after["admin_url"] == before["admin_url"]
    with psycopg.connect(after["admin_url"]) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_nothing_is_left_mounted(stack: Command) -> None:
    with open("/proc/self/mounts") as mounts:
        assert [line for line in mounts if "postgres-root" in line or stack.name in line] == []


@pytest.mark.parametrize("name", ["", "../x", "Demo", "a b", "-x", "x" * 40])
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    refused = Command(name)("status", "--json")
    assert refused.returncode == 1
    assert "is no stack name" in refused.stderr
