import asyncio
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from loaders.errors import Conflict, EncryptionKeyMissing, SecretUnreadable
from loaders.ledger import Ledger
from loaders.secrets.keyring import Keyring
from loaders.secrets.rotation import Rotated, rotate
from loaders.secrets.sealed_tables import SEALED_TABLES, KeyUsage, key_usage
from loaders.tables.axion_gen import AxionGen
from loaders.tables.axion_gen.catalog import DataSource
from tests.loaders.secrets.conftest import Secrets, ring
from tests.waiting import until


async def rotated(secrets: Secrets, keyring: Keyring, batch_rows: int = 100) -> Rotated:
    return await rotate(secrets.gen, keyring, ledger=Ledger(), told=lambda done, total: None, batch_rows=batch_rows)


async def several(secrets: Secrets, version: int = 1) -> dict[UUID, bytes]:
    sources = {await secrets.data_source(b"password %d" % n, version): b"password %d" % n for n in range(7)}
    tokens = {await secrets.token(b"refresh %d" % n, version): b"refresh %d" % n for n in range(4)}
    return sources | tokens


def test_every_table_with_sealed_columns_is_rotated() -> None:
    sealed = {
        table.name
        for table in AxionGen.metadata.tables.values()
        if {"nonce", "tag", "key_version"} <= {*table.c.keys()}
    }
    assert sealed == {each.name for each in SEALED_TABLES}


@pytest.mark.parametrize("batch_rows", [1, 3, 100])
async def test_older_versions_are_sealed_anew(secrets: Secrets, batch_rows: int) -> None:
    rows = await several(secrets)
    before = {id_: await secrets.row(id_) for id_ in rows}
    told: list[tuple[int, int]] = []
    done = await rotate(
        secrets.gen,
        ring(1, 2),
        ledger=Ledger(),
        told=lambda done, total: told.append((done, total)),
        batch_rows=batch_rows,
    )
    assert done == Rotated(to_version=2, resealed=11, unopened=(), left=0)
    assert done.failure is None
    assert (told[0], told[-1], told) == ((0, 11), (11, 11), sorted(told))
    for id_, secret in rows.items():
        assert ring(2).open(await secrets.sealed(id_)) == secret
        after = await secrets.row(id_)
        assert after["nonce"] != before[id_]["nonce"]
        assert after["updated_at"] == before[id_]["updated_at"]


async def test_rotating_again_changes_nothing(secrets: Secrets) -> None:
    rows = await several(secrets)
    await rotated(secrets, ring(1, 2))
    before = [await secrets.sealed(id_) for id_ in rows]
    assert (await rotated(secrets, ring(1, 2))).resealed == 0
    assert [await secrets.sealed(id_) for id_ in rows] == before


async def test_a_source_without_credentials_and_newer_versions_are_left(secrets: Secrets) -> None:
    newer = await secrets.data_source(b"of tomorrow", 3)
    async with secrets.gen.transaction() as session:
        session.add(DataSource(name="open", connector_type="clickhouse", options={}))
    assert await rotated(secrets, ring(1, 2)) == Rotated(2, 0, (), 0)
    assert await secrets.versions([newer]) == [3]


@pytest.mark.parametrize("batch_rows", [1, 100])
async def test_a_missing_version_stops_no_other_row(secrets: Secrets, batch_rows: int) -> None:
    lost = [await secrets.data_source(b"lost", 1), await secrets.token(b"lost too", 1)]
    found = [await secrets.data_source(b"kept", 2), await secrets.token(b"kept too", 2)]
    done = await rotated(secrets, ring(2, 3), batch_rows)
    assert (done.resealed, {each.id for each in done.unopened}, done.left) == (2, {*lost}, 0)
    assert await secrets.versions([*lost, *found]) == [1, 1, 3, 3]
    assert isinstance(done.failure, EncryptionKeyMissing)
    assert "2 need encryption key version 1, which is not configured" in str(done.failure)
    assert (await rotated(secrets, ring(1, 3))).failure is None
    assert await secrets.versions(lost) == [3, 3]


async def test_an_altered_row_is_left_and_named(secrets: Secrets) -> None:
    altered, sound = await secrets.data_source(b"altered", 1), await secrets.data_source(b"sound", 1)
    async with secrets.gen.transaction() as session:
        await session.execute(sa.update(DataSource).where(DataSource.id == altered).values(tag=bytes(16)))
    done = await rotated(secrets, ring(1, 2))
    assert isinstance(done.failure, SecretUnreadable)
    assert str(altered) in str(done.failure)
    assert await secrets.versions([altered, sound]) == [1, 2]


async def test_stopped_it_goes_on_where_it_was(secrets: Secrets) -> None:
    rows = await several(secrets)
    second = asyncio.Event()

    def told(done: int, total: int) -> None:
        if done == 2:
            second.set()

    rotating = asyncio.create_task(rotate(secrets.gen, ring(1, 2), ledger=Ledger(), told=told, batch_rows=2))
    await second.wait()
    rotating.cancel()
    await asyncio.gather(rotating, return_exceptions=True)
    assert rotating.cancelled()
    left = sum(version == 1 for version in await secrets.versions([*rows]))
    assert 0 < left < 11
    assert (await rotated(secrets, ring(1, 2))).resealed == left
    assert {id_: ring(2).open(await secrets.sealed(id_)) for id_ in rows} == rows


async def test_a_change_under_way_is_waited_for_and_kept(secrets: Secrets) -> None:
    """Someone enters a new password while its old one is about to be sealed anew: the new one stays."""
    changed, other = await secrets.data_source(b"old", 1), await secrets.data_source(b"other", 1)
    sealed = ring(1, 2).seal(b"new")
    async with secrets.gen.transaction() as session:
        new = {"encrypted_credentials": sealed.ciphertext, "nonce": sealed.nonce, "tag": sealed.tag, "key_version": 2}
        await session.execute(sa.update(DataSource).where(DataSource.id == changed).values(new))
        rotating = asyncio.create_task(rotated(secrets, ring(1, 2)))
        await until(lambda: _waits_for_a_lock(secrets))
        assert ring(1, 2).open(await secrets.sealed(changed)) == b"old"
    assert (await rotating) == Rotated(2, 1, (), 0)
    assert ring(2).open(await secrets.sealed(changed)) == b"new"
    assert ring(2).open(await secrets.sealed(other)) == b"other"


async def _waits_for_a_lock(secrets: Secrets) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(await secrets.gen.fetch(waiting, ledger=Ledger()))


async def test_what_a_process_with_the_old_key_writes_meanwhile_is_noticed(secrets: Secrets, gen_url: str) -> None:
    """Behind the place the rotation has come to."""
    first = await secrets.data_source(b"first", 1)
    await secrets.token(b"second", 1)
    stale = ring(1).seal(b"stale")

    def told(done: int, total: int) -> None:
        if done == 1:
            with psycopg.connect(gen_url) as connection:
                connection.execute(
                    "UPDATE data_sources SET encrypted_credentials = %s, nonce = %s, tag = %s, key_version = 1",
                    (stale.ciphertext, stale.nonce, stale.tag),
                )

    done = await rotate(secrets.gen, ring(1, 2), ledger=Ledger(), told=told, batch_rows=1)
    assert (done.resealed, done.left) == (2, 1)
    assert isinstance(done.failure, Conflict)
    assert (await rotated(secrets, ring(1, 2))).failure is None
    assert ring(2).open(await secrets.sealed(first)) == b"stale"


async def test_two_rotations_at_once_share_the_work(secrets: Secrets) -> None:
    rows = await several(secrets)
    both = await asyncio.gather(*(rotated(secrets, ring(1, 2), batch_rows=2) for _ in range(2)))
    assert sum(each.resealed for each in both) == 11
    assert [each.failure for each in both] == [None, None]
    assert {id_: ring(2).open(await secrets.sealed(id_)) for id_ in rows} == rows


async def test_readers_always_open_what_they_read(secrets: Secrets) -> None:
    rows = await several(secrets)
    reading = asyncio.create_task(rotated(secrets, ring(1, 2), batch_rows=1))
    reads = 0
    while not reading.done():
        assert {id_: ring(1, 2).open(await secrets.sealed(id_)) for id_ in rows} == rows
        reads += 1
    assert reads > 1
    assert (await reading).resealed == 11


async def test_usage_is_by_table_and_version(secrets: Secrets) -> None:
    await several(secrets, 1)
    await several(secrets, 2)
    assert await key_usage(secrets.gen, ledger=Ledger()) == [
        KeyUsage("data_sources", 1, 7),
        KeyUsage("data_sources", 2, 7),
        KeyUsage("user_external_api_tokens", 1, 4),
        KeyUsage("user_external_api_tokens", 2, 4),
    ]
