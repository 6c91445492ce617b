from typing import cast
from uuid import UUID

import asyncpg
import orjson
import pytest

from loaders.errors import (
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    StoreCredentialsRejected,
    StoreUnavailable,
    Unauthenticated,
)
from loaders.gen.catalog import Registered
from loaders.ledger import Ledger
from loaders.openfga import outbox
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from loaders.stores import Stores
from loaders.tables.uuid7 import uuid7
from loaders.warehouses.data_source_rows import store_name
from resolvers.gen import data_sources, datasets
from resolvers.gen.data_sources import DataSourceCreate, DataSourceUpdate
from resolvers.gen.datasets import DatasetCreate
from resolvers.gen.granting import pending
from resolvers.permissions.guards import SignedIn
from tests.resolvers.gen.conftest import As, GenStores

SECRET = "the-Secret-of-flights"


def flights(url: str = "http://127.0.0.1:1", password: str = SECRET, name: str = "flights") -> DataSourceCreate:
    return DataSourceCreate(name, "clickhouse", {"url": url, "password": password})


async def names_of(stores: GenStores) -> list[str]:
    rows = await stores.postgres["axion_gen"].fetch("SELECT name FROM data_sources ORDER BY name", ledger=Ledger())
    return [row["name"] for row in rows]


async def only_row(stores: GenStores, table: str) -> asyncpg.Record:
    (row,) = await stores.postgres["axion_gen"].fetch(f"SELECT * FROM {table}", ledger=Ledger())
    return row


async def parents(stores: GenStores, object_: str) -> list[str]:
    found = stores.openfga.read(object_=object_, relation="parent", ledger=Ledger())
    return [tuple_.user async for tuple_ in found]


async def test_a_data_source_is_stored_with_sealed_credentials_and_a_parent(as_: As, stores: GenStores) -> None:
    made = await data_sources.create_data_source(as_("admin"), flights())
    row = await only_row(stores, "data_sources")
    assert (row["id"], row["name"]) == (made.id, made.name)
    assert orjson.loads(row["options"]) == {"url": "http://127.0.0.1:1", "database": "default", "timeout_ms": 30_000}
    assert row["encrypted_credentials"] is not None
    assert row["key_version"] == 1
    assert row["created_at"].tzinfo is not None
    whole = await stores.postgres["axion_gen"].fetch(
        "SELECT data_sources::text AS t FROM data_sources", ledger=Ledger()
    )
    assert SECRET not in whole[0]["t"]
    assert SECRET.encode().hex() not in whole[0]["t"]
    assert await parents(stores, "datasource:flights") == ["system:axion-gen"]


async def test_input_does_not_show_its_settings() -> None:
    assert SECRET not in repr(flights())


@pytest.mark.parametrize(("who", "error"), [("", Unauthenticated), ("stranger", Forbidden)])
async def test_only_admins_create(who: str, error: type[Exception], as_: As, stores: GenStores) -> None:
    with pytest.raises(error):
        await data_sources.create_data_source(as_(who), flights())
    assert await names_of(stores) == []
    assert await parents(stores, "datasource:flights") == []


async def test_a_name_is_taken_once(as_: As, stores: GenStores) -> None:
    await data_sources.create_data_source(as_("admin"), flights())
    with pytest.raises(Conflict, match="'flights' exists already"):
        await data_sources.create_data_source(as_("admin"), flights())
    assert await names_of(stores) == ["flights"]
    assert await parents(stores, "datasource:flights") == ["system:axion-gen"]


@pytest.mark.parametrize("name", ["", " x", "x ", "a\nb", "a\x00b", "x" * 300])
async def test_a_name_that_cannot_be_is_refused(name: str, as_: As, stores: GenStores) -> None:
    with pytest.raises(BadInput, match="`name`"):
        await data_sources.create_data_source(as_("admin"), flights(name=name))
    assert await names_of(stores) == []


@pytest.mark.parametrize("name", ["a:b#c*", "Flüge 100%", "datasource:x"])
async def test_an_odd_name_is_one_object(name: str, as_: As, stores: GenStores) -> None:
    row = await data_sources.create_data_source(as_("admin"), flights(name=name))
    await datasets.create_dataset(as_("admin"), DatasetCreate(row.id, "d"))
    assert await names_of(stores) == [name]


async def test_wrong_settings_leave_nothing(as_: As, stores: GenStores) -> None:
    wrong = DataSourceCreate("flights", "clickhouse", {"url": "nonsense", "password": SECRET, "colour": 1})
    with pytest.raises(BadInput, match=r"`url`.*`colour`") as caught:
        await data_sources.create_data_source(as_("admin"), wrong)
    assert SECRET not in str(caught.value)
    assert await names_of(stores) == []


async def test_a_tuple_openfga_does_not_take_now_is_delivered_later(as_: As, stores: GenStores) -> None:
    """OpenFGA goes away between the verdict and the write: the row is kept, and what it is worth is on its way."""
    context = as_("admin")
    await context.verdicts.require_admin()
    gone = await OpenFga.open(url="http://127.0.0.1:1", token=None, store="axion", timeout_ms=1_000)
    context.stores = cast(Stores, GenStores(stores.postgres, gone, stores.warehouses, stores.keyring))
    await data_sources.create_data_source(context, flights())
    await gone.close()
    assert await names_of(stores) == ["flights"]
    assert await parents(stores, "datasource:flights") == []
    assert await pending(context, ["datasource:flights"])
    await outbox.settle(stores.postgres["axion_gen"], stores.openfga, ["datasource:flights"], ledger=Ledger())
    assert await parents(stores, "datasource:flights") == ["system:axion-gen"]
    assert not await pending(context, ["datasource:flights"])


async def test_no_tuple_is_kept_when_the_commit_fails(as_: As, stores: GenStores) -> None:
    """A deferred constraint fails at the commit, after the tuple was noted."""
    gen = stores.postgres["axion_gen"]
    async with gen.transaction() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE check_violation; END $$"
        )
        await connection.exec_driver_sql(
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON data_sources DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    try:
        with pytest.raises(BadInput):
            await data_sources.create_data_source(as_("admin"), flights())
    finally:
        async with gen.transaction() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("DROP TRIGGER refuse ON data_sources")
            await connection.exec_driver_sql("DROP FUNCTION refuse")
    assert await names_of(stores) == []
    assert await parents(stores, "datasource:flights") == []


async def test_the_connection_test_says_what_is_wrong(
    as_: As, stores: GenStores, clickhouse_url: str, clickhouse_password: str
) -> None:
    down = await data_sources.create_data_source(as_("admin"), flights(name="down"))
    with pytest.raises(StoreUnavailable, match=store_name(down.id)):
        await data_sources.test_data_source(as_("admin"), down.id)
    wrong = await data_sources.create_data_source(as_("admin"), flights(clickhouse_url, name="wrong"))
    with pytest.raises(StoreCredentialsRejected, match=store_name(wrong.id)) as caught:
        await data_sources.test_data_source(as_("admin"), wrong.id)
    assert SECRET not in str(caught.value)
    up = await data_sources.create_data_source(as_("admin"), flights(clickhouse_url, clickhouse_password, "up"))
    assert (await data_sources.test_data_source(as_("admin"), up.id)).ms > 0


async def test_who_may_not_see_a_data_source_cannot_tell_that_it_is_there(as_: As, stores: GenStores) -> None:
    row = await data_sources.create_data_source(as_("admin"), flights())
    messages = set()
    for id_ in (row.id, uuid7()):
        with pytest.raises(NotFound) as caught:
            await data_sources.test_data_source(as_("stranger"), id_)
        messages.add(str(caught.value))
    assert len(messages) == 1
    with pytest.raises(NotFound):
        await data_sources.test_data_source(as_("admin"), uuid7())


async def test_who_may_see_but_not_administer_is_told_so(as_: As, stores: GenStores) -> None:
    row = await data_sources.create_data_source(as_("admin"), flights())
    await stores.openfga.write(
        [
            RelationTuple("user:*", "has_view_dataset", "role:7"),
            RelationTuple("user:viewer", "assignee", "role:7"),
            RelationTuple("role:7", "assigned_role", "datasource:flights"),
        ],
        ledger=Ledger(),
    )
    with pytest.raises(Forbidden):
        await data_sources.test_data_source(as_("viewer"), row.id)


async def make(as_: As) -> Registered:
    return await data_sources.create_data_source(as_("admin"), flights())


async def test_a_dataset_gets_its_parent(as_: As, stores: GenStores) -> None:
    source = await make(as_)
    made = await datasets.create_dataset(as_("admin"), DatasetCreate(source.id, "d", table_names=("a", "b", "a")))
    row = await only_row(stores, "datasets")
    assert (row["id"], row["name"]) == (made.id, made.name)
    assert row["table_names"] == ["a", "b"]
    assert row["created_at"].tzinfo is not None
    assert await parents(stores, f"dataset:{made.id}") == ["datasource:flights"]


async def test_a_dataset_name_is_taken_once_in_its_data_source(as_: As, stores: GenStores) -> None:
    source = await make(as_)
    await datasets.create_dataset(as_("admin"), DatasetCreate(source.id, "d"))
    with pytest.raises(Conflict, match="'d' already"):
        await datasets.create_dataset(as_("admin"), DatasetCreate(source.id, "d"))


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"remote_schema": ""}, {"table_names": ("a", "")}, {"table_names": ()}]
)
async def test_a_dataset_that_cannot_be_is_refused(wrong: dict[str, object], as_: As, stores: GenStores) -> None:
    source = await make(as_)
    values: dict[str, object] = {"data_source_id": source.id, "name": "d"} | wrong
    with pytest.raises(BadInput):
        await datasets.create_dataset(as_("admin"), DatasetCreate(**values))  # type: ignore[arg-type]  # a table of cases


@pytest.mark.parametrize("who", ["", "stranger"])
async def test_only_who_administers_the_data_source_adds_datasets(who: str, as_: As, stores: GenStores) -> None:
    source = await make(as_)
    with pytest.raises((Unauthenticated, NotFound)):
        await datasets.create_dataset(as_(who), DatasetCreate(source.id, "d"))
    rows = await stores.postgres["axion_gen"].fetch("SELECT 1 FROM datasets", ledger=Ledger())
    assert rows == []


async def test_a_group_that_does_not_exist_is_the_callers_mistake(as_: As, stores: GenStores) -> None:
    source = await make(as_)
    create, seen = DatasetCreate(source.id, "d", dataset_group_id=UUID(int=1)), {datasets.GROUPS: SignedIn("a test")}
    with pytest.raises(BadInput) as refused:
        await datasets.create_dataset(as_("admin"), create, policies=seen)
    assert refused.value.field == "datasetGroupId"


async def test_changed_settings_are_sealed_anew_and_the_old_ones_gone(as_: As, stores: GenStores) -> None:
    made = await data_sources.create_data_source(as_("admin"), flights())
    before = await only_row(stores, "data_sources")
    changed = DataSourceUpdate(
        made.id, {"url": "http://127.0.0.1:2", "password": "another-Secret"}, {"description": "Moved."}
    )
    done = await data_sources.update_data_source(as_("admin"), changed)
    assert (done.id, done.objects) == (made.id, (f"datasource:{made.name}",))
    after = await only_row(stores, "data_sources")
    assert orjson.loads(after["options"]) == {"url": "http://127.0.0.1:2", "database": "default", "timeout_ms": 30_000}
    assert (after["description"], after["name"]) == ("Moved.", "flights")
    assert after["nonce"] != before["nonce"]
    assert after["updated_at"] > before["updated_at"]
    await data_sources.update_data_source(as_("admin"), DataSourceUpdate(made.id, patch={"description": None}))
    kept = await only_row(stores, "data_sources")
    assert all(kept[name] == after[name] for name in ("options", "encrypted_credentials", "nonce", "tag"))
    assert kept["description"] is None
    with pytest.raises(BadInput, match="at least one"):
        await data_sources.update_data_source(as_("admin"), DataSourceUpdate(made.id))


WRONG = {"description": "Wrong."}


async def test_a_change_is_for_administrators_and_all_or_nothing(as_: As, stores: GenStores) -> None:
    row = await data_sources.create_data_source(as_("admin"), flights())
    with pytest.raises(NotFound):  # a hidden data source is an absent one
        await data_sources.update_data_source(as_("stranger"), DataSourceUpdate(row.id, patch={"description": "Mine."}))
    with pytest.raises(BadInput):
        await data_sources.update_data_source(as_("admin"), DataSourceUpdate(row.id, {"adress": "x"}, WRONG))
    with pytest.raises(BadInput, match="one object"):
        await data_sources.update_data_source(as_("admin"), DataSourceUpdate(row.id, cast(dict[str, object], "url=x")))
    with pytest.raises(NotFound):
        await data_sources.update_data_source(as_("admin"), DataSourceUpdate(uuid7(), patch=WRONG))
    stored = await stores.postgres["axion_gen"].fetch(
        "SELECT description, options::text FROM data_sources", ledger=Ledger()
    )
    assert stored[0]["description"] is None
    assert "127.0.0.1:1" in stored[0]["options"]
