"""Key rotation through GraphQL by administrators, while all data are read."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import orjson
import pytest
import sqlalchemy as sa

from gateway.http.documents import Documents
from gateway.http.execution import execute
from gateway.settings import Encryption, Limits, Settings
from gateway.stores import open_keyring
from loaders.encode.node_id import encode_node_id
from loaders.ledger import Ledger
from loaders.tables.axion_gen.catalog import Dataset, DataSource
from loaders.tables.uuid7 import uuid7
from schema.build import build, graphql_schema
from tests.loaders.warehouses.gen_database import gen_database
from tests.resolvers.jobs.conftest import SPACE, Someone, working
from tests.resolvers.jobs.test_encryption_key_rotate import KEYS, Rotating, rotating
from tests.waiting import until

__all__ = ["rotating"]

ROTATE = """mutation Rotate($to: Int!) { done: genEncryptionKeyRotate(input: {toVersion: $to}) {
  ... on GenEncryptionKeyRotatePayload { job { id kind state arguments } } ... on Error { code message } } }"""
CANCEL = "mutation Cancel($id: ID!) { done: jobCancel(input: {id: $id}) { ... on Error { code } } }"
JOB = "query Job($id: ID!) { job(id: $id) { state result error message } }"
USAGE = "{ gen { encryptionKeyUsage { table keyVersion rows isCurrent isConfigured } } }"
READ = """query Read($id: ID!) { node(id: $id) { ... on GenDataset { table(name: "every_type") {
  rows(select: ["id"], orderBy: [{column: "id"}]) { nodes } } } } }"""
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


@pytest.fixture(scope="module")
def gen_url(admin_url: str) -> Iterator[str]:
    with gen_database(admin_url) as url:
        yield url


async def asked(person: Someone, document: str, variables: Mapping[str, Any] | None = None) -> tuple[Any, list[Any]]:
    """Data, and the errors as clients see them."""
    schema = graphql_schema(build())
    found: Any = execute(schema, Documents(schema, Limits()).prepare(document, None), variables or {}, person.context())
    if hasattr(found, "__await__"):
        found = await found
    errors = [{**getattr(e.original_error, "extensions", {}), "message": e.message} for e in found.errors or ()]
    return orjson.loads(orjson.dumps(found.data)), errors


async def usage(person: Someone) -> dict[int, int]:
    data, errors = await asked(person, USAGE)
    assert not errors
    return {each["keyVersion"]: each["rows"] for each in data["gen"]["encryptionKeyUsage"]}


async def rotated(person: Someone) -> str:
    data, errors = await asked(person, ROTATE, {"to": 2})
    assert not errors
    job = data["done"]["job"]
    assert (job["kind"], job["arguments"]) == ("encryption_key_rotate", {"toVersion": 2})
    return str(job["id"])


async def ended(person: Someone, id_: str) -> Any:
    job: Any = None

    async def is_over() -> bool:
        nonlocal job
        job = (await asked(person, JOB, {"id": id_}))[0]["job"]
        return job["state"] in FINAL

    async with asyncio.timeout(60):
        await until(is_over)
    return job


async def sealed_under(rotating: Rotating, version: int, secret: bytes, *, count: int = 1) -> list[UUID]:
    """Data sources of the tests' ClickHouse, whose credentials are sealed under a version."""
    encryption = Encryption(keys=KEYS, current_version=version)
    keyring = open_keyring(rotating.settings.model_copy(update={"encryption": encryption}))
    options = {"url": rotating.settings.clickhouse.url, "database": SPACE}
    ids = [uuid7() for _ in range(count)]
    async with rotating.stores.postgres["axion_gen"].transaction() as session:
        for id_ in ids:
            sealed = keyring.seal(secret)
            row = DataSource(id=id_, name=f"rotated-{id_}", connector_type="clickhouse", options=options)
            row.encrypted_credentials, row.nonce, row.tag = sealed.ciphertext, sealed.nonce, sealed.tag
            row.key_version = version
            session.add(row)
    return ids


async def read_under(rotating: Rotating, source: UUID) -> str:
    """Global id of a dataset of the source."""
    async with rotating.stores.postgres["axion_gen"].transaction() as session:
        row = Dataset(id=uuid7(), data_source_id=source, name="tables")
        session.add(row)
    return encode_node_id("GenDataset", [str(row.id)])


@pytest.fixture
def credentials(settings: Settings) -> bytes:
    return orjson.dumps({"password": settings.clickhouse.password.get_secret_value()})


@pytest.fixture
async def person(admin: Someone, rotating: Rotating) -> Someone:
    return rotating.sees(admin)


@pytest.mark.usefixtures("clickhouse_dataset")
async def test_reads_go_on_while_everything_is_sealed_anew(
    person: Someone, rotating: Rotating, credentials: bytes
) -> None:
    (source,) = await sealed_under(rotating, 1, credentials)
    await sealed_under(rotating, 1, b"{}", count=250)
    dataset = await read_under(rotating, source)
    assert await usage(person) == {1: 251}
    over, answers = asyncio.Event(), []

    async def reading() -> None:
        while not over.is_set():
            rotating.stores.warehouses.forget(source)  # each read opens the secret
            answers.append(await asked(person, READ, {"id": dataset}))

    async with working(rotating.settings), asyncio.TaskGroup() as group:
        group.create_task(reading())
        job = await ended(person, await rotated(person))
        over.set()
    assert (job["state"], job["error"], job["result"]) == ("SUCCEEDED", None, {"resealed": 251, "toVersion": 2})
    assert await usage(person) == {2: 251}
    answers.append(await asked(person, READ, {"id": dataset}))
    expected = {"node": {"table": {"rows": {"nodes": [{"id": id_} for id_ in (1, 2, 3, 4)]}}}}
    assert len(answers) > 1
    assert all(answer == (expected, []) for answer in answers)


async def test_stopped_halfway_it_goes_on_when_repeated(person: Someone, rotating: Rotating) -> None:
    ids = await sealed_under(rotating, 1, b"{}", count=150)
    locked = sa.select(DataSource.id).where(DataSource.id == ids[120]).with_for_update()
    async with working(rotating.settings):
        async with rotating.stores.postgres["axion_gen"].transaction() as session:
            await session.execute(locked)  # the second batch waits for this row
            id_ = await rotated(person)

            async def half() -> bool:
                return await usage(person) == {1: 50, 2: 100}

            async with asyncio.timeout(60):
                await until(half)
            assert not (await asked(person, CANCEL, {"id": id_}))[1]
            assert (await ended(person, id_))["state"] == "CANCELLED"
        assert await usage(person) == {1: 50, 2: 100}
        job = await ended(person, await rotated(person))
    assert (job["state"], job["result"]) == ("SUCCEEDED", {"resealed": 50, "toVersion": 2})
    assert await usage(person) == {2: 150}


async def test_a_missing_version_is_named_and_no_key(person: Someone, rotating: Rotating, credentials: bytes) -> None:
    (source,) = await sealed_under(rotating, 1, credentials)
    dataset = await read_under(rotating, source)
    async with rotating.stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.update(DataSource).where(DataSource.id == source).values(key_version=7))
    data, (error,) = await asked(person, READ, {"id": dataset})
    assert data == {"node": {"table": None}}
    assert error["code"] == "ENCRYPTION_KEY_MISSING"
    assert "version 7" in error["message"]
    async with rotating.stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.update(DataSource).where(DataSource.id == source).values(key_version=0))
    async with working(rotating.settings):
        job = await ended(person, await rotated(person))
    assert (job["state"], job["error"]["code"]) == ("FAILED", "ENCRYPTION_KEY_MISSING")
    assert "version 0" in job["error"]["message"]
    for key in KEYS.values():
        assert key.get_secret_value() not in str(error) + str(job)


async def test_another_version_and_other_people_are_refused(
    person: Someone, stranger: Someone, rotating: Rotating
) -> None:
    data, _ = await asked(person, ROTATE, {"to": 1})
    assert (data["done"]["code"], "version is 2" in data["done"]["message"]) == ("BAD_USER_INPUT", True)
    other, ledger = rotating.sees(stranger), Ledger()
    data, _ = await asked(other, ROTATE, {"to": 2})
    assert data["done"]["code"] == "FORBIDDEN"
    _, (error,) = await asked(other, USAGE)
    assert error["code"] == "FORBIDDEN"
    sql = "SELECT count(*) AS n FROM jobs WHERE subject = $1 AND kind = 'encryption_key_rotate'"
    (row,) = await rotating.stores.postgres["axion_sense_tasks"].fetch(sql, stranger.id, ledger=ledger)
    assert row["n"] == 0
