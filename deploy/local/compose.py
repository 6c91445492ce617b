"""`python -m deploy.local.compose`: secrets and settings for deploy/compose.yaml, generated once per checkout."""

import sys

from deploy.local.environment import Addresses, postgres_url, settings_of, write_env
from deploy.local.paths import state_paths
from deploy.local.secrets import keep_secrets
from deploy.local.servers.openfga import DATABASE, ROLE

NAME = "compose"
AT = Addresses(
    postgres="postgres:5432",
    clickhouse="clickhouse:8123",
    openfga="openfga:8080",
    objects="objects:7070",
    gateway="0.0.0.0:8000",
    issuer="127.0.0.1:8000",
)


def main() -> int:
    paths = state_paths(NAME)
    paths.create()
    secrets = keep_secrets(paths.secrets)
    settings = {
        **settings_of(AT, secrets),
        "POSTGRES_PASSWORD": secrets.postgres_admin,
        "OPENFGA_DATABASE_PASSWORD": secrets.openfga_database,
        "OPENFGA_DATASTORE_URI": postgres_url(AT.postgres, ROLE, secrets.openfga_database, DATABASE)
        + "?sslmode=disable",
    }
    sys.stdout.write(f"{write_env(paths.env, settings)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
