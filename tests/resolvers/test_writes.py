"""Rows are created, changed and deleted with values of every kind; a refusal names its field and changes nothing."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import orjson
import pytest

from loaders.errors import (
    AxionError,
    BadInput,
    Conflict,
)
from tests.resolvers.things import NOWHERE, changed, deleted, made, stored
from tests.resolvers.written_database import (
    SHARED,
    THEIRS,
    World,
)

Attempt: TypeAlias = Callable[[], Awaitable[object]]
POINT = '{"type":"Point","coordinates":[6.1,46.2,400.5]}'
LINE = '{"type":"LineString","coordinates":[[6,46],[7,47]]}'
AREA = '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}'

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
