"""Filters, orders and aggregates of every column kind as GraphQL, against hand-written SQL over the same rows."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.local.paths import CHECKOUT
from gateway.settings import Settings
from tests.system.client import Client
from tests.system.extended import add, copied
from tests.system.process import Gateway
from tests.system.specimen.model import Specimen
from tests.system.stores import Direct

SPECIMEN = "tests/system/specimen"
TABLE = "road_data.specimens"
BOX = {"type": "Polygon", "coordinates": [[[8.2, 49.9], [8.7, 49.9], [8.7, 50.06], [8.2, 50.06], [8.2, 49.9]]]}
BOX_SQL = f"ST_GeomFromGeoJSON('{json.dumps(BOX)}')"
POINT = {"type": "Point", "coordinates": [8.5, 50.05]}
POINT_SQL = f"ST_GeomFromGeoJSON('{json.dumps(POINT)}')::geography"
REFS = ["c4ca4238-a0b9-2382-0dcc-509a6f75849b", "c81e728d-9d4c-2f63-6f06-7f89cc14862c"]  # md5 of 1 and 2

OWNER = "SELECT {} FROM organizations o WHERE o.id = organization_id"
WHERE: list[tuple[dict[str, Any], str]] = [
    ({"rowId": {"in": ["3", "5", "999"]}}, "id IN (3, 5, 999)"),
    ({"rowId": {"lte": "4"}}, "id <= 4"),
    ({"big": {"eq": "9007199254740993"}}, "big = 9007199254740993"),
    ({"big": {"ne": "9007199254740993"}}, "big <> 9007199254740993"),
    ({"big": {"in": ["9007199254740991", "9007199254740992"]}}, "big IN (9007199254740991, 9007199254740992)"),
    ({"big": {"notIn": ["9007199254740991"]}}, "big NOT IN (9007199254740991)"),
    ({"big": {"gt": "9007199254740995", "isNull": False}}, "big > 9007199254740995"),
    ({"big": {"isNull": True}}, "big IS NULL"),
    ({"small": {"gte": -1, "lt": 2}}, "small >= -1 AND small < 2"),
    ({"small": {"notIn": []}}, "true"),
    ({"ratio": {"gt": 0.5}}, "ratio > 0.5"),
    ({"ratio": {"lte": -0.25}}, "ratio <= -0.25"),
    ({"price": {"eq": "2"}}, "price = 2.0000"),
    ({"price": {"lt": "-0.5"}}, "price < -0.5"),
    ({"price": {"in": ["-3.0000", "4.5"]}}, "price IN (-3, 4.5)"),
    ({"price": {"isNull": False}}, "price IS NOT NULL"),
    ({"name": {"eq": ""}}, "name = ''"),
    ({"name": {"ne": "alpha"}}, "name <> 'alpha'"),
    ({"name": {"like": "a\\_%"}}, "name LIKE 'a\\_%'"),
    ({"name": {"like": "_lpha"}}, "name LIKE '_lpha'"),
    ({"name": {"ilike": "ALPHA"}}, "name ILIKE 'ALPHA'"),
    ({"name": {"ilike": "Ä%"}}, "name ILIKE 'Ä%'"),
    ({"name": {"startsWith": "a%"}}, "starts_with(name, 'a%')"),
    ({"name": {"startsWith": "back\\"}}, "starts_with(name, 'back\\')"),
    ({"name": {"isNull": True}}, "name IS NULL"),
    ({"status": {"in": ["PENDING", "COMMITTED"]}}, "status IN ('pending', 'committed')"),
    ({"status": {"notIn": ["PENDING"]}}, "status NOT IN ('pending')"),
    ({"flag": {"eq": True}}, "flag"),
    ({"flag": {"ne": True}}, "flag <> true"),
    ({"flag": {"isNull": True}}, "flag IS NULL"),
    ({"not": {"flag": {"eq": True}}}, "NOT flag"),
    ({"ref": {"eq": REFS[0].upper()}}, f"ref = '{REFS[0]}'"),
    ({"ref": {"in": REFS}}, f"ref IN ('{REFS[0]}', '{REFS[1]}')"),
    ({"ref": {"gt": REFS[0]}}, f"ref > '{REFS[0]}'"),
    ({"ref": {"isNull": True}}, "ref IS NULL"),
    ({"day": {"gte": "2026-02-28"}}, "day >= '2026-02-28'"),
    ({"day": {"eq": "2026-03-01"}}, "day = '2026-03-01'"),
    ({"at": {"lt": "2026-03-29T03:00:00+02:00"}}, "at < '2026-03-29T01:00:00Z'"),
    (
        {"at": {"gte": "2026-03-29T01:00:00Z", "lt": "2026-03-29T02:00:00Z"}},
        "at >= '2026-03-29T01:00:00Z' AND at < '2026-03-29T02:00:00Z'",
    ),
    ({"at": {"eq": "2026-03-28T18:23:00Z"}}, "at = '2026-03-28T18:23:00Z'"),
    ({"doc": {"contains": {"a": 1}}}, """doc @> '{"a": 1}'"""),
    ({"doc": {"contains": [{"a": 1}]}}, """doc @> '[{"a": 1}]'"""),
    ({"doc": {"contains": {"deep": {"list": [13]}}}}, """doc @> '{"deep": {"list": [13]}}'"""),
    ({"doc": {"containedBy": {"a": "1", "b": None, "c": 0}}}, """doc <@ '{"a": "1", "b": null, "c": 0}'"""),
    ({"doc": {"hasKey": "a"}}, "jsonb_typeof(doc) = 'object' AND doc ? 'a'"),
    ({"doc": {"isNull": True}}, "doc IS NULL"),
    ({"tags": {"isNull": True}}, "tags IS NULL"),
    ({"tags": {"contains": ["14", "x"]}}, "tags @> ARRAY['x', '14']"),
    ({"not": {"tags": {"contains": ["x"]}}}, "NOT tags @> ARRAY['x']"),
    ({"tags": {"containedBy": ["x", "y"]}}, "tags <@ ARRAY['x', 'y']"),
    ({"refs": {"contains": REFS[:1]}}, f"refs @> ARRAY['{REFS[0]}']::uuid[]"),
    ({"refs": {"isNull": False}}, "refs IS NOT NULL"),
    ({"place": {"bbox": [8.2, 49.9, 8.7, 50.05]}}, "place && ST_MakeEnvelope(8.2, 49.9, 8.7, 50.05, 4326)"),
    ({"place": {"within": BOX}}, f"ST_Within(place, {BOX_SQL})"),
    ({"place": {"dWithin": {"geometry": POINT, "metres": 9000}}}, f"ST_DWithin(place::geography, {POINT_SQL}, 9000)"),
    ({"way": {"intersects": BOX}}, f"ST_Intersects(way, {BOX_SQL})"),
    ({"area": {"intersects": BOX}}, f"ST_Intersects(area, {BOX_SQL})"),
    ({"area": {"isNull": True}}, "area IS NULL"),
    (
        {"and": [{"small": {"gt": 0}}, {"or": [{"flag": {"eq": True}}, {"name": {"isNull": True}}]}]},
        "small > 0 AND (flag OR name IS NULL)",
    ),
    ({"not": {"and": [{"small": {"gt": 0}}, {"big": {"isNull": False}}]}}, "NOT (small > 0 AND big IS NOT NULL)"),
    (
        {"organization": {"code": {"eq": "north"}}},
        "organization_id = (SELECT id FROM organizations WHERE code = 'north')",
    ),
]
ORDER: list[tuple[list[dict[str, Any]], str]] = [
    ([{"small": "ASC"}], "small, id"),
    ([{"small": "DESC"}], "small DESC, id"),
    ([{"big": "ASC_NULLS_FIRST"}], "big NULLS FIRST, id"),
    ([{"price": "DESC_NULLS_LAST"}], "price DESC NULLS LAST, id"),
    ([{"ratio": "DESC"}], "ratio DESC, id"),
    ([{"flag": "ASC"}, {"ref": "DESC"}], "flag, ref DESC, id"),
    ([{"day": "ASC"}, {"at": "DESC"}], "day, at DESC, id"),
    ([{"status": "ASC"}, {"rowId": "DESC"}], "status, id DESC"),
    ([{"name": "ASC"}], "name, id"),
    ([{"organization": {"code": "DESC"}}, {"big": "ASC"}], f"({OWNER.format('code')}) DESC, big, id"),
    (
        [{"organization": {"specimens": {"count": "ASC"}}}, {"rowId": "DESC"}],
        f"(SELECT count(*) FROM {TABLE} s WHERE s.organization_id = specimens.organization_id), id DESC",
    ),
]
RELATED: list[tuple[dict[str, Any], str]] = [
    ({"some": {"status": {"eq": "LOST"}}}, "EXISTS ({s} AND status = 'lost')"),
    ({"some": {"refs": {"isNull": False}, "small": {"gt": 1}}}, "EXISTS ({s} AND refs IS NOT NULL AND small > 1)"),
    ({"none": {"status": {"eq": "LOST"}}}, "NOT EXISTS ({s} AND status = 'lost')"),
    ({"every": {"status": {"eq": "PENDING"}}}, "NOT EXISTS ({s} AND status <> 'pending')"),
    ({"every": {"refs": {"contains": []}}}, "NOT EXISTS ({s} AND (refs @> '{{}}') IS NOT TRUE)"),
    (
        {"some": {"small": {"gt": 1}}, "every": {"refs": {"isNull": True}}},
        "EXISTS ({s} AND small > 1) AND NOT EXISTS ({s} AND refs IS NOT NULL)",
    ),
    ({"some": {"organization": {"code": {"eq": "north"}}}}, "EXISTS ({s}) AND code = 'north'"),
]
"""Conditions on the organizations whose rows they are. A row that compares with null keeps `every` from holding."""
AGGREGATES: list[tuple[str, str, str]] = [
    ("", "count", "count(*) AS count"),
    (
        "",
        "sum { small big price ratio }",
        "json_build_object('small', sum(small)::text, 'big', sum(big)::text, 'price', sum(price)::text,"
        " 'ratio', sum(ratio)) AS sum",
    ),
    (
        "",
        "avg { small big price ratio }",
        "json_build_object('small', avg(small)::float8, 'big', avg(big)::float8, 'price', avg(price)::float8,"
        " 'ratio', avg(ratio)) AS avg",
    ),
    (
        "",
        "stddev { small ratio }",
        "json_build_object('small', stddev_samp(small)::float8, 'ratio', stddev_samp(ratio)) AS stddev",
    ),
    (
        "",
        "median: percentile(p: 0.5) { ratio small }",
        "json_build_object('ratio', percentile_cont(0.5) WITHIN GROUP (ORDER BY ratio),"
        " 'small', percentile_cont(0.5) WITHIN GROUP (ORDER BY small)) AS median",
    ),
    (
        "",
        "countDistinct { name flag ref day }",
        "json_build_object('name', count(DISTINCT name), 'flag', count(DISTINCT flag), 'ref', count(DISTINCT ref),"
        " 'day', count(DISTINCT day)) AS \"countDistinct\"",
    ),
    (
        "",
        "min { big price day at } max { small price day at }",
        "json_build_object('big', min(big)::text, 'price', min(price)::text, 'day', min(day), 'at', min(at)) AS min,"
        " json_build_object('small', max(small), 'price', max(price)::text, 'day', max(day), 'at', max(at)) AS max",
    ),
]
GROUPS: list[tuple[str, str, str]] = [
    (
        "groupBy: [{field: STATUS}]",
        "key { status } count",
        "SELECT json_build_object('status', upper(status)) AS key, count(*) AS count FROM {t}"
        " GROUP BY status ORDER BY status",
    ),
    (
        "groupBy: [{field: SMALL}, {field: FLAG}]",
        "key { small flag } count sum { price }",
        "SELECT json_build_object('small', small, 'flag', flag) AS key, count(*) AS count,"
        " json_build_object('price', sum(price)::text) AS sum FROM {t} GROUP BY small, flag ORDER BY small, flag",
    ),
    (
        "groupBy: [{field: BIG}], having: {count: {gt: 12}}",
        "key { big } count",
        "SELECT json_build_object('big', big::text) AS key, count(*) AS count FROM {t} GROUP BY big"
        " HAVING count(*) > 12 ORDER BY big",
    ),
    (
        "groupBy: [{field: STATUS}], having: {avg: {small: {lt: 0}}}",
        "key { status } avg { small }",
        "SELECT json_build_object('status', upper(status)) AS key,"
        " json_build_object('small', avg(small)::float8) AS avg FROM {t}"
        " GROUP BY status HAVING avg(small) < 0 ORDER BY status",
    ),
    (
        'groupBy: [{field: AT, truncate: DAY, timeZone: "Europe/Berlin"}]',
        "key { at } count",
        "SELECT json_build_object('at', date_trunc('day', at, 'Europe/Berlin')) AS key, count(*) AS count FROM {t}"
        " GROUP BY date_trunc('day', at, 'Europe/Berlin') ORDER BY date_trunc('day', at, 'Europe/Berlin')",
    ),
    (
        'groupBy: [{field: AT, truncate: HOUR, timeZone: "Asia/Kolkata"}], first: 5',
        "key { at } max { ratio }",
        "SELECT json_build_object('at', date_trunc('hour', at, 'Asia/Kolkata')) AS key,"
        " json_build_object('ratio', max(ratio)) AS max FROM {t} GROUP BY date_trunc('hour', at, 'Asia/Kolkata')"
        " ORDER BY date_trunc('hour', at, 'Asia/Kolkata') LIMIT 5",
    ),
    (
        "groupBy: [{field: DAY, truncate: MONTH}]",
        "key { day } count",
        "SELECT json_build_object('day', date_trunc('month', day::timestamp)::date) AS key, count(*) AS count FROM {t}"
        " GROUP BY date_trunc('month', day::timestamp) ORDER BY date_trunc('month', day::timestamp)",
    ),
    (
        "groupBy: [{field: REF}], orderBy: [{figure: SUM, field: PRICE, direction: DESC}], first: 3",
        "key { ref } sum { price }",
        "SELECT json_build_object('ref', ref) AS key, json_build_object('price', sum(price)::text) AS sum FROM {t}"
        " GROUP BY ref ORDER BY sum(price) DESC NULLS FIRST, ref LIMIT 3",
    ),
]
IDS = """
query Ids($where: SenseSpecimenFilter, $orderBy: [SenseSpecimenOrderBy!]) {
  sense { specimens(first: 1000, where: $where, orderBy: $orderBy) { totalCount nodes { rowId } } }
}
"""
NESTED = """
{
  sense {
    organizations(orderBy: [{code: ASC}], where: {code: {in: ["north", "south"]}}) {
      nodes {
        code
        specimens(where: {small: {gte: 0}}) {
          aggregate(groupBy: [{field: STATUS}], having: {count: {gt: 2}}) { key { status } count max { price } }
        }
      }
    }
  }
}
"""


@pytest.fixture(scope="module")
async def specimens(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, sample_data: None, env_file: Any, client: Client
) -> AsyncIterator[Client]:
    """A gateway that knows the test-only table, and the table with its rows."""
    checkout = copied(tmp_path_factory.mktemp("specimens"))
    for name in ("model", "declaration"):
        add(checkout, f"{SPECIMEN}/{name}.py", (CHECKOUT / SPECIMEN / f"{name}.py").read_text())
    add(checkout, "schema/declarations.py", "from tests.system.specimen import declaration as specimen")
    add(checkout, "schema/sense/query.py", '    specimens = connection_root("SenseSpecimen", "Rows of every kind.")')
    edge = '    specimens = to_many("SenseSpecimen", remote="organization_id", description="Its rows of every kind.")'
    add(checkout, "schema/sense/organization.py", edge)
    engine = create_async_engine(settings.databases.axion_sense.migrate_url.get_secret_value())
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text(f"DROP TABLE IF EXISTS {TABLE}"))
            await connection.run_sync(Specimen.metadata.create_all, tables=[Specimen.metadata.tables[TABLE]])
            await connection.execute(sa.text((CHECKOUT / SPECIMEN / "rows.sql").read_text().replace(":", "\\:")))
        async with Gateway.serve(env_file, checkout / "gateway.log", checkout=checkout) as gateway:
            yield replace(client, url=gateway.url)
    finally:
        async with engine.begin() as connection:
            await connection.execute(sa.text(f"DROP TABLE IF EXISTS {TABLE}"))
        await engine.dispose()


async def _ids(direct: Direct, rest: str) -> list[str]:
    rows = await direct.postgres("axion_sense", f"SELECT id FROM {TABLE} {rest}")
    return [str(row["id"]) for row in rows]


@pytest.mark.parametrize(("where", "sql"), WHERE, ids=lambda case: case if isinstance(case, str) else "")
async def test_where(specimens: Client, direct: Direct, where: dict[str, Any], sql: str) -> None:
    expected = await _ids(direct, f"WHERE {sql} ORDER BY id")
    found = (await specimens.ask(IDS, {"where": where})).data["sense"]["specimens"]
    assert [node["rowId"] for node in found["nodes"]] == expected
    assert found["totalCount"] == len(expected)
    assert expected, "a case that matches nothing shows nothing"
    assert len(expected) < 120 or sql == "true"


EXACT = "7.12345678901234567890"
"""A number of a row; the double next to it is greater."""


@pytest.mark.parametrize(
    ("doc", "sql"),
    [
        (f'{{"contains": {{"exact": {EXACT}}}}}', f"doc->'exact' = '{EXACT}'"),
        (f'{{"path": {{"at": ["exact"], "number": {{"lt": {EXACT}}}}}}}', f"(doc->>'exact')::numeric < {EXACT}"),
    ],
)
async def test_a_number_that_no_double_is(specimens: Client, direct: Direct, doc: str, sql: str) -> None:
    body = f'{{"query": {json.dumps(IDS)}, "variables": {{"where": {{"doc": {doc}}}}}}}'
    headers = specimens.headers("admin", content_type="application/json")
    async with specimens.http.post(f"{specimens.url}/graphql", data=body, headers=headers) as response:
        found = (await response.json())["data"]["sense"]["specimens"]
    expected = await _ids(direct, f"WHERE {sql} ORDER BY id")
    assert [node["rowId"] for node in found["nodes"]] == expected
    assert len(expected) == 1


@pytest.mark.parametrize(("order_by", "sql"), ORDER, ids=lambda case: case if isinstance(case, str) else "")
async def test_order(specimens: Client, direct: Direct, order_by: list[dict[str, Any]], sql: str) -> None:
    found = (await specimens.ask(IDS, {"orderBy": order_by})).data["sense"]["specimens"]["nodes"]
    assert [node["rowId"] for node in found] == await _ids(direct, f"ORDER BY {sql}")


@pytest.mark.parametrize(("where", "sql"), RELATED, ids=lambda case: case if isinstance(case, str) else "")
async def test_where_of_related_rows(specimens: Client, direct: Direct, where: dict[str, Any], sql: str) -> None:
    document = "query W($where: SenseSpecimenManyFilter) { sense { organizations(where: {specimens: $where}) %s } }"
    found = await specimens.ask(document % "{ totalCount nodes { rowId } }", {"where": where})
    rows = f"SELECT FROM {TABLE} WHERE organization_id = organizations.id"
    chosen = f"SELECT id FROM organizations WHERE {sql.format(s=rows)} ORDER BY id"
    expected = [str(row["id"]) for row in await direct.postgres("axion_sense", chosen)]
    assert found.data["sense"]["organizations"] == {
        "totalCount": len(expected),
        "nodes": [{"rowId": id_} for id_ in expected],
    }
    assert 0 < len(expected) < len(await direct.postgres("axion_sense", "SELECT FROM organizations"))


async def _groups(direct: Direct, sql: str) -> Any:
    (row,) = await direct.postgres("axion_sense", f"SELECT json_agg(g) AS groups FROM ({sql}) g")
    return json.loads(row["groups"])


def _same(found: Any, expected: Any) -> None:
    """Equal, keys in the same order; floats to twelve digits, as summing in another order may give them."""
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for name, value in expected.items():
            _same(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for each, other in zip(found, expected, strict=True):
            _same(each, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-12)
    else:
        assert found == expected


@pytest.mark.parametrize(("arguments", "fields", "sql"), AGGREGATES, ids=[case[1] for case in AGGREGATES])
@pytest.mark.parametrize("where", ["", "small > 0"])
async def test_figures(specimens: Client, direct: Direct, arguments: str, fields: str, sql: str, where: str) -> None:
    given = "(where: {small: {gt: 0}})" if where else ""
    document = f"{{ sense {{ specimens{given} {{ aggregate{arguments} {{ {fields} }} }} }} }}"
    found = (await specimens.ask(document)).data["sense"]["specimens"]["aggregate"]
    _same(found, await _groups(direct, f"SELECT {sql} FROM {TABLE} WHERE {where or 'true'}"))


@pytest.mark.parametrize(("arguments", "fields", "sql"), GROUPS, ids=[case[0] for case in GROUPS])
async def test_groups(specimens: Client, direct: Direct, arguments: str, fields: str, sql: str) -> None:
    document = f"{{ sense {{ specimens {{ aggregate({arguments}) {{ {fields} }} }} }} }}"
    found = (await specimens.ask(document)).data["sense"]["specimens"]["aggregate"]
    _same(found, await _groups(direct, sql.format(t=TABLE)))


WORDS = """{ sense { specimens(first: 1000) {
  nodes { rowId status } aggregate(groupBy: [{field: STATUS}]) { key { status } count }
} } }"""


async def test_a_word_that_the_enum_does_not_have(specimens: Client, direct: Direct) -> None:
    """Null, with one error for each field, and all that is beside it is answered; it is the `notIn` of all names."""
    names = {"where": {"status": {"notIn": ["PENDING", "COMMITTED", "LOST"]}}}
    assert (await specimens.ask(IDS, names)).data["sense"]["specimens"]["nodes"] == []
    before = (await specimens.ask(WORDS)).data["sense"]["specimens"]
    await direct.postgres("axion_sense", f"UPDATE {TABLE} SET status = 'found' WHERE id IN (7, 9)")
    try:
        answer = await specimens.ask(WORDS)
        found = (await specimens.ask(IDS, names)).data["sense"]["specimens"]["nodes"]
    finally:
        await direct.postgres("axion_sense", f"UPDATE {TABLE} SET status = 'committed' WHERE id = 7")
        await direct.postgres("axion_sense", f"UPDATE {TABLE} SET status = 'pending' WHERE id = 9")
    assert [node["rowId"] for node in found] == ["7", "9"]
    after = answer.body["data"]["sense"]["specimens"]
    changed = [(was, now) for was, now in zip(before["nodes"], after["nodes"], strict=True) if was != now]
    assert changed == [
        ({"rowId": id_, "status": was}, {"rowId": id_, "status": None})
        for id_, was in (("7", "COMMITTED"), ("9", "PENDING"))
    ]
    assert [group["count"] for group in after["aggregate"] if group["key"]["status"] is None] == [2]
    assert [(error["path"], error["extensions"]) for error in answer.errors] == [
        (
            ["sense", "specimens", "nodes", 6, "status"],
            {"code": "ENUM_VALUE_UNKNOWN", "store": "axion_sense", "nulls": 2},
        ),
        (
            ["sense", "specimens", "aggregate", 1, "key", "status"],
            {"code": "ENUM_VALUE_UNKNOWN", "store": "axion_sense"},
        ),
    ]
    assert (await specimens.ask(WORDS)).data["sense"]["specimens"] == before


async def test_groups_of_each_parent(specimens: Client, direct: Direct) -> None:
    answer = await specimens.ask(NESTED)
    organizations = answer.data["sense"]["organizations"]["nodes"]
    assert [organization["code"] for organization in organizations] == ["north", "south"]
    for organization in organizations:
        sql = (
            "SELECT json_build_object('status', upper(status)) AS key, count(*) AS count,"
            f" json_build_object('price', max(price)::text) AS max FROM {TABLE} WHERE small >= 0"
            f" AND organization_id = (SELECT id FROM organizations WHERE code = '{organization['code']}')"
            " GROUP BY status HAVING count(*) > 2 ORDER BY status"
        )
        _same(organization["specimens"]["aggregate"], await _groups(direct, sql))
    assert answer.statements["axion_sense"] == 1


@pytest.fixture
async def dividing(specimens: Client, settings: Settings) -> AsyncIterator[Client]:
    """In the table's place a view over it whose `ratio` divides by zero."""
    columns = ", ".join(
        "ratio / (small - small) AS ratio" if column.name == "ratio" else f'"{column.name}"'
        for column in Specimen.__table__.columns
    )
    engine = create_async_engine(settings.databases.axion_sense.migrate_url.get_secret_value())
    app = sa.make_url(settings.databases.axion_sense.app_url.get_secret_value()).username
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text(f"ALTER TABLE {TABLE} RENAME TO divided"))
            await connection.execute(sa.text(f"CREATE VIEW {TABLE} AS SELECT {columns} FROM road_data.divided"))
            await connection.execute(sa.text(f'GRANT SELECT ON {TABLE} TO "{app}"'))
        yield specimens
    finally:
        async with engine.begin() as connection:
            await connection.execute(sa.text(f"DROP VIEW {TABLE}"))
            await connection.execute(sa.text(f"ALTER TABLE road_data.divided RENAME TO {TABLE.split('.')[1]}"))
        await engine.dispose()


async def test_a_division_by_zero_fails_the_read_it_is_in(dividing: Client) -> None:
    """Whoever selects, filters, sorts or measures by the expression; reads beside it are answered, and what another
    store has shown above it.
    """
    answer = await dividing.ask("""
    {
      sense {
        shown: specimens(first: 3) { nodes { ratio } }
        felt: specimens(where: {ratio: {gt: 1}}) { totalCount }
        sorted: specimens(orderBy: [{ratio: ASC}], first: 1) { nodes { rowId } }
        nested: organizations { nodes { code specimens(first: 1) { nodes { ratio } } } }
        grouped: specimens { aggregate { max { ratio } } }
        crossed: tracks(first: 4) { nodes { rowId organization { specimens(first: 1) { nodes { ratio } } } } }
        beside: specimens(first: 1) { totalCount nodes { small } }
      }
    }
    """)
    failed = ("shown", "felt", "sorted", "nested", "grouped")
    crossing = ["sense", "crossed", "nodes", 0, "organization"]
    places = [crossing, *(["sense", name] for name in failed)]
    assert sorted(map(str, (error["path"] for error in answer.errors))) == sorted(map(str, places))
    assert {error["extensions"]["code"] for error in answer.errors} == {"STORE_QUERY_FAILED"}
    data = answer.body["data"]["sense"]
    assert [data[name] for name in failed] == [None] * 5
    assert [node["organization"] for node in data["crossed"]["nodes"]] == [None] * 4
    assert [error["extensions"]["nulls"] for error in answer.errors if error["path"] == crossing] == [4]
    assert data["beside"]["totalCount"] > 0


def test_the_table_of_cases_is_worth_its_name() -> None:
    assert len(WHERE) + len(ORDER) + len(AGGREGATES) + len(GROUPS) >= 80
