"""The stack as AXION_* settings (gateway/settings.py), in a file that a shell and python-dotenv read alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from deploy.local.ports import Ports
from deploy.local.secrets import Secrets, write_private

DATABASES = ("axion_sense", "axion_sense_tasks", "axion_gen", "auradb", "powernode")
AUDIENCE = "axion-gateway"
CLICKHOUSE_DATABASE = "axion_sense"
BUCKET = "axion"


@dataclass(frozen=True, slots=True)
class Addresses:
    """host:port of every server, as the gateway reaches them; `issuer` is also what browsers see."""

    postgres: str
    clickhouse: str
    openfga: str
    objects: str
    gateway: str
    issuer: str

    @classmethod
    def local(cls, ports: Ports) -> Self:
        def at(port: int) -> str:
            return f"127.0.0.1:{port}"

        return cls(
            at(ports.postgres),
            at(ports.clickhouse),
            at(ports.openfga),
            at(ports.objects),
            gateway=at(ports.gateway),
            issuer=at(ports.gateway),
        )


def postgres_url(address: str, role: str, password: str, database: str) -> str:
    return f"postgresql://{role}:{quote(password, safe='')}@{address}/{database}"


def admin_url(address: str, secrets: Secrets) -> str:
    return postgres_url(address, "postgres", secrets.postgres_admin, "postgres")


def settings_of(at: Addresses, secrets: Secrets) -> dict[str, str]:
    """Every setting the gateway, the worker and the migrations need to run on these servers."""
    issuer = f"http://{at.issuer}/demo/issuer"
    host, _, port = at.gateway.rpartition(":")
    passwords = {"app": secrets.postgres_app, "worker": secrets.postgres_worker, "migrate": secrets.postgres_migrate}
    databases = {
        f"AXION_DATABASES__{database.upper()}__{kind.upper()}_URL": postgres_url(
            at.postgres, f"{database}_{kind}", word, database
        )
        for database in DATABASES
        for kind, word in passwords.items()
    }
    return {
        "AXION_MODE": "demo",
        "AXION_HTTP__HOST": host,
        "AXION_HTTP__PORT": port,
        **databases,
        "AXION_POSTGRES__ADMIN_URL": admin_url(at.postgres, secrets),
        "AXION_CLICKHOUSE__URL": f"http://{at.clickhouse}",
        "AXION_CLICKHOUSE__USERNAME": "default",
        "AXION_CLICKHOUSE__PASSWORD": secrets.clickhouse,
        "AXION_CLICKHOUSE__DATABASE": CLICKHOUSE_DATABASE,
        "AXION_CLICKHOUSE__REPLICATED": "false",
        "AXION_OPENFGA__URL": f"http://{at.openfga}",
        "AXION_OPENFGA__TOKEN": secrets.openfga_token,
        "AXION_OBJECTS__ENDPOINT": f"http://{at.objects}",
        "AXION_OBJECTS__BUCKET": BUCKET,
        "AXION_OBJECTS__ACCESS_KEY": secrets.objects_access_key,
        "AXION_OBJECTS__SECRET_KEY": secrets.objects_secret_key,
        "AXION_OIDC__ISSUER": issuer,
        "AXION_OIDC__AUDIENCE": AUDIENCE,
        "AXION_OIDC__JWKS_URL": f"{issuer}/jwks.json",
        "AXION_ENCRYPTION__KEYS": f'{{"1": "{secrets.encryption_key}"}}',
        "AXION_ENCRYPTION__CURRENT_VERSION": "1",
        "AXION_DEMO_ISSUER_KEY": secrets.demo_issuer_key,
    }


def write_env(file: Path, settings: Mapping[str, str]) -> Path:
    """Writes the file, readable by its owner only. Values are single-quoted and may span lines (the PEM does)."""
    lines = [
        "# Settings of a local stack, generated: changes are lost.",
        "# Load with AXION_ENV_FILE, or in a shell: set -a; . <this file>; set +a",
    ]
    for name, value in settings.items():
        if "'" in value or "\\" in value:
            raise ValueError(f"the value of {name} has a quote or a backslash, which the env file cannot hold")
        lines.append(f"{name}='{value}'")
    write_private(file, "\n".join(lines) + "\n")
    return file
