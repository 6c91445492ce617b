"""The gateway's settings and a shell read the env file alike; secrets persist and stay private."""

import json
import stat
import subprocess
from dataclasses import asdict

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy.local.environment import DATABASES, Addresses, admin_url, settings_of, write_env
from deploy.local.paths import StatePaths
from deploy.local.ports import Ports
from deploy.local.secrets import Secrets, keep_secrets
from gateway.settings import Settings

AT = Addresses.local(Ports.block(15900, gateway=8000))


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite itself runs with a stack's settings; these tests must read the file and nothing else."""
    for name in settings_of(AT, Secrets()):
        monkeypatch.delenv(name, raising=False)


def test_round_trips_through_the_settings(paths: StatePaths) -> None:
    secrets = keep_secrets(paths.secrets)
    settings = Settings(_env_file=write_env(paths.env, settings_of(AT, secrets)))

    assert settings.mode == "demo"
    assert settings.http.port == 8000
    for database in DATABASES:
        urls = getattr(settings.databases, database)
        for kind in ("app", "worker", "migrate"):
            password = getattr(secrets, f"postgres_{kind}")
            expected = f"postgresql://{database}_{kind}:{password}@127.0.0.1:15901/{database}"
            assert getattr(urls, f"{kind}_url").get_secret_value() == expected
    assert settings.postgres.admin_url is not None
    assert settings.postgres.admin_url.get_secret_value() == admin_url(AT.postgres, secrets)
    assert settings.clickhouse.url == "http://127.0.0.1:15902"
    assert settings.clickhouse.password.get_secret_value() == secrets.clickhouse
    assert settings.openfga.url == "http://127.0.0.1:15903"
    assert settings.openfga.token is not None
    assert settings.openfga.token.get_secret_value() == secrets.openfga_token
    assert settings.objects.endpoint == "http://127.0.0.1:15905"
    assert settings.objects.secret_key.get_secret_value() == secrets.objects_secret_key
    assert settings.oidc.jwks_url.startswith(settings.oidc.issuer)
    assert settings.encryption.keys[settings.encryption.current_version].get_secret_value() == secrets.encryption_key
    assert settings.demo_issuer_key is not None
    pem = settings.demo_issuer_key.get_secret_value()
    assert pem == secrets.demo_issuer_key
    load_pem_private_key(pem.encode(), password=None)


def test_a_shell_reads_the_same(paths: StatePaths) -> None:
    wanted = settings_of(AT, Secrets())
    file = write_env(paths.env, wanted)
    command = ["sh", "-c", 'set -a; . "$0"; exec env -0', str(file)]
    said = subprocess.run(command, capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"}).stdout.decode()
    seen = dict(entry.split("=", 1) for entry in said.split("\0") if entry)

    assert {name: value for name, value in seen.items() if name.startswith("AXION_")} == wanted


def test_the_environment_wins_over_the_file(paths: StatePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_env(paths.env, settings_of(AT, Secrets()))
    monkeypatch.setenv("AXION_CLICKHOUSE__URL", "https://clickhouse.example.com:8443")
    settings = Settings(_env_file=file)

    assert settings.clickhouse.url == "https://clickhouse.example.com:8443"
    assert settings.clickhouse.database == "axion_sense"


@pytest.mark.parametrize("value", ["it's", "back\\slash"])
def test_a_value_the_file_cannot_hold_is_refused(value: str, paths: StatePaths) -> None:
    with pytest.raises(ValueError, match="AXION_X"):
        write_env(paths.env, {"AXION_X": value})


def test_secrets_are_kept_and_private(paths: StatePaths) -> None:
    first = keep_secrets(paths.secrets)
    write_env(paths.env, settings_of(AT, first))

    assert keep_secrets(paths.secrets) == first
    assert len(set(asdict(first).values())) == len(asdict(first))
    for file in (paths.secrets, paths.env):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.clickhouse not in repr(first)


def test_a_newer_versions_secret_is_added_to_the_kept_ones(paths: StatePaths) -> None:
    first = keep_secrets(paths.secrets)
    older = asdict(first)
    del older["clickhouse"]
    paths.secrets.write_text(json.dumps(older))

    second = keep_secrets(paths.secrets)
    assert second.encryption_key == first.encryption_key
    assert second.clickhouse not in ("", first.clickhouse)
    assert keep_secrets(paths.secrets) == second
