"""DuckDB behind Flight SQL (deploy/local/flight_sql_server), with TLS, in a process of its own."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local.part import Part, Probe
from deploy.local.paths import CHECKOUT, StatePaths
from deploy.local.ports import Ports
from deploy.local.secrets import Secrets
from deploy.local.servers.certificate import keep_certificate

if TYPE_CHECKING:
    from pyarrow import flight

NAME = "flight_sql"
USER = "axion"


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach the stack's server."""

    url: str
    certificate: Path
    user: str
    password: str = field(repr=False)
    token: str = field(repr=False)


def address(paths: StatePaths, ports: Ports, secrets: Secrets) -> Address:
    folder = paths.data / NAME
    folder.mkdir(exist_ok=True)
    certificate, _ = keep_certificate(folder)
    url = f"grpc+tls://127.0.0.1:{ports.flight_sql}"
    return Address(url, certificate, USER, secrets.flight_sql_password, secrets.flight_sql_token)


def part(paths: StatePaths, ports: Ports, secrets: Secrets) -> Part:
    at = address(paths, ports, secrets)
    return Part(
        probe=Probe(NAME, at.url, lambda: _complaint(at)),
        command=(
            sys.executable,
            "-m",
            "deploy.local.flight_sql_server",
            f"--port={ports.flight_sql}",
            f"--path={paths.data / NAME / 'database.duckdb'}",
            f"--user={USER}",
            f"--certificate={at.certificate}",
            f"--key={at.certificate.with_name('key.pem')}",
        ),
        environment={
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(CHECKOUT),
            "LANG": "C.UTF-8",
            "AXION_FLIGHT_SQL_PASSWORD": secrets.flight_sql_password,
            "AXION_FLIGHT_SQL_TOKEN": secrets.flight_sql_token,
        },
    )


def running(at: Address) -> int:
    """The number of queries that the server runs now."""
    with _client(at) as client:
        (answer,) = client.do_action("running", _options(at))
        return int(answer.body.to_pybytes())


def _complaint(at: Address) -> str | None:
    from pyarrow import ArrowException

    try:
        running(at)
    except (ArrowException, OSError) as error:
        return str(error).splitlines()[0]
    return None


def _client(at: Address) -> "flight.FlightClient":
    from pyarrow import flight

    return flight.FlightClient(at.url, tls_root_certs=at.certificate.read_bytes())


def _options(at: Address) -> "flight.FlightCallOptions":
    from pyarrow import flight

    return flight.FlightCallOptions(timeout=2.0, headers=[(b"authorization", f"Bearer {at.token}".encode())])
