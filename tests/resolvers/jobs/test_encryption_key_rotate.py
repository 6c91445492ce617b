"""Key rotation as a job, in a Gen database of these tests, so that the stack's own secrets stay unchanged."""

import base64
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from gateway.settings import DatabaseUrls, Encryption, Settings
from gateway.stores import open_keyring, open_stores
from loaders.errors import BadInput, Forbidden, Unauthenticated
from loaders.jobs.job import Job, State
from loaders.jobs.store import JobStore
from loaders.ledger import Ledger
from loaders.stores import Stores
from loaders.tables.axion_gen.catalog import DataSource
from loaders.tables.uuid7 import uuid7
from resolvers.context import Context
from resolvers.gen.encryption import versions_in_use
from resolvers.jobs.start import start_encryption_key_rotate
from resolvers.jobs.watch import watch_job
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import ANONYMOUS
from tests.loaders.warehouses.gen_database import gen_database
from tests.resolvers.jobs.conftest import Someone, working

KEYS = {version: SecretStr(base64.b64encode(bytes([version]) * 32).decode()) for version in (1, 2)}


@dataclass(frozen=True, slots=True)
class Rotating:
    settings: Settings
    stores: Stores

    def sees(self, someone: Someone) -> Someone:
        return Someone(someone.id, self.stores)


@pytest.fixture(scope="module")
def gen_url(admin_url: str) -> Iterator[str]:
    with gen_database(admin_url) as url:
        yield url


@pytest.fixture
async def rotating(jobs_settings: Settings, gen_url: str) -> AsyncIterator[Rotating]:
    secret = SecretStr(gen_url)
    gen = DatabaseUrls(app_url=secret, worker_url=secret, migrate_url=secret)
    databases = jobs_settings.databases.model_copy(update={"axion_gen": gen})
    changed = {"databases": databases, "encryption": Encryption(keys=KEYS, current_version=2)}
    settings = jobs_settings.model_copy(update=changed)
    async with open_stores(settings) as stores:
        async with stores.postgres["axion_gen"].transaction() as session:
            await session.execute(sa.delete(DataSource))
        yield Rotating(settings, stores)


async def sealed_under(rotating: Rotating, version: int, secret: bytes = b"{}") -> None:
    keyring = open_keyring(
        rotating.settings.model_copy(update={"encryption": Encryption(keys=KEYS, current_version=version)})
    )
    sealed = keyring.seal(secret)
    row = DataSource(name=str(uuid7()), connector_type="clickhouse", options={}, key_version=version)
    row.encrypted_credentials, row.nonce, row.tag = sealed.ciphertext, sealed.nonce, sealed.tag
    async with rotating.stores.postgres["axion_gen"].transaction() as session:
        session.add(row)


async def ended(person: Someone, job: Job) -> Job:
    async for _ in watch_job(person.context(), job.id, after=0):
        pass
    found = await JobStore(person.stores.postgres["axion_sense_tasks"]).get(job.id, ledger=Ledger())
    assert found is not None
    return found


async def usage(person: Someone) -> list[tuple[str, int, int, bool, bool]]:
    return [
        (each.usage.table, each.usage.key_version, each.usage.rows, each.is_current, each.is_configured)
        for each in await versions_in_use(person.context())
    ]


async def test_a_job_rotates_and_says_how_far_it_is(admin: Someone, rotating: Rotating) -> None:
    person = rotating.sees(admin)
    for version in (1, 1, 2):
        await sealed_under(rotating, version)
    assert await usage(person) == [("data_sources", 1, 2, False, True), ("data_sources", 2, 1, True, True)]
    job = await start_encryption_key_rotate(person.context(), to_version=2)
    assert job.arguments == {"toVersion": 2}
    async with working(rotating.settings):
        job = await ended(person, job)
    assert (job.state, job.error, job.result) == (State.SUCCEEDED, None, {"resealed": 2, "toVersion": 2})
    assert (job.progress, job.message) == (1.0, "2 of 2 secrets")
    assert await usage(person) == [("data_sources", 2, 3, True, True)]


async def test_a_missing_version_fails_the_job_after_all_else_is_done(admin: Someone, rotating: Rotating) -> None:
    person = rotating.sees(admin)
    await sealed_under(rotating, 1)
    await sealed_under(rotating, 1)
    async with rotating.stores.postgres["axion_gen"].transaction() as session:
        lost = (await session.execute(sa.select(DataSource.id).limit(1))).scalar_one()
        await session.execute(sa.update(DataSource).where(DataSource.id == lost).values(key_version=0))
    job = await start_encryption_key_rotate(person.context(), to_version=2)
    async with working(rotating.settings):
        job = await ended(person, job)
    assert job.state is State.FAILED
    assert job.error is not None
    assert job.error["code"] == "ENCRYPTION_KEY_MISSING"
    assert str(lost) in str(job.error["message"])
    assert await usage(person) == [("data_sources", 0, 1, False, False), ("data_sources", 2, 1, True, True)]


async def test_a_worker_with_another_current_key_refuses(admin: Someone, rotating: Rotating) -> None:
    person = rotating.sees(admin)
    await sealed_under(rotating, 1)
    job = await start_encryption_key_rotate(person.context(), to_version=2)
    behind = rotating.settings.model_copy(update={"encryption": Encryption(keys=KEYS, current_version=1)})
    async with working(behind):
        job = await ended(person, job)
    assert job.error is not None
    assert job.error["code"] == "ENCRYPTION_KEY_MISSING"
    assert await usage(person) == [("data_sources", 1, 1, False, True)]


async def test_another_version_than_the_current_is_refused(admin: Someone, rotating: Rotating) -> None:
    with pytest.raises(BadInput, match="version is 2"):
        await start_encryption_key_rotate(rotating.sees(admin).context(), to_version=1)


async def test_only_admins(stranger: Someone, rotating: Rotating) -> None:
    person = rotating.sees(stranger)
    with pytest.raises(Forbidden):
        await start_encryption_key_rotate(person.context(), to_version=2)
    with pytest.raises(Forbidden):
        await versions_in_use(person.context())
    ledger = Ledger()
    nobody = Context(ANONYMOUS, "test", rotating.stores, Verdicts(ANONYMOUS, rotating.stores.openfga, ledger), ledger)
    with pytest.raises(Unauthenticated):
        await start_encryption_key_rotate(nobody, to_version=2)
    (row,) = await rotating.stores.postgres["axion_sense_tasks"].fetch(
        "SELECT count(*) AS n FROM jobs WHERE subject = $1", stranger.id, ledger=Ledger()
    )
    assert row["n"] == 0
