"""The input of the runners as plain values, which the caller (gateway/cli/migrate.py) fills from its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, TypeAlias

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from migrations.errors import TargetInvalid

DatabaseName: TypeAlias = Literal["axion_sense", "axion_sense_tasks", "axion_gen", "auradb", "powernode"]
Target: TypeAlias = Literal[
    "roles", "axion_sense", "axion_sense_tasks", "axion_gen", "auradb", "powernode", "clickhouse", "openfga", "all"
]


@dataclass(frozen=True, slots=True)
class Role:
    """A login role. Without a password the server must authenticate it by other means (certificate, trust)."""

    name: str
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Database:
    """A database and its three roles. `url` connects as the `_migrate` role."""

    name: str
    app: Role
    worker: Role
    migrate: Role
    url: URL = field(repr=False)

    @classmethod
    def of_urls(cls, *, app_url: str, worker_url: str, migrate_url: str) -> Self:
        """TargetInvalid unless the three URLs name one database and three roles."""
        app, worker, migrate = (_url(url) for url in (app_url, worker_url, migrate_url))
        if not (app.database and app.database == worker.database == migrate.database):
            raise TargetInvalid(
                f"the app, worker and migrate URLs must name one database, not {app.database}, {worker.database} and "
                f"{migrate.database}: correct them in the settings"
            )
        roles = tuple(_role(url) for url in (app, worker, migrate))
        if len({role.name for role in roles}) < 3:
            raise TargetInvalid(
                f"database {app.database} needs three different roles for app, worker and migrate, so that the app "
                f"cannot change tables: correct the URLs in the settings"
            )
        return cls(app.database, app=roles[0], worker=roles[1], migrate=roles[2], url=migrate)


@dataclass(frozen=True, slots=True)
class ClickHouse:
    """`replicated` is the switch that `init_sql` (deploy/clickhouse/init.sql) describes."""

    url: str
    username: str
    password: str = field(repr=False)
    database: str
    replicated: bool
    init_sql: Path


@dataclass(frozen=True, slots=True)
class OpenFga:
    """`model_json` is the authorization model to upload (deploy/openfga/model.json)."""

    url: str
    store_name: str
    model_json: Path
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Targets:
    """`admin_url` is that of a superuser, and needed by target `roles` only."""

    databases: Mapping[DatabaseName, Database]
    admin_url: str | None = field(default=None, repr=False)
    clickhouse: ClickHouse | None = None
    openfga: OpenFga | None = None

    def admin(self) -> URL | None:
        return None if self.admin_url is None else _url(self.admin_url)


def _url(value: str) -> URL:
    try:
        url = make_url(value)
    except ArgumentError:
        raise TargetInvalid(
            "a database URL is malformed: it reads postgresql://role:password@host:port/database"
        ) from None
    return url.set(drivername="postgresql+psycopg")


def _role(url: URL) -> Role:
    if not url.username:
        raise TargetInvalid(f"the URL of database {url.database} names no role: add role:password@ before the host")
    return Role(url.username, url.password)
