"""The stack as AXION_* settings (gateway/settings.py), in a file that a shell and python-dotenv read alike."""

from pathlib import Path
from urllib.parse import quote

from deploy.local.paths import StatePaths
from deploy.local.ports import Ports
from deploy.local.secrets import Secrets, write_private

DATABASES = ("axion_sense", "axion_sense_tasks", "axion_gen", "auradb", "powernode")
AUDIENCE = "axion-gateway"
CLICKHOUSE_DATABASE = "axion_sense"
BUCKET = "axion"


def postgres_url(ports: Ports, role: str, password: str, database: str) -> str:
    return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{ports.postgres}/{database}"


def admin_url(ports: Ports, secrets: Secrets) -> str:
    return postgres_url(ports, "postgres", secrets.postgres_admin, "postgres")


def settings_of(ports: Ports, secrets: Secrets) -> dict[str, str]:
    """Every setting the gateway, the worker and the migrations need to run on this stack."""
    issuer = f"http://127.0.0.1:{ports.gateway}/demo/issuer"
    passwords = {"app": secrets.postgres_app, "worker": secrets.postgres_worker, "migrate": secrets.postgres_migrate}
    databases = {
        f"AXION_DATABASES__{database.upper()}__{kind.upper()}_URL": postgres_url(
            ports, f"{database}_{kind}", word, database
        )
        for database in DATABASES
        for kind, word in passwords.items()
    }
    return {
        "AXION_MODE": "demo",
        "AXION_HTTP__HOST": "127.0.0.1",
        "AXION_HTTP__PORT": str(ports.gateway),
        **databases,
        "AXION_POSTGRES__ADMIN_URL": admin_url(ports, secrets),
        "AXION_CLICKHOUSE__URL": f"http://127.0.0.1:{ports.clickhouse}",
        "AXION_CLICKHOUSE__USERNAME": "default",
        "AXION_CLICKHOUSE__PASSWORD": secrets.clickhouse,
        "AXION_CLICKHOUSE__DATABASE": CLICKHOUSE_DATABASE,
        "AXION_OPENFGA__URL": f"http://127.0.0.1:{ports.openfga}",
        "AXION_OPENFGA__TOKEN": secrets.openfga_token,
        "AXION_OBJECTS__ENDPOINT": f"http://127.0.0.1:{ports.objects}",
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


def write_env(paths: StatePaths, settings: dict[str, str]) -> Path:
    """Writes `<state>/env`, readable by its owner only. Values are single-quoted and may span lines (the PEM does)."""
    lines = [
        f"# Settings of the embedded stack {paths.name!r}, written by `axion stack up`.",
        "# Load with AXION_ENV_FILE, or in a shell: set -a; . <this file>; set +a",
    ]
    for name, value in settings.items():
        if "'" in value or "\\" in value:
            raise ValueError(f"the value of {name} has a quote or a backslash, which the env file cannot hold")
        lines.append(f"{name}='{value}'")
    write_private(paths.env, "\n".join(lines) + "\n")
    return paths.env
