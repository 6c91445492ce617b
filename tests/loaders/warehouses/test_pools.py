"""Warehouses follow the rows of their data sources. Servers are real, or nothing listens; the tests control
the clock.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import pytest
import sqlalchemy as sa

from loaders.errors import (
    BadInput,
    EncryptionKeyMissing,
    NotFound,
    SecretUnreadable,
    StoreCredentialsRejected,
    StoreUnavailable,
)
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring
from loaders.tables.axion_gen.catalog import DataSource
from loaders.tables.uuid7 import uuid7
from loaders.warehouses.connectors import connector
from loaders.warehouses.data_source_rows import store_name
from loaders.warehouses.pools import Warehouses
from tests.waiting import until

NOBODY_LISTENS = "http://127.0.0.1:1"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def warehouses(gen: Postgres, keyring: Keyring, clock: Clock) -> AsyncIterator[Warehouses]:
    made = Warehouses(gen, keyring, max_open=2, idle_s=60, concurrency=4, clock=clock)
    yield made
    await made.close()


async def add(gen: Postgres, keyring: Keyring, name: str, url: str, password: str = "secret") -> UUID:
    options, credentials = connector("clickhouse").split({"url": url, "password": password})
    sealed = keyring.seal(credentials.to_bytes())
    row = DataSource(
        id=uuid7(),
        name=name,
        connector_type="clickhouse",
        options=options.model_dump(mode="json"),
        encrypted_credentials=sealed.ciphertext,
        nonce=sealed.nonce,
        tag=sealed.tag,
        key_version=sealed.key_version,
    )
    async with gen.transaction() as session:
        session.add(row)
    return row.id


async def change(gen: Postgres, id_: UUID, **values: object) -> None:
    async with gen.transaction() as session:
        await session.execute(sa.update(DataSource).where(DataSource.id == id_).values(**values))


async def test_opening_dials_nothing_and_is_reused(gen: Postgres, keyring: Keyring, warehouses: Warehouses) -> None:
    id_ = await add(gen, keyring, "down", NOBODY_LISTENS)
    ledger = Ledger()
    first = await warehouses.open(id_, ledger=ledger)
    assert await warehouses.open(id_, ledger=ledger) is first
    assert warehouses.opened[store_name(id_)] is first
    assert set(ledger.stores) == {"axion_gen"}


async def test_many_who_ask_at_once_share_one_query(gen: Postgres, keyring: Keyring, warehouses: Warehouses) -> None:
    id_ = await add(gen, keyring, "down", NOBODY_LISTENS)
    ledger = Ledger()
    opened = await asyncio.gather(*(warehouses.open(id_, ledger=ledger) for _ in range(50)))
    assert len({id(warehouse) for warehouse in opened}) == 1
    assert ledger.stores["axion_gen"].statements == 1


async def test_many_sources_asked_for_at_once_share_one_query(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses
) -> None:
    ids = [await add(gen, keyring, f"down{i}", NOBODY_LISTENS) for i in range(2)]
    broken = await add(gen, keyring, "broken", NOBODY_LISTENS)
    await change(gen, broken, connector_type="oracle")
    ledger = Ledger()
    asked = (*ids, broken, uuid7(), *ids)
    opened = await asyncio.gather(*(warehouses.open(id_, ledger=ledger) for id_ in asked), return_exceptions=True)
    assert ledger.stores["axion_gen"].statements == 1
    assert [type(answer) for answer in opened[2:4]] == [BadInput, NotFound]
    assert [getattr(answer, "store", None) for answer in opened[:2]] == [store_name(id_) for id_ in ids]
    assert opened[4:] == opened[:2]


async def test_one_who_gives_up_does_not_stop_the_others(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses
) -> None:
    id_ = await add(gen, keyring, "down", NOBODY_LISTENS)
    first, second = (asyncio.create_task(warehouses.open(id_, ledger=Ledger())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).store == store_name(id_)


async def test_a_changed_row_gives_a_new_warehouse(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses, clock: Clock
) -> None:
    id_ = await add(gen, keyring, "moved", NOBODY_LISTENS)
    first = await warehouses.open(id_, ledger=Ledger())
    await change(gen, id_, options={"url": "http://127.0.0.1:2"})
    assert await warehouses.open(id_, ledger=Ledger()) is first
    clock.now += 1
    second = await warehouses.open(id_, ledger=Ledger())
    assert second is not first
    await change(gen, id_, name="renamed")
    warehouses.forget(id_)
    third = await warehouses.open(id_, ledger=Ledger())
    assert third is not second
    assert dict(warehouses.opened) == {store_name(id_): third}


async def test_a_row_read_again_unchanged_keeps_the_warehouse(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses, clock: Clock
) -> None:
    id_ = await add(gen, keyring, "same", NOBODY_LISTENS)
    first = await warehouses.open(id_, ledger=Ledger())
    clock.now += 5
    assert await warehouses.open(id_, ledger=Ledger()) is first


async def test_a_deleted_row_closes_its_warehouse(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses, clock: Clock
) -> None:
    id_ = await add(gen, keyring, "deleted", NOBODY_LISTENS)
    await warehouses.open(id_, ledger=Ledger())
    async with gen.transaction() as session:
        await session.execute(sa.delete(DataSource).where(DataSource.id == id_))
    clock.now += 1
    with pytest.raises(NotFound):
        await warehouses.open(id_, ledger=Ledger())
    assert dict(warehouses.opened) == {}


@pytest.mark.parametrize("how", ["changed", "deleted"])
async def test_what_another_process_does_closes_it_unasked(gen: Postgres, keyring: Keyring, how: str) -> None:
    warehouses = Warehouses(gen, keyring, check_s=0.01)
    ids = {name: await add(gen, keyring, name, NOBODY_LISTENS) for name in ("kept", "other")}
    for id_ in ids.values():
        await warehouses.open(id_, ledger=Ledger())
    if how == "changed":
        await change(gen, ids["other"], options={"url": "http://127.0.0.1:2"})
    else:
        async with gen.transaction() as session:
            await session.execute(sa.delete(DataSource).where(DataSource.id == ids["other"]))
    await until(lambda: set(warehouses.opened) == {store_name(ids["kept"])})
    await warehouses.close()


async def test_the_longest_unused_is_closed_for_room(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses, clock: Clock
) -> None:
    ids = [await add(gen, keyring, f"s{number}", NOBODY_LISTENS) for number in range(3)]
    for id_ in ids:
        clock.now += 0.1
        await warehouses.open(id_, ledger=Ledger())
    assert set(warehouses.opened) == {store_name(id_) for id_ in ids[1:]}


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of a server that takes connections and never answers, and whether one came."""
    came = asyncio.Event()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(met, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", came


async def gone(task: asyncio.Task[object]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, StoreUnavailable):
        await task


async def test_the_one_just_opened_is_not_closed_for_room(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses
) -> None:
    async with silent() as (url, came):
        asking: list[asyncio.Task[object]] = []
        for number in range(2):
            came.clear()
            busy = await warehouses.open(await add(gen, keyring, f"busy{number}", url), ledger=Ledger())
            asking.append(asyncio.create_task(busy.list_tables(ledger=Ledger())))
            await came.wait()
        id_ = await add(gen, keyring, "opened", NOBODY_LISTENS)
        opened = await warehouses.open(id_, ledger=Ledger())
        assert warehouses.opened.get(store_name(id_)) is opened
        for task in asking:
            await gone(task)


async def test_use_by_who_kept_one_counts(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses, clock: Clock
) -> None:
    ids = [await add(gen, keyring, f"s{number}", NOBODY_LISTENS) for number in range(3)]
    kept = await warehouses.open(ids[0], ledger=Ledger())
    clock.now += 0.1
    await warehouses.open(ids[1], ledger=Ledger())
    clock.now += 0.1
    with pytest.raises(StoreUnavailable):
        await kept.list_tables(ledger=Ledger())
    await warehouses.open(ids[2], ledger=Ledger())
    assert set(warehouses.opened) == {store_name(ids[0]), store_name(ids[2])}


async def test_one_that_was_changed_is_no_longer_asked_by_who_kept_it(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses, clickhouse_url: str, clickhouse_password: str
) -> None:
    id_ = await add(gen, keyring, "moved", clickhouse_url, clickhouse_password)
    kept = await warehouses.open(id_, ledger=Ledger())
    await kept.list_tables(ledger=Ledger())
    await change(gen, id_, name="renamed")
    warehouses.forget(id_)
    await warehouses.open(id_, ledger=Ledger())
    await asyncio.sleep(0)  # the turn of what retires it
    for asked in (kept.list_tables(ledger=Ledger()), kept.ping(ledger=Ledger())):
        with pytest.raises(StoreUnavailable, match=r"was changed while it was read\. Try again"):
            await asked


async def test_a_test_of_the_connection_is_not_cut_off(gen: Postgres, keyring: Keyring, warehouses: Warehouses) -> None:
    async with silent() as (url, came):
        warehouse = await warehouses.open(await add(gen, keyring, "silent", url), ledger=Ledger())
        ping: asyncio.Task[object] = asyncio.create_task(warehouse.ping(ledger=Ledger()))
        await came.wait()
        assert warehouse.active == 1
        await gone(ping)
        assert warehouse.active == 0


async def test_one_that_was_dropped_a_moment_ago_is_closed_with_the_others(gen: Postgres, keyring: Keyring) -> None:
    warehouses = Warehouses(gen, keyring)
    settings = {"endpoint": NOBODY_LISTENS, "bucket": "abc", "access_key": "a", "secret_key": "b"}
    options, credentials = connector("s3_parquet").split(settings)
    sealed = keyring.seal(credentials.to_bytes())
    id_ = await add(gen, keyring, "files", NOBODY_LISTENS)
    await change(
        gen,
        id_,
        connector_type="s3_parquet",
        options=options.model_dump(mode="json"),
        encrypted_credentials=sealed.ciphertext,
        nonce=sealed.nonce,
        tag=sealed.tag,
    )
    kept = await warehouses.open(id_, ledger=Ledger())
    with pytest.raises(StoreUnavailable):
        await kept.list_tables(ledger=Ledger())
    await change(gen, id_, name="renamed")
    warehouses.forget(id_)
    await warehouses.open(id_, ledger=Ledger())
    await warehouses.close()
    await until(lambda: not any(each.name.startswith(f"{kept.store}_") for each in threading.enumerate()))


async def test_a_server_that_is_down_is_dialed_a_few_times_only(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses, clock: Clock
) -> None:
    id_ = await add(gen, keyring, "down", NOBODY_LISTENS)
    warehouse = await warehouses.open(id_, ledger=Ledger())
    ledger = Ledger()
    calls = (warehouse.list_tables(ledger=ledger) for _ in range(100))
    failures = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(failure) for failure in failures} == {StoreUnavailable}
    assert ledger.stores[store_name(id_)].statements <= 4
    clock.now += 3
    after = Ledger()
    with pytest.raises(StoreUnavailable):
        await warehouse.list_tables(ledger=after)
    assert after.stores[store_name(id_)].statements == 1


async def test_new_credentials_count_at_once(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses, clickhouse_url: str, clickhouse_password: str
) -> None:
    id_ = await add(gen, keyring, "rotated", clickhouse_url, "not the password")
    warehouse = await warehouses.open(id_, ledger=Ledger())
    with pytest.raises(StoreCredentialsRejected):
        await warehouse.list_tables(ledger=Ledger())
    _, credentials = connector("clickhouse").split({"url": clickhouse_url, "password": clickhouse_password})
    sealed = keyring.seal(credentials.to_bytes())
    await change(gen, id_, encrypted_credentials=sealed.ciphertext, nonce=sealed.nonce, tag=sealed.tag)
    warehouses.forget(id_)
    again = await warehouses.open(id_, ledger=Ledger())
    await again.list_tables(ledger=Ledger())


async def test_one_that_is_down_disturbs_no_other(
    gen: Postgres, keyring: Keyring, warehouses: Warehouses, clickhouse_url: str, clickhouse_password: str
) -> None:
    down = await warehouses.open(await add(gen, keyring, "down", NOBODY_LISTENS), ledger=Ledger())
    up = await warehouses.open(await add(gen, keyring, "up", clickhouse_url, clickhouse_password), ledger=Ledger())
    failed, listed = await asyncio.gather(
        down.list_tables(ledger=Ledger()), up.list_tables("system", ledger=Ledger()), return_exceptions=True
    )
    assert isinstance(failed, StoreUnavailable)
    assert isinstance(listed, list)
    assert "one" in {table.name for table in listed}


async def test_a_key_that_is_gone_is_named(gen: Postgres, keyring: Keyring, warehouses: Warehouses) -> None:
    id_ = await add(gen, keyring, "old", NOBODY_LISTENS)
    await change(gen, id_, key_version=9)
    with pytest.raises(EncryptionKeyMissing, match="version 9"):
        await warehouses.open(id_, ledger=Ledger())


async def test_an_altered_row_is_refused(gen: Postgres, keyring: Keyring, warehouses: Warehouses) -> None:
    id_ = await add(gen, keyring, "altered", NOBODY_LISTENS)
    await change(gen, id_, encrypted_credentials=b"x" * 40)
    with pytest.raises(SecretUnreadable):
        await warehouses.open(id_, ledger=Ledger())


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"connector_type": "oracle"}, "no such connector"), ({"options": {"colour": 1}}, "`url` is missing")],
)
async def test_a_row_its_connector_does_not_take(
    values: dict[str, object], reason: str, gen: Postgres, keyring: Keyring, warehouses: Warehouses
) -> None:
    id_ = await add(gen, keyring, "broken", NOBODY_LISTENS)
    await change(gen, id_, **values)
    with pytest.raises(BadInput, match=reason):
        await warehouses.open(id_, ledger=Ledger())
