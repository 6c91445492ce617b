"""The OpenFGA runner against a real OpenFGA and a migrated `axion_gen`."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.api import Api
from loaders.openfga.client import OpenFga
from loaders.openfga.store import find_store, newest_model
from loaders.openfga.tuples import RelationTuple
from migrations.errors import MigrationFailed, TargetInvalid
from migrations.openfga import run
from migrations.report import Report
from migrations.runner import run as migrate
from migrations.targets import Database
from tests.loaders.openfga.stores import MODEL_JSON
from tests.migrations.cluster import connection_as, dropped_afterwards, fresh_targets
from tests.ports import free_port

BUILT_IN = {
    RelationTuple("role:1#assignee", "admin", names.SYSTEM),
    *(
        RelationTuple("user:*", f"has_{flag}", "role:1")
        for flag in ("admin_datasource", "view_dataset", "view_table", "query_dataset")
    ),
    *(RelationTuple("user:*", f"has_{flag}", "role:2") for flag in ("view_dataset", "view_table")),
}


@pytest.fixture(scope="module")
def axion_gen(admin_url: str) -> Iterator[Database]:
    with dropped_afterwards(fresh_targets(admin_url)) as targets:
        migrate("roles", targets)
        migrate("axion_gen", targets)
        yield targets.databases["axion_gen"]


@pytest.fixture
def catalog(axion_gen: Database) -> Iterator[psycopg.Connection]:
    with connection_as(axion_gen.migrate, axion_gen) as connection:
        yield connection
        connection.execute("DELETE FROM public.data_sources")
        connection.execute("DELETE FROM public.openfga_model_versions")


@pytest.fixture
async def api(openfga_url: str, openfga_token: str) -> AsyncIterator[Api]:
    opened = await Api.open(url=openfga_url, token=openfga_token, timeout_ms=5_000)
    yield opened
    await opened.close()


class Runner:
    """The runner on a store name of the test's own."""

    def __init__(self, url: str, token: str, axion_gen: Database) -> None:
        self.store = f"test-{secrets.token_hex(8)}"
        self._url, self._token, self._axion_gen = url, token, axion_gen

    async def __call__(self, *, model: Path = MODEL_JSON, url: str | None = None, token: str | None = None) -> Report:
        return await run(
            url=url or self._url,
            token=token or self._token,
            store_name=self.store,
            model_json=model,
            axion_gen=self._axion_gen.url,
        )


@pytest.fixture
def runner(openfga_url: str, openfga_token: str, axion_gen: Database, catalog: psycopg.Connection) -> Runner:
    return Runner(openfga_url, openfga_token, axion_gen)


def versions(catalog: psycopg.Connection) -> list[tuple[str, str, str]]:
    rows = catalog.execute(
        "SELECT store_id, authorization_model_id, sha256 FROM public.openfga_model_versions ORDER BY id"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def add_source(catalog: psycopg.Connection, name: str, datasets: int) -> list[str]:
    """Ids of the datasets."""
    source = catalog.execute(
        "INSERT INTO public.data_sources (id, name, connector_type) VALUES (gen_random_uuid(), %s, 'clickhouse')"
        " RETURNING id",
        (name,),
    ).fetchone()
    assert source is not None
    rows = catalog.execute(
        "INSERT INTO public.datasets (id, data_source_id, name)"
        " SELECT gen_random_uuid(), %s, 'd' || n FROM generate_series(1, %s) n RETURNING id",
        (source[0], datasets),
    )
    return [str(row[0]) for row in rows]


async def stored(api: Api, runner: Runner) -> set[RelationTuple]:
    return {tuple_ async for tuple_ in OpenFga(api, runner.store).read(ledger=Ledger())}


async def test_creates_store_and_model_once(runner: Runner, catalog: psycopg.Connection, api: Api) -> None:
    report = await runner()
    built_in = f"added {len(BUILT_IN)} tuples"
    assert report.changes == (f"created store {runner.store}", "uploaded the authorization model", built_in)
    store_id = await find_store(api, runner.store, ledger=Ledger())
    assert store_id is not None
    model_id = await newest_model(api, store_id, ledger=Ledger())
    sha256 = hashlib.sha256(MODEL_JSON.read_bytes()).hexdigest()
    assert versions(catalog) == [(store_id, model_id, sha256)]
    assert (await runner()).changes == ()
    assert len(versions(catalog)) == 1


async def test_uploads_a_model_that_changed(
    runner: Runner, catalog: psycopg.Connection, api: Api, tmp_path: Path
) -> None:
    await runner()
    changed = tmp_path / "model.json"
    changed.write_bytes(MODEL_JSON.read_bytes() + b"\n")
    assert (await runner(model=changed)).changes == ("uploaded the authorization model",)
    assert (await runner(model=changed)).changes == ()
    (store_id, first, _), (_, second, sha256) = versions(catalog)
    assert first != second == await newest_model(api, store_id, ledger=Ledger())
    assert sha256 == hashlib.sha256(changed.read_bytes()).hexdigest()


async def test_uploads_again_what_openfga_does_not_have_as_newest(runner: Runner, catalog: psycopg.Connection) -> None:
    await runner()
    catalog.execute("UPDATE public.openfga_model_versions SET authorization_model_id = 'lost'")
    assert (await runner()).changes == ("uploaded the authorization model",)
    assert (await runner()).changes == ()


async def test_back_fills_parents_of_what_is_in_the_catalog(
    runner: Runner, catalog: psycopg.Connection, api: Api
) -> None:
    first = add_source(catalog, "flights", 250)
    odd = add_source(catalog, "eu west: 1", 1)
    catalog.execute(
        "INSERT INTO public.table_profile_cache (id, dataset_id, table_name, columns, refreshed_at)"
        " SELECT gen_random_uuid(), %s, name, '[]', now() FROM unnest(%s::text[]) name",
        (first[0], ["profiled", "x" * 300]),
    )
    catalog.execute("UPDATE public.datasets SET table_names = '{chosen,profiled}' WHERE id = %s", (first[0],))
    assert (await runner()).changes[-1] == f"added {255 + len(BUILT_IN)} tuples"
    expected = {
        RelationTuple(names.SYSTEM, "parent", "datasource:flights"),
        RelationTuple(names.SYSTEM, "parent", "datasource:eu%20west%3A%201"),
        *(RelationTuple("datasource:flights", "parent", f"dataset:{guid}") for guid in first),
        RelationTuple("datasource:eu%20west%3A%201", "parent", f"dataset:{odd[0]}"),
        RelationTuple(f"dataset:{first[0]}", "parent", f"table:{first[0]}/profiled"),
        RelationTuple(f"dataset:{first[0]}", "parent", f"table:{first[0]}/chosen"),
        *BUILT_IN,
    }
    assert await stored(api, runner) == expected
    assert (await runner()).changes == ()
    add_source(catalog, "later", 0)
    assert (await runner()).changes == ("added 1 tuples",)


async def test_two_runners_at_once_do_it_once(runner: Runner, catalog: psycopg.Connection) -> None:
    reports = await asyncio.gather(runner(), runner())
    assert sorted(len(report.changes) for report in reports) == [0, 3]
    assert len(versions(catalog)) == 1


async def test_openfga_down_fails_and_records_nothing(runner: Runner, catalog: psycopg.Connection) -> None:
    with pytest.raises(MigrationFailed, match="OpenFGA cannot be reached"):
        await runner(url=f"http://127.0.0.1:{free_port()}")
    assert versions(catalog) == []


async def test_a_wrong_token_fails_without_showing_it(runner: Runner, catalog: psycopg.Connection) -> None:
    with pytest.raises(MigrationFailed, match="token is valid") as caught:
        await runner(token="wrong-secret-token")
    assert "wrong-secret-token" not in str(caught.value)
    assert versions(catalog) == []


async def test_a_model_openfga_does_not_take_is_not_recorded(
    runner: Runner, catalog: psycopg.Connection, tmp_path: Path
) -> None:
    bad = tmp_path / "model.json"
    bad.write_text('{"schema_version": "1.1", "type_definitions": [{"type": "a"}, {"type": "a"}]}')
    with pytest.raises(MigrationFailed, match="HTTP 400"):
        await runner(model=bad)
    assert versions(catalog) == []


@pytest.mark.parametrize("content", [None, "", "{"])
async def test_a_model_that_cannot_be_read(runner: Runner, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "model.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TargetInvalid, match=r"model\.json cannot be read"):
        await runner(model=path)
