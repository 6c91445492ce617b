"""The chart as Helm renders it: what it starts, with which settings, and what it refuses.

There is no cluster here, so only what can be checked without one is.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.paths import CHECKOUT, cache_folder
from deploy.local.progress import Progress
from deploy.local.provision.artifact import provide
from deploy.local.provision.go_binary import GoBinary
from gateway.app import create_app
from gateway.cli.main import app
from loaders.warehouses.s3_process import MEMORY_BYTES
from tests.gateway.http.application import settings_without_stores
from tests.gateway.http.toy import SCHEMA

CHART = CHECKOUT / "deploy" / "helm"
HELM = GoBinary("helm", "helm.sh/helm/v3/cmd/helm", "v3.18.6")
_CLUSTER = ("--kube-version", "1.31.0")
SECRET = ("--set", "secretName=axion")


@pytest.fixture(scope="module")
def helm() -> Path:
    return provide(HELM, cache=cache_folder(), progress=Progress()).folder / "bin" / "helm"


def run(helm: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([helm, *arguments], capture_output=True, text=True, check=False)


def rendered(helm: Path, *arguments: str) -> dict[tuple[str, str], Any]:
    """The objects by kind and name."""
    done = run(helm, "template", "axion", str(CHART), *_CLUSTER, *SECRET, *arguments)
    assert done.returncode == 0, done.stderr
    objects = [each for each in yaml.safe_load_all(done.stdout) if each]
    named = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    assert len(named) == len(objects)
    return named


def containers(objects: dict[tuple[str, str], Any]) -> Iterator[dict[str, Any]]:
    for (kind, _), each in objects.items():
        if kind in ("Deployment", "Job"):
            yield from each["spec"]["template"]["spec"]["containers"]


def test_it_is_in_order(helm: Path) -> None:
    done = run(helm, "lint", "--strict", str(CHART), *_CLUSTER, *SECRET)
    assert done.returncode == 0, done.stdout


def test_what_it_starts(helm: Path) -> None:
    objects = rendered(helm, "--set-string", "settings.AXION_LIMITS__MAX_DEPTH=12")
    commands = {command.name for command in app.registered_commands}
    assert {kind for kind, _ in objects} == {"Deployment", "Service", "PodDisruptionBudget", "Job"}
    for each in containers(objects):
        assert each["args"][0] in commands
        assert each["securityContext"]["readOnlyRootFilesystem"] is True
        assert {"name": "AXION_LIMITS__MAX_DEPTH", "value": "12"} in each["env"]
        assert each["envFrom"] == [{"secretRef": {"name": "axion"}}]
    paths = {getattr(route, "path", None) for route in create_app(settings_without_stores(), SCHEMA).routes}
    for each in containers(objects):
        probes = [each[name]["httpGet"]["path"] for name in each if name.endswith("Probe")]
        assert set(probes) <= paths
    selector = objects["Service", "axion-gateway"]["spec"]["selector"]
    assert objects["Deployment", "axion-gateway"]["spec"]["template"]["metadata"]["labels"].items() >= selector.items()


def test_only_migrations_see_the_superuser(helm: Path) -> None:
    objects = rendered(helm, "--set", "migrationSecretName=admin")
    admin = [each["name"] for each in containers(objects) if {"secretRef": {"name": "admin"}} in each["envFrom"]]
    assert admin == ["migrations"]


def test_more_of_it(helm: Path) -> None:
    host = ("--set", "ingress.enabled=true,ingress.host=api.example.com,ingress.tlsSecretName=tls")
    objects = rendered(helm, *host, "--set", "gateway.autoscaling.enabled=true", "--set", "migrations.enabled=false")
    assert "replicas" not in objects["Deployment", "axion-gateway"]["spec"]
    assert objects["HorizontalPodAutoscaler", "axion-gateway"]["spec"]["maxReplicas"] == 8
    assert not any(kind == "Job" for kind, _ in objects)
    (rule,) = objects["Ingress", "axion-gateway"]["spec"]["rules"]
    assert [each["path"] for each in rule["http"]["paths"]] == ["/graphql", "/graphiql", "/tiles"]


def test_whose_forwarded_addresses_are_believed(helm: Path) -> None:
    name = "FORWARDED_ALLOW_IPS"
    assert not [each for each in containers(rendered(helm)) if name in str(each["env"])]
    objects = rendered(helm, "--set", "gateway.trustedProxies={10.0.0.0/8,127.0.0.1}")
    believing = [
        each["name"]
        for each in containers(objects)
        if {"name": name, "value": "10.0.0.0/8,127.0.0.1"} in (each["env"] or [])
    ]
    assert believing == ["gateway"]


def test_query_processes_are_bounded_as_the_memory_is(helm: Path) -> None:
    (gateway,) = (each for each in containers(rendered(helm)) if each["name"] == "gateway")
    (places,) = (each["value"] for each in gateway["env"] if each["name"] == "AXION_DATA_SOURCES__QUERY_PROCESSES")
    memory = int(gateway["resources"]["limits"]["memory"].removesuffix("Gi")) << 30
    assert memory >= int(places) * MEMORY_BYTES + (1 << 30)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "secretName"),
        ({"secretName": "axion", "settings": {"AXION_OPENFGA__TOKEN": "x"}}, "holds a secret"),
        ({"secretName": "axion", "settings": {"AXION_DATABASES__AURADB__APP_URL": "x"}}, "holds a secret"),
        ({"secretName": "axion", "settings": {"AXION_ENCRYPTION__KEYS": "{}"}}, "holds a secret"),
        ({"secretName": "axion", "settings": {"PATH": "/"}}, "begin with AXION_"),
        ({"secretName": "axion", "ingress": {"enabled": True}}, "ingress.host"),
    ],
)
def test_what_it_refuses(helm: Path, tmp_path: Path, values: dict[str, Any], says: str) -> None:
    file = tmp_path / "values.json"
    file.write_text(json.dumps(values))
    done = run(helm, "template", "axion", str(CHART), *_CLUSTER, "--values", str(file))
    assert done.returncode != 0
    assert says in done.stderr


def test_its_version_is_the_product_s() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = re.search(r'^version = "([^"]+)"', (CHECKOUT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project is not None
    assert chart["appVersion"] == project[1]
