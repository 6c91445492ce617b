"""Remote tables in ClickHouse and on S3, an admin and a stranger, and a job database that only these tests use."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import delete

from gateway.settings import DatabaseUrls, Jobs, Settings
from gateway.stores import open_stores
from gateway.worker import run_worker
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.parents import dataset_parent, datasource_parent
from loaders.openfga.tuples import RelationTuple
from loaders.stores import Stores
from loaders.tables.axion_gen.catalog import DataSource
from loaders.tables.axion_sense.public import User
from resolvers.context import Context
from resolvers.gen.data_sources import DataSourceCreate, create_data_source
from resolvers.gen.datasets import DatasetCreate, create_dataset
from resolvers.permissions.recheck import Rechecks
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import Subject
from tests.clickhouse_source import source_settings
from tests.conformance.rows import EVERY_TYPE, LARGE, NO_ROWS, ODD_NAME, ODD_NAMES
from tests.conformance.subjects.clickhouse import ClickHouseSubject
from tests.conformance.subjects.s3_parquet import S3ParquetSubject, S3Server
from tests.loaders.jobs.database import JobDatabase, job_database

SPACE = "axion_jobs_test"
SUFFIX = secrets.token_hex(4)


class _ClickHouse(ClickHouseSubject):
    space, other_space = SPACE, SPACE + "_other"


class _S3(S3ParquetSubject):
    space, other_space, bucket = SPACE, SPACE + "_other", "axion-jobs-test"


@dataclass(frozen=True, slots=True)
class Someone:
    """A person's contexts, one for each thing they do."""

    id: str
    stores: Stores

    def context(self) -> Context:
        subject, ledger = Subject(self.id), Ledger()
        verdicts = Verdicts(subject, self.stores.openfga, ledger)
        rechecks = Rechecks(self.stores.openfga)
        return Context(subject, "test", self.stores, verdicts, ledger, rechecks=rechecks)


@pytest.fixture(scope="session")
def jobs_database(admin_url: str) -> Iterator[JobDatabase]:
    with job_database(admin_url) as database:
        yield database


@pytest.fixture(scope="session")
def jobs_settings(settings: Settings, jobs_database: JobDatabase) -> Settings:
    urls = DatabaseUrls(
        app_url=SecretStr(jobs_database.app_url),
        worker_url=SecretStr(jobs_database.worker_url),
        migrate_url=SecretStr(jobs_database.migrate_url),
    )
    databases = settings.databases.model_copy(update={"axion_sense_tasks": urls})
    quick = Jobs(back_off_seconds=0.05, heartbeat_seconds=0.3, stale_seconds=1.0, shutdown_seconds=1.0)
    return settings.model_copy(update={"databases": databases, "jobs": quick})


@pytest.fixture(scope="session")
async def stores(jobs_settings: Settings) -> AsyncIterator[Stores]:
    async with open_stores(jobs_settings) as stores:
        yield stores


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """A worker, in this process, while the body runs."""
    worker = asyncio.create_task(run_worker(settings))
    try:
        yield
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


@pytest.fixture
async def worker(jobs_settings: Settings) -> AsyncIterator[None]:
    async with working(jobs_settings):
        yield


@asynccontextmanager
async def registered(name: str, stores: Stores) -> AsyncIterator[Someone]:
    """An active user while the body runs."""
    someone = Someone(f"{name}-{SUFFIX}", stores)
    async with stores.postgres["axion_sense"].transaction() as session:
        session.add(User(external_auth_id=someone.id))
    yield someone
    async with stores.postgres["axion_sense"].transaction() as session:
        await session.execute(delete(User).where(User.external_auth_id == someone.id))


@pytest.fixture(scope="session")
async def admin(stores: Stores) -> AsyncIterator[Someone]:
    async with registered("admin", stores) as admin:
        granted = RelationTuple(names.user(admin.id), "admin", names.SYSTEM)
        await stores.openfga.write([granted], ledger=Ledger())
        yield admin
        await stores.openfga.write(deletes=[granted], ledger=Ledger())


@pytest.fixture(scope="session")
async def stranger(stores: Stores) -> AsyncIterator[Someone]:
    async with registered("stranger", stores) as stranger:
        yield stranger


@pytest.fixture(scope="session")
async def clickhouse_dataset(admin: Someone, settings: Settings, stores: Stores) -> AsyncIterator[UUID]:
    clickhouse = settings.clickhouse
    subject = _ClickHouse(clickhouse.url, clickhouse.password.get_secret_value())
    await subject.prepare()
    await _load(subject)
    async for dataset in _dataset(admin, stores, "clickhouse", source_settings(settings, SPACE)):
        yield dataset
    await subject.close()


@pytest.fixture(scope="session")
async def s3_dataset(admin: Someone, s3: S3Server, stores: Stores) -> AsyncIterator[UUID]:
    subject = _S3(s3)
    await subject.prepare()
    await _load(subject)
    connection = {"endpoint": s3.endpoint, "bucket": _S3.bucket, "prefix": SPACE}
    connection |= {"access_key": s3.access_key, "secret_key": s3.secret_key}
    async for dataset in _dataset(admin, stores, "s3_parquet", connection):
        yield dataset


@pytest.fixture(params=["clickhouse", "s3"])
def dataset(request: pytest.FixtureRequest) -> UUID:
    found: UUID = request.getfixturevalue(f"{request.param}_dataset")
    return found


async def _load(subject: ClickHouseSubject | S3ParquetSubject) -> None:
    for name, rows in (("every_type", EVERY_TYPE), ("no_rows", NO_ROWS), ("large", LARGE), (ODD_NAME, ODD_NAMES)):
        await subject.load(name, rows)


async def _dataset(
    admin: Someone, stores: Stores, connector: str, connection: Mapping[str, object]
) -> AsyncIterator[UUID]:
    name = f"jobs-{connector}-{SUFFIX}"
    source = await create_data_source(admin.context(), DataSourceCreate(name, connector, connection))
    dataset = await create_dataset(admin.context(), DatasetCreate(source.id, "tables"))
    yield dataset.id
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(delete(DataSource).where(DataSource.id == source.id))
    parents = [datasource_parent(name), dataset_parent(dataset.id, datasource=name)]
    await stores.openfga.write(deletes=parents, ledger=Ledger())
