"""The test stack's addresses. `make test` starts it and names its env file; nothing here starts or mocks a store."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.paths import CHECKOUT
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class S3:
    """The stack's S3 server and its root credentials."""

    endpoint: str
    access_key: str
    secret_key: str


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings of the running test stack. Without one there is nothing to test against, so this fails."""
    named = os.environ.get("AXION_ENV_FILE")
    path = Path(named) if named else CHECKOUT / ".axion" / "test" / "env"
    if not path.is_file():
        pytest.fail("the test stack is not up: run `make test`, or `axion stack up --name test && axion migrate all`")
    return Settings(_env_file=path)


@pytest.fixture(scope="session")
def admin_url(settings: Settings) -> str:
    """The superuser's URL of the stack's Postgres."""
    assert settings.postgres.admin_url is not None
    return settings.postgres.admin_url.get_secret_value()


@pytest.fixture(scope="session")
def openfga_url(settings: Settings) -> str:
    return settings.openfga.url


@pytest.fixture(scope="session")
def openfga_token(settings: Settings) -> str:
    assert settings.openfga.token is not None
    return settings.openfga.token.get_secret_value()


@pytest.fixture(scope="session")
def clickhouse_url(settings: Settings) -> str:
    return settings.clickhouse.url


@pytest.fixture(scope="session")
def clickhouse_password(settings: Settings) -> str:
    return settings.clickhouse.password.get_secret_value()


@pytest.fixture(scope="session")
def s3(settings: Settings) -> S3:
    objects = settings.objects
    return S3(objects.endpoint, objects.access_key.get_secret_value(), objects.secret_key.get_secret_value())
