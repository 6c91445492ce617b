"""A migrated job database of its own, under its own roles, so that no other worker takes these tests' jobs."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import make_url

from loaders.postgres.client import Postgres
from migrations.runner import run
from migrations.targets import Database, DatabaseName, Role
from tests.migrations.cluster import dropped_afterwards, fresh_targets

STORE: DatabaseName = "axion_sense_tasks"


@dataclass(frozen=True, slots=True)
class JobDatabase:
    app_url: str
    worker_url: str
    migrate_url: str
    admin_url: str
    """As a superuser, in the same database."""


@contextmanager
def job_database(admin_url: str) -> Iterator[JobDatabase]:
    targets = fresh_targets(admin_url)
    targets = replace(targets, databases={STORE: targets.databases["axion_sense_tasks"]})
    with dropped_afterwards(targets):
        run("all", targets)
        database = targets.databases["axion_sense_tasks"]
        admin = make_url(admin_url).set(drivername="postgresql", database=database.name)
        yield JobDatabase(
            _url(database, database.app),
            _url(database, database.worker),
            _url(database, database.migrate),
            admin.render_as_string(hide_password=False),
        )


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Postgres]:
    postgres = await Postgres.open(STORE, url, pool_max=5, statement_timeout_ms=10_000)
    try:
        yield postgres
    finally:
        await postgres.close()


def _url(database: Database, role: Role) -> str:
    url = database.url.set(drivername="postgresql", username=role.name, password=role.password)
    return url.render_as_string(hide_password=False)
