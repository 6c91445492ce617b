"""Rows made, changed and deleted, over a table of every column kind: what is done, and that a refusal changes nothing.

The names the input has for columns are the columns' in capitals here (`TARGET.names`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
import sqlalchemy as sa

from loaders.errors import (
    AxionError,
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    StoreError,
    StoreUnavailable,
    Unauthenticated,
)
from loaders.secrets.keyring import Keyring
from resolvers.idempotency import Asked
from resolvers.writes import Create, Delete, Update, create, delete, update
from tests.resolvers.written_database import (
    ENCRYPTION_KEYS,
    KEYRING,
    OURS,
    POLICIES,
    SHARED,
    STORE,
    TARGET,
    THEIRS,
    World,
)

Attempt: TypeAlias = Callable[[], Awaitable[object]]

NOWHERE = UUID(int=7)
POINT = '{"type":"Point","coordinates":[6.1,46.2,400.5]}'
LINE = '{"type":"LineString","coordinates":[[6,46],[7,47]]}'
AREA = '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}'


def asked(mutation: str, given: object, alias: str | None = None) -> Asked:
    return Asked(mutation, alias or mutation, given)


async def made(world: World, *, user: str = "admin", key: str | None = None, alias: str = "", **values: Any) -> Any:
    values = {"organization_id": OURS, "name": "a thing"} | values
    write = Create(asked("thingCreate", values, alias), values)
    ((id_),) = await create(world.as_(user, key=key), TARGET, write, POLICIES)
    return id_


async def changed(
    world: World,
    id_: object,
    *,
    user: str = "admin",
    expected: datetime | None = None,
    key: str | None = None,
    **patch: Any,
) -> Any:
    write = Update(asked("thingUpdate", [id_, expected, patch]), (id_,), patch, expected)
    return await update(world.as_(user, key=key), TARGET, write, POLICIES)


async def deleted(world: World, id_: object, *, user: str = "admin", key: str | None = None) -> Any:
    return await delete(world.as_(user, key=key), TARGET, Delete(asked("thingDelete", id_), (id_,)), POLICIES)


async def stored(world: World, id_: object, column: str) -> Any:
    return await world.direct.fetchval(f"SELECT {column} FROM things WHERE id = $1", id_)


# --- values -----------------------------------------------------------------------------------------------------------

VALUES: dict[str, tuple[Any, str, Any]] = {
    "organization_id": (SHARED, "organization_id", SHARED),
    "name": ("Zoë \U0001f6a7 '%s", "name", "Zoë \U0001f6a7 '%s"),
    "status": ("closed", "status", "closed"),
    "small": (-32768, "small", -32768),
    "big": (2**63 - 1, "big", 2**63 - 1),
    "amount": (Decimal("1e-30"), "amount", Decimal("1e-30")),
    "price": (Decimal("999.99"), "price", Decimal("999.99")),
    "ratio": (0.1, "ratio", 0.1),
    "flag": (False, "flag", False),
    "day": (date(2026, 2, 28), "day", date(2026, 2, 28)),
    "at": (
        datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        "at",
        datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    ),
    "data": ({"a": [1, None, "é"], "b": 1.5}, "data->'a'->>2", "é"),
    "tags": (["x", "", 'y"'], "tags", ["x", "", 'y"']),
    "raw": (b"\x00\xff", "raw", b"\x00\xff"),
    "spot": (POINT, "ST_AsEWKT(spot)", "SRID=4326;POINT(6.1 46.2 400.5)"),
    "line": (LINE, "ST_AsEWKT(line)", "SRID=4326;LINESTRING(6 46,7 47)"),
    "area": (AREA, "ST_AsEWKT(area)", "SRID=4326;POLYGON((0 0,1 0,1 1,0 0))"),
    "shape": (AREA, "ST_AsEWKT(shape)", "SRID=4326;POLYGON((0 0,1 0,1 1,0 0))"),
    "embedding": ([1.0, -0.5, 1e-7], "embedding::text", "[1,-0.5,1e-07]"),
}


@pytest.mark.parametrize("column", VALUES)
async def test_every_kind_is_written(world: World, column: str) -> None:
    value, expression, expected = VALUES[column]
    id_ = await made(world, **{column: value})
    assert await stored(world, id_, expression) == expected


@pytest.mark.parametrize("column", VALUES)
async def test_every_kind_is_changed(world: World, column: str) -> None:
    value, expression, expected = VALUES[column]
    id_ = await made(world)
    await changed(world, id_, **{column: value})
    assert await stored(world, id_, expression) == expected


async def test_what_is_left_out_gets_the_default(world: World) -> None:
    assert await stored(world, await made(world), "status") == "open"


async def test_absent_stays_and_null_becomes_null(world: World) -> None:
    given: dict[str, Any] = {"flag": True, "data": {"a": 1}, "tags": ["x"], "spot": POINT, "big": 5}
    id_ = await made(world, **given)
    await changed(world, id_, name="new")
    columns = "flag, data::text, tags, ST_AsText(spot), big, name"
    (row,) = await world.direct.fetch(f"SELECT {columns} FROM things WHERE id = $1", id_)
    assert tuple(row) == (True, '{"a": 1}', ["x"], "POINT Z (6.1 46.2 400.5)", 5, "new")
    nulls: dict[str, Any] = dict.fromkeys(given)
    await changed(world, id_, **nulls)
    (row,) = await world.direct.fetch(f"SELECT {columns} FROM things WHERE id = $1", id_)
    assert tuple(row) == (None, None, None, None, None, "new")


def nested(levels: int) -> Any:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


REFUSED: dict[str, tuple[dict[str, Any], type[AxionError], str]] = {
    "null name": ({"name": None}, BadInput, "NAME"),
    "long name": ({"name": "x" * 21}, BadInput, "NAME"),
    "taken name": ({"name": "taken"}, Conflict, "NAME"),
    "U+0000": ({"name": "a\x00"}, BadInput, "NAME"),
    "half a pair": ({"name": "a\ud800"}, BadInput, "NAME"),
    "U+0000 in JSON": ({"data": {"a": ["\x00"]}}, BadInput, "DATA"),
    "half a pair as a key": ({"data": {"\udfff": 1}}, BadInput, "DATA"),
    "deep": ({"data": nested(100)}, BadInput, "DATA"),
    "too deep for the stack": ({"data": nested(100_000)}, BadInput, "DATA"),
    "U+0000 in a list": ({"tags": ["a\x00"]}, BadInput, "TAGS"),
    "status": ({"status": "ajar"}, BadInput, "STATUS"),
    "null status": ({"status": None}, BadInput, "STATUS"),
    "check of two columns": ({"big": -1, "small": -1}, BadInput, "BIG"),
    "small": ({"small": 32768}, BadInput, "SMALL"),
    "no such parent": ({"parent_id": NOWHERE}, BadInput, "PARENT_ID"),
    "no such organization": ({"organization_id": 99}, BadInput, "ORGANIZATION_ID"),
    "hidden organization": ({"organization_id": THEIRS}, BadInput, "ORGANIZATION_ID"),
    "null organization": ({"organization_id": None}, BadInput, "ORGANIZATION_ID"),
    "two dimensions": ({"spot": '{"type":"Point","coordinates":[1,2]}'}, BadInput, "SPOT"),
    "four dimensions": ({"spot": '{"type":"Point","coordinates":[1,2,3,4]}'}, BadInput, "SPOT"),
    "three dimensions": ({"line": '{"type":"LineString","coordinates":[[1,2,3],[2,3,4]]}'}, BadInput, "LINE"),
    "another geometry": ({"spot": LINE}, BadInput, "SPOT"),
    "no position": ({"spot": '{"type":"Point"}'}, BadInput, "SPOT"),
    "text as position": ({"spot": '{"type":"Point","coordinates":["1",2,3]}'}, BadInput, "SPOT"),
    "true as position": ({"spot": '{"type":"Point","coordinates":[true,2,3]}'}, BadInput, "SPOT"),
    "flat line": ({"line": '{"type":"LineString","coordinates":[1,2]}'}, BadInput, "LINE"),
    "one position": ({"line": '{"type":"LineString","coordinates":[[1,2]]}'}, BadInput, "LINE"),
    "open ring": ({"area": '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}'}, BadInput, "AREA"),
    "no ring": ({"area": '{"type":"Polygon","coordinates":[]}'}, BadInput, "AREA"),
    "north of the pole": ({"spot": '{"type":"Point","coordinates":[0,90.1,0]}'}, BadInput, "SPOT"),
    "lower case": ({"spot": POINT.replace("Point", "point")}, BadInput, "SPOT"),
    "a collection": ({"shape": '{"type":"GeometryCollection","geometries":[]}'}, BadInput, "SHAPE"),
    "beyond float4": ({"embedding": [1e39, 0.0, 0.0]}, BadInput, "EMBEDDING"),
    "too many digits": ({"price": Decimal("999.995")}, BadInput, "PRICE"),
    "dimensions": ({"embedding": [1.0, 2.0]}, BadInput, "EMBEDDING"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_stored_names_its_field(world: World, case: str) -> None:
    values, kind, field = REFUSED[case]
    await made(world, name="taken")
    id_ = await made(world, name="mine")
    before = await world.everything()
    attempts: list[Attempt] = [lambda: made(world, **values), lambda: changed(world, id_, **values)]
    for attempt in attempts:
        with pytest.raises(BadInput) as refused:
            await attempt()
        assert (type(refused.value), refused.value.field) == (kind, field)
        assert field.lower() not in str(refused.value)
    assert await world.everything() == before


async def test_a_hidden_reference_answers_as_one_that_is_not_there(world: World) -> None:
    theirs = await made(world, user="stranger", organization_id=THEIRS)
    said = []
    for values in ({"parent_id": theirs}, {"parent_id": NOWHERE}):
        with pytest.raises(BadInput) as refused:
            await made(world, **values)
        said.append((str(refused.value), refused.value.field))
    assert said[0] == said[1]


async def test_json_is_written_to_the_depth_that_is_allowed(world: World) -> None:
    assert orjson.loads(await stored(world, await made(world, data=nested(99)), "data::text")) == nested(99)


async def test_crs_of_geojson_is_not_heard(world: World) -> None:
    other = orjson.loads(POINT) | {"crs": {"type": "name", "properties": {"name": "EPSG:3857"}}}
    assert await stored(world, await made(world, spot=orjson.dumps(other).decode()), "ST_SRID(spot)") == 4326


async def test_an_empty_patch_is_refused(world: World) -> None:
    id_ = await made(world)
    before = await world.everything()
    with pytest.raises(BadInput) as refused:
        await changed(world, id_)
    assert refused.value.field == "patch"
    assert await world.everything() == before


async def test_a_row_that_others_refer_to_is_not_deleted(world: World) -> None:
    id_ = await made(world)
    await made(world, name="child", parent_id=id_)
    before = await world.everything()
    with pytest.raises(Conflict, match="still refer"):
        await deleted(world, id_)
    assert await world.everything() == before


async def test_a_row_is_deleted(world: World) -> None:
    id_ = await made(world)
    other = await made(world, name="other")
    assert await deleted(world, id_) == (id_,)
    assert [row["id"] for row in await world.direct.fetch("SELECT id FROM things")] == [other]


# --- permissions ------------------------------------------------------------------------------------------------------

DENIED = {"": Unauthenticated, "member": Forbidden, "stranger": NotFound, "nobody": NotFound}


@pytest.mark.parametrize("user", DENIED)
async def test_who_may_not_write_changes_nothing(world: World, user: str) -> None:
    id_ = await made(world)
    before = await world.everything()
    attempts: list[Attempt] = [
        lambda: changed(world, id_, user=user, name="x"),
        lambda: deleted(world, id_, user=user),
    ]
    for attempt in attempts:
        with pytest.raises(DENIED[user]):
            await attempt()
    assert await world.everything() == before


@pytest.mark.parametrize(
    ("user", "error"), [("", Unauthenticated), ("member", Forbidden), ("stranger", BadInput), ("nobody", BadInput)]
)
async def test_who_may_not_make_makes_nothing(world: World, user: str, error: type[AxionError]) -> None:
    before = await world.everything()
    with pytest.raises(error):
        await made(world, user=user)
    assert await world.everything() == before


async def test_a_hidden_row_answers_as_one_that_is_not_there(world: World) -> None:
    id_ = await made(world)
    said = []
    for each in (id_, NOWHERE):
        with pytest.raises(NotFound) as absent:
            await changed(world, each, user="stranger", name="x")
        said.append(str(absent.value))
        with pytest.raises(NotFound) as absent:
            await deleted(world, each, user="stranger")
        said.append(str(absent.value))
    assert len(set(said)) == 1


async def test_the_new_value_is_guarded_too(world: World) -> None:
    """`half` administers the first organization and sees the second."""
    id_ = await made(world, user="half")
    before = await world.everything()
    with pytest.raises(Forbidden):
        await changed(world, id_, user="half", organization_id=SHARED)
    assert await world.everything() == before
    await changed(world, id_, user="admin", organization_id=SHARED)
    with pytest.raises(Forbidden):
        await changed(world, id_, user="half", organization_id=OURS)
    assert await stored(world, id_, "organization_id") == SHARED


async def test_system_admins_may_write_everywhere(world: World) -> None:
    id_ = await made(world, user="root", organization_id=THEIRS)
    await changed(world, id_, user="root", organization_id=OURS)
    assert await stored(world, id_, "organization_id") == OURS
    await deleted(world, id_, user="root")


# --- concurrency ------------------------------------------------------------------------------------------------------


async def test_a_change_since_it_was_read_is_a_conflict(world: World) -> None:
    id_ = await made(world)
    read = await stored(world, id_, "updated_at")
    await changed(world, id_, expected=read, name="first")
    before = await world.everything()
    with pytest.raises(Conflict) as stale:
        await changed(world, id_, expected=read, name="second")
    assert stale.value.field == "expectedUpdatedAt"
    assert await world.everything() == before
    await changed(world, id_, expected=await stored(world, id_, "updated_at"), name="second")
    assert await stored(world, id_, "name") == "second"


async def test_of_two_changes_of_what_was_read_exactly_one_wins(world: World) -> None:
    id_ = await made(world)
    read = await stored(world, id_, "updated_at")
    names = [f"name {number}" for number in range(4)]
    results = await asyncio.gather(
        *(changed(world, id_, expected=read, name=name) for name in names), return_exceptions=True
    )
    won = [name for name, result in zip(names, results, strict=True) if result == (id_,)]
    assert len(won) == 1
    assert sum(isinstance(result, Conflict) for result in results) == len(names) - 1
    assert await stored(world, id_, "name") == won[0]


async def test_updated_at_rises_when_the_clock_is_behind(world: World) -> None:
    id_ = await made(world)
    ahead = datetime.now(UTC) + timedelta(days=1)
    await world.direct.execute("UPDATE things SET updated_at = $1", ahead)
    await changed(world, id_, name="x")
    assert await stored(world, id_, "updated_at") == ahead + timedelta(microseconds=1)


# --- idempotency ------------------------------------------------------------------------------------------------------


async def test_a_retry_returns_the_first_answer(world: World) -> None:
    first = await made(world, key="k")
    before = await world.everything()
    assert await made(world, key="k") == first
    assert await world.everything() == before


async def test_a_retried_delete_and_update(world: World) -> None:
    id_ = await made(world)
    read = await stored(world, id_, "updated_at")
    for _ in range(2):
        assert await changed(world, id_, expected=read, name="x", key="u") == (id_,)
    for _ in range(2):
        assert await deleted(world, id_, key="d") == (id_,)


async def test_another_input_under_the_same_key_is_a_conflict(world: World) -> None:
    await made(world, key="k")
    before = await world.everything()
    with pytest.raises(Conflict, match="Idempotency-Key"):
        await made(world, key="k", name="another")
    with pytest.raises(Conflict, match="Idempotency-Key"):
        await made(world, key="k", flag=None)  # null is not the same as left out
    assert await world.everything() == before


async def test_what_is_kept_of_an_input_is_nothing_to_guess_by(world: World) -> None:
    """And it is known again after the encryption keys were rotated."""
    first = await made(world, key="k", name="a password")
    values = {"organization_id": OURS, "name": "a password"}
    (kept,) = await world.direct.fetch("SELECT input_sha256 FROM public.idempotency_keys")
    message = asked("thingCreate", values).message
    assert kept["input_sha256"] == KEYRING.fingerprint(message) != sha256(message).hexdigest()
    rotated = world.as_("admin", key="k", keyring=Keyring(ENCRYPTION_KEYS, current_version=2))
    write = Create(asked("thingCreate", values, ""), values)
    assert await create(rotated, TARGET, write, POLICIES) == (first,)


async def test_keys_are_the_callers_own(world: World) -> None:
    first = await made(world, key="k")
    assert await made(world, user="root", key="k", name="of another user") != first
    assert await made(world, key="k", alias="second", name="of another field") != first


async def test_a_failure_is_not_remembered(world: World) -> None:
    with pytest.raises(BadInput):
        await made(world, key="k", parent_id=NOWHERE)
    assert await world.direct.fetchval("SELECT count(*) FROM idempotency_keys") == 0
    assert await made(world, key="k", name="mended")


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ", "a\nb"])
async def test_keys_that_are_none(world: World, key: str) -> None:
    before = await world.everything()
    with pytest.raises(BadInput, match="Idempotency-Key"):
        await made(world, key=key)
    assert await world.everything() == before


async def test_of_retries_at_once_one_does_the_work(world: World) -> None:
    ids = await asyncio.gather(*(made(world, key="k") for _ in range(5)))
    assert len(set(ids)) == 1
    assert await world.direct.fetchval("SELECT count(*) FROM things") == 1


async def test_a_crash_between_leaves_nothing_and_the_retry_does_the_work(world: World) -> None:
    """The mutation has written its key and waits in front of its row when its connection is killed."""
    blocker = await asyncpg.connect(world.urls.admin)
    try:
        async with _holding(blocker, "LOCK TABLE things IN SHARE ROW EXCLUSIVE MODE"):
            running = asyncio.create_task(made(world, key="k"))
            pid = await _waiting(world)
            await world.direct.execute("SELECT pg_terminate_backend($1)", pid)
            with pytest.raises(StoreError):
                await running
            assert await world.direct.fetchval("SELECT count(*) FROM idempotency_keys") == 0
        id_ = await made(world, key="k")
        assert await made(world, key="k") == id_
        assert await world.direct.fetchval("SELECT count(*) FROM things") == 1
    finally:
        await blocker.close()


async def test_a_retry_waits_for_the_first_and_does_the_work_when_it_fails(world: World) -> None:
    blocker = await asyncpg.connect(world.urls.admin)
    try:
        async with _holding(blocker, "LOCK TABLE things IN SHARE ROW EXCLUSIVE MODE"):
            first = asyncio.create_task(made(world, key="k"))
            pid = await _waiting(world)
            second = asyncio.create_task(made(world, key="k"))
            assert await _waiting(world, besides=pid)
            await world.direct.execute("SELECT pg_terminate_backend($1)", pid)
            with pytest.raises(StoreError):
                await first
        id_ = await second
        assert [row["id"] for row in await world.direct.fetch("SELECT id FROM things")] == [id_]
    finally:
        await blocker.close()


async def test_with_no_connection_left_the_store_is_unavailable(world: World) -> None:
    """Five write at once; who waits longer than for a connection is told to try again."""
    async with AsyncExitStack() as stack:
        for _ in range(5):
            session = await stack.enter_async_context(world.postgres.transaction())
            await session.execute(sa.text("SELECT 1"))
        with pytest.raises(StoreUnavailable):
            await made(world)
    assert await made(world)


async def test_keys_are_forgotten_after_a_day(world: World) -> None:
    first = await made(world, key="k")
    await made(world, key="old", name="old")
    await world.direct.execute("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")
    assert await made(world, key="k", name="new") != first
    assert await world.direct.fetchval("SELECT array_agg(key) FROM idempotency_keys") == ["k"]


async def test_statements_are_in_the_ledger_and_none_is_per_column(world: World) -> None:
    """One per reference, the row itself, and three for the key."""
    id_ = await made(world)
    plain, keyed = world.as_("admin"), world.as_("admin", key="k")
    for context in (plain, keyed):
        values = {"organization_id": OURS, "parent_id": id_, "name": str(uuid4())[:20], "big": 1, "flag": True}
        await create(context, TARGET, Create(asked("thingCreate", values), values), POLICIES)
    assert [context.ledger.stores[STORE].statements for context in (plain, keyed)] == [3, 6]


def _holding(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> Any:
    class Holding:
        async def __aenter__(self) -> None:
            await connection.execute("BEGIN")
            await connection.execute(statement)

        async def __aexit__(self, *_: object) -> None:
            await connection.execute("ROLLBACK")

    return Holding()


async def _waiting(world: World, *, besides: int = 0) -> int:
    """The backend that waits for a lock in this database, as soon as there is one."""
    async with asyncio.timeout(20):
        while True:
            pid: int | None = await world.direct.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                " AND pid <> $1 LIMIT 1",
                besides,
            )
            if pid is not None:
                return pid
            await asyncio.sleep(0)
