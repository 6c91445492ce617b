"""compose.yaml cannot be run without Docker, so only what can be checked without it is."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from deploy.local.paths import CHECKOUT
from deploy.local.provision.debian_root import PACKAGES
from deploy.local.provision.go_binary import OPENFGA, VERSITYGW

FILE = CHECKOUT / "deploy" / "compose.yaml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text())["services"])


@pytest.fixture(scope="module")
def generated() -> dict[str, str | None]:
    done = subprocess.run([sys.executable, "-m", "deploy.local.compose"], cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dotenv_values(done.stdout.strip(), interpolate=False)


def test_every_variable_it_needs_is_generated(generated: dict[str, str | None]) -> None:
    needed = {part.split(":?")[0] for part in FILE.read_text().split("${")[1:]}
    assert needed
    assert needed <= generated.keys()


def test_the_settings_name_its_services(services: dict[str, Any], generated: dict[str, str | None]) -> None:
    for setting, service in {
        "AXION_POSTGRES__ADMIN_URL": "postgres",
        "AXION_CLICKHOUSE__URL": "clickhouse",
        "AXION_OPENFGA__URL": "openfga",
        "AXION_OBJECTS__ENDPOINT": "objects",
    }.items():
        assert service in services
        assert f"{service}:" in str(generated[setting]).rpartition("@")[2]


def test_it_runs_the_versions_of_the_embedded_stack(services: dict[str, Any]) -> None:
    assert services["openfga"]["image"] == f"openfga/openfga:{OPENFGA.version}"
    assert services["objects"]["image"] == f"versity/versitygw:{VERSITYGW.version}"
    dockerfile = (CHECKOUT / "deploy" / "postgres.Dockerfile").read_text()
    assert "FROM postgres:17" in dockerfile
    assert [package for package in PACKAGES[1:] if package not in dockerfile] == []


def test_every_dependency_and_file_exists(services: dict[str, Any]) -> None:
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        if "build" in service:
            context = (FILE.parent / service["build"]["context"]).resolve()
            assert (context / service["build"]["dockerfile"]).is_file()


def test_only_the_gateway_is_published_and_on_the_loopback(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"gateway": ["127.0.0.1:8000:8000"]}


def test_no_secret_is_written_down() -> None:
    assert Path(CHECKOUT / ".gitignore").read_text().splitlines().count(".axion/") == 1
    assert "PASSWORD: ${" in FILE.read_text()
