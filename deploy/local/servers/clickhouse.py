"""The chDB engine behind the ClickHouse HTTP interface (deploy/local/clickhouse_server), in a process of its own."""

import os
import sys

from deploy.local.part import Part, Probe
from deploy.local.paths import CHECKOUT, StatePaths
from deploy.local.ports import Ports
from deploy.local.secrets import Secrets
from deploy.local.servers.http import complaint

NAME = "clickhouse"


def part(paths: StatePaths, ports: Ports, secrets: Secrets) -> Part:
    return Part(
        probe=probe(ports),
        command=(
            sys.executable,
            "-m",
            "deploy.local.clickhouse_server",
            f"--port={ports.clickhouse}",
            f"--path={paths.data / NAME}",
        ),
        environment={
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(CHECKOUT),
            "LANG": "C.UTF-8",
            "AXION_CLICKHOUSE__PASSWORD": secrets.clickhouse,
        },
    )


def probe(ports: Ports) -> Probe:
    address = f"http://127.0.0.1:{ports.clickhouse}"
    return Probe(NAME, address, lambda: complaint(f"{address}/ping", expected=b"Ok.\n"))
