"""The gateway and its worker as processes of the stack, with the stack's settings."""

import os
import sys
from collections.abc import Mapping

from deploy.local.part import Part, Probe
from deploy.local.paths import CHECKOUT, StatePaths
from deploy.local.ports import Ports
from deploy.local.servers.http import complaint

GATEWAY, WORKER = "gateway", "worker"


def gateway(paths: StatePaths, ports: Ports, settings: Mapping[str, str]) -> Part:
    return Part(
        probe=gateway_probe(ports),
        command=(sys.executable, "-m", "gateway.cli", "serve"),
        environment=process_environment(paths, settings),
    )


def gateway_probe(ports: Ports) -> Probe:
    address = f"http://127.0.0.1:{ports.gateway}"
    return Probe(GATEWAY, address, lambda: complaint(f"{address}/health/ready", expected=b""))


WORKER_PROBE = Probe(WORKER, "", lambda: None)
"""The worker has no port: it counts as ready when it runs (the gateway's readiness covers the jobs' store)."""


def worker(paths: StatePaths, settings: Mapping[str, str]) -> Part:
    return Part(
        probe=WORKER_PROBE,
        command=(sys.executable, "-m", "gateway.cli", "worker"),
        environment=process_environment(paths, settings),
        grace_seconds=30.0,
    )


def process_environment(paths: StatePaths, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of the product: the stack's settings, overridden by the user's own AXION_*."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "TZ") if name in os.environ}
    chosen = {name: value for name, value in os.environ.items() if name.startswith("AXION_")}
    return {
        **kept,
        "PYTHONPATH": str(CHECKOUT),
        "LANG": "C.UTF-8",
        **settings,
        **chosen,
        "AXION_ENV_FILE": str(paths.env),
    }
