"""Geometry, vectors and paths in JSON, and values that do not fit: what the naive interpreter has no words for."""

import json
import math
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.encode.cursor import StoreText, decode_cursor
from loaders.errors import AxionError, BadInput
from loaders.ledger import Ledger
from loaders.order import cursor_form
from loaders.postgres.client import Postgres
from loaders.postgres.compile import compile_read
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Col,
    Compare,
    Computed,
    Connection,
    CosineSimilarity,
    EdgePart,
    Edges,
    Exists,
    Field,
    Join,
    JsonPath,
    Measure,
    Nodes,
    Not,
    Op,
    OrderBy,
    Page,
    Predicate,
    Read,
    Related,
)
from tests.loaders.postgres.reading import columns, listed, run
from tests.loaders.postgres.rows import DATA, ROWS

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _point(lon: float, lat: float) -> str:
    return json.dumps({"type": "Point", "coordinates": [lon, lat]})


def _box(west: float, south: float, east: float, north: float) -> str:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


async def _matching(postgres: Postgres, where: Predicate) -> set[str]:
    return {row["id"] for row in (await run(listed(ROWS, columns("id"), where), postgres))["nodes"]}


def _points_where(test: Any) -> set[str]:
    return {str(row["id"]) for row in DATA["the rows"] if row["point"] and test(*row["point"]["coordinates"][:2])}  # type: ignore[index]


async def test_geometry(postgres: Postgres) -> None:
    inside = _points_where(lambda lon, lat: 6.1095 < lon < 6.1305)
    for op, value in [
        (Op.BBOX, (6.1095, 40.0, 6.1305, 50.0)),
        (Op.WITHIN, _box(6.1095, 40, 6.1305, 50)),
        (Op.INTERSECTS, _box(6.1095, 40, 6.1305, 50)),
    ]:
        assert await _matching(postgres, Compare(Col("point"), op, value)) == inside
        outside = _points_where(lambda lon, lat: True) - inside
        assert await _matching(postgres, Not(Compare(Col("point"), op, value))) == outside


async def test_a_box_over_the_antimeridian(postgres: Postgres) -> None:
    around = Compare(Col("point"), Op.BBOX, (6.1305, 40.0, 6.1095, 50.0))
    assert await _matching(postgres, around) == _points_where(lambda lon, lat: lon < 6.1095 or lon > 6.1305)


async def test_distance_is_in_metres_on_the_spheroid(postgres: Postgres) -> None:
    near = Compare(Col("point"), Op.DWITHIN, (_point(6.1, 46.2), 1000.0))
    expected = _points_where(
        lambda lon, lat: math.hypot((lon - 6.1) * 111_320 * math.cos(math.radians(46.2)), (lat - 46.2) * 111_180) < 1000
    )
    assert await _matching(postgres, near) == expected
    assert 0 < len(expected) < 10


@pytest.mark.parametrize(
    ("path", "op", "value", "texts"),
    [
        (("name",), Op.EQ, "日本", {"日本"}),
        (("a", "1", "b"), Op.IS_NULL, False, set()),
        (("😀",), Op.LIKE, "quo%", {'quo"te\n'}),
        (("n",), Op.GT, "0", {"12345678901234567890123", "1.5"}),
        (("deep",), Op.EQ, '{"er": true}', {'{"er": true}'}),
    ],
)
async def test_a_path_in_json(
    postgres: Postgres, path: tuple[str, ...], op: Op, value: object, texts: set[str]
) -> None:
    at = JsonPath("doc", path)
    fields = (Field("text", Computed(at)),)
    nodes = (await run(listed(ROWS, fields, Compare(at, op, value), (OrderBy(at),)), postgres))["nodes"]
    assert {node["text"] for node in nodes} == texts
    part = Aggregate((at,), (("text", at), ("n", Measure(AggregateFunction.COUNT))))
    groups = (await run(Read(ROWS, connection=Connection((("by", part),)), where=Compare(at, op, value)), postgres))[
        "by"
    ]
    assert [group["text"] for group in groups] == sorted(texts)
    assert sum(group["n"] for group in groups) == len(nodes)


@pytest.mark.parametrize(
    ("column", "op", "value", "count"),
    [
        ("doc", Op.CONTAINS, '{"deep": {"er": true}}', 7),
        ("doc", Op.CONTAINED_BY, '{"a": 1}', 7),
        ("doc", Op.HAS_KEY, "😀", 7),
        ("doc", Op.HAS_KEY, "nope", 0),
        ("tags", Op.CONTAINS, ("b",), 11),
        ("tags", Op.CONTAINS, (), 45),
        ("tags", Op.CONTAINED_BY, ("a", "b"), 34),
    ],
)
async def test_containment(postgres: Postgres, column: str, op: Op, value: object, count: int) -> None:
    assert len(await _matching(postgres, Compare(Col(column), op, value))) == count


@pytest.mark.parametrize(
    "where",
    [
        Compare(Col("name"), Op.EQ, "nul\x00"),
        Compare(Col("name"), Op.IN, ("nul\x00",)),
        Compare(Col("name"), Op.STARTS_WITH, "\x00"),
        Compare(Col("name"), Op.EQ, "\ud800"),
        Compare(Col("name"), Op.LIKE, "ends\\"),
        Compare(Col("doc"), Op.CONTAINS, '{"a": "\\u0000"}'),
        Compare(Col("doc"), Op.HAS_KEY, "\x00"),
        Compare(Col("point"), Op.INTERSECTS, '{"type": "Point"}'),
        Compare(Col("point"), Op.INTERSECTS, '{"type": "Point", "coordinates": "here"}'),
        Compare(Col("point"), Op.INTERSECTS, '{"type": "Nonsense", "coordinates": [1, 2]}'),
        Compare(Col("point"), Op.DWITHIN, ("{}", 1.0)),
        Compare(CosineSimilarity("embedding", (0.0, 0.0, 0.0)), Op.GT, 0.5),
        Compare(CosineSimilarity("embedding", (1.0, 0.0)), Op.GT, 0.5),
        Compare(Col("seen"), Op.EQ, StoreText("10000-02-31T00:00:00+00:00")),
    ],
)
async def test_a_value_that_does_not_fit_is_the_callers_fault(postgres: Postgres, where: Predicate) -> None:
    with pytest.raises(BadInput) as raised:
        await _matching(postgres, where)
    assert "SELECT" not in str(raised.value)


# --- similarity -------------------------------------------------------------------------------------------------------

CHUNKS = Table(
    "scratch",
    "public",
    "chunks",
    (
        Column("id", ColumnType(Kind.INTEGER), nullable=False),
        Column("kind", ColumnType(Kind.INTEGER), nullable=False),
        Column("embedding", ColumnType(Kind.VECTOR, dimensions=8), nullable=False),
    ),
    ("id",),
)
KINDS = Table(
    "scratch",
    "public",
    "kinds",
    (
        Column("id", ColumnType(Kind.TEXT), nullable=False),
        Column("number", ColumnType(Kind.INTEGER), nullable=False),
    ),
    ("id",),
)
_RANDOM = random.Random(7)
VECTORS = [[round(_RANDOM.uniform(-1, 1), 3) for _ in range(8)] for _ in range(3000)]
VECTORS[17] = VECTORS[16]
SOUGHT = VECTORS[16]
NEAR = CosineSimilarity("embedding", tuple(SOUGHT))
BY_SIMILARITY = (OrderBy(NEAR, descending=True),)


def _similarity(vector: list[float]) -> float:
    dot = sum(a * b for a, b in zip(vector, SOUGHT, strict=True))
    return dot / math.hypot(*vector) / math.hypot(*SOUGHT)


@pytest.fixture(scope="module")
async def chunks(scratch_url: str) -> AsyncIterator[Postgres]:
    connection = await asyncpg.connect(scratch_url)
    await connection.execute(
        "CREATE TABLE chunks (id int PRIMARY KEY, kind int NOT NULL, embedding vector(8) NOT NULL)"
    )
    rows = [(number, number % 50, json.dumps(vector)) for number, vector in enumerate(VECTORS)]
    await connection.executemany("INSERT INTO chunks VALUES ($1, $2, $3::text::vector)", rows)
    await connection.execute("CREATE TABLE kinds (id text PRIMARY KEY, number int NOT NULL UNIQUE)")
    await connection.execute("INSERT INTO kinds SELECT 'kind ' || number, number FROM generate_series(0, 49) AS number")
    await connection.execute("CREATE INDEX by_embedding ON chunks USING hnsw (embedding vector_cosine_ops)")
    await connection.execute("ANALYZE chunks, kinds")
    await connection.close()
    session = {"hnsw.iterative_scan": "strict_order", "hnsw.ef_search": "40"}
    opened = await Postgres.open("scratch", scratch_url, pool_max=1, statement_timeout_ms=20_000, settings=session)
    yield opened
    await opened.close()


def _nearest(where: Any = lambda number: True) -> list[int]:
    chosen = [number for number in range(len(VECTORS)) if where(number)]
    return sorted(chosen, key=lambda number: (-_similarity(VECTORS[number]), number))


SHOWN = (*columns("id"), Field("score", Computed(NEAR)))


async def test_similarity_search_is_served_by_the_index(chunks: Postgres) -> None:
    of_one_kind = Exists(Join(KINDS, ("kind",), ("number",)), Compare(Col("id"), Op.EQ, "kind 7"))
    for where in (None, Compare(Col("kind"), Op.LT, 40), of_one_kind):
        statement = compile_read(listed(CHUNKS, SHOWN, where, BY_SIMILARITY, Page(10)))
        plan = await chunks.fetch("EXPLAIN " + statement.sql, *statement.parameters, ledger=Ledger())
        lines = "\n".join(row[0] for row in plan)
        assert "Index Scan using by_embedding" in lines
        assert "Join" not in lines
        assert "Nested Loop" not in lines


async def test_the_nearest_come_first_with_their_score(chunks: Postgres) -> None:
    nodes = (await run(listed(CHUNKS, SHOWN, order=BY_SIMILARITY, page=Page(10)), chunks))["nodes"]
    assert [node["id"] for node in nodes] == _nearest()[:10]
    assert [node["score"] for node in nodes] == pytest.approx([_similarity(VECTORS[node["id"]]) for node in nodes])
    assert [node["id"] for node in nodes[:2]] == [16, 17]  # equally near: by key


async def test_a_rare_filter_still_finds_as_many_as_were_asked(chunks: Postgres) -> None:
    joined = Exists(Join(KINDS, ("kind",), ("number",)), Compare(Col("id"), Op.EQ, "kind 7"))
    for where in (Compare(Col("kind"), Op.EQ, 7), joined):
        read = listed(CHUNKS, columns("id"), where, BY_SIMILARITY, Page(20))
        found = [node["id"] for node in (await run(read, chunks))["nodes"]]
        assert len(found) == 20
        assert len(set(found) & set(_nearest(lambda number: number % 50 == 7)[:20])) >= 18  # HNSW is approximate


@pytest.fixture
async def hasty(scratch_url: str, chunks: Postgres) -> AsyncIterator[Postgres]:
    """It reads the index of the vectors whatever else there is, and gives up after the first rows."""
    session = {"hnsw.iterative_scan": "strict_order", "hnsw.ef_search": "5", "hnsw.max_scan_tuples": "1"}
    session |= {"enable_seqscan": "off", "enable_sort": "off", "enable_bitmapscan": "off"}
    opened = await Postgres.open("scratch", scratch_url, pool_max=1, statement_timeout_ms=20_000, settings=session)
    yield opened
    await opened.close()


async def test_what_an_index_scan_leaves_out_is_read_without_it(hasty: Postgres) -> None:
    """pgvector stops at its bounds without a word. A page of all that match is no short one."""
    by_hand = "SELECT id FROM chunks WHERE kind = 7 ORDER BY embedding <=> $1::text::vector LIMIT 20"
    assert len(await hasty.fetch(by_hand, json.dumps(SOUGHT), ledger=Ledger())) < 20
    where = Compare(Col("kind"), Op.EQ, 7)
    matching = _nearest(lambda number: number % 50 == 7)
    for page, expected in ((Page(20), matching[:20]), (Page(1000), matching)):
        found = (await run(listed(CHUNKS, columns("id"), where, BY_SIMILARITY, page), hasty))["nodes"]
        assert [node["id"] for node in found] == expected


async def test_what_an_index_scan_leaves_out_below_other_rows(hasty: Postgres) -> None:
    """One of many pages that is short is enough; each is whole then. In two statements, however many there are."""
    below = listed(CHUNKS, columns("id"), None, BY_SIMILARITY, Page(20))
    shown = (*columns("number"), Field("near", Related(Join(CHUNKS, ("number",), ("kind",)), below)))
    statement = compile_read(listed(KINDS, shown, Compare(Col("number"), Op.LT, 3)))
    ledger = Ledger()
    text = await hasty.fetch_json(statement.sql, statement.parameters, ledger=ledger)
    assert text is not None
    for kind in json.loads(text)["nodes"]:
        expected = _nearest(lambda number, of=kind["number"]: number % 50 == of)[:20]
        assert [node["id"] for node in kind["near"]["nodes"]] == expected
    assert ledger.stores["scratch"].statements == 2


async def test_a_page_of_all_that_match_is_read_once(chunks: Postgres) -> None:
    statement = compile_read(listed(CHUNKS, SHOWN, Compare(Col("kind"), Op.EQ, 7), BY_SIMILARITY, Page(1000)))
    ledger = Ledger()
    text = await chunks.fetch_json(statement.sql, statement.parameters, ledger=ledger)
    assert text is not None
    assert len(json.loads(text)["nodes"]) == 60
    assert ledger.stores["scratch"].statements == 1


async def test_similarity_as_a_condition(chunks: Postgres) -> None:
    read = listed(CHUNKS, columns("id"), Compare(NEAR, Op.GTE, 0.7), BY_SIMILARITY)
    found = [node["id"] for node in (await run(read, chunks))["nodes"]]
    assert found == [number for number in _nearest() if _similarity(VECTORS[number]) >= 0.7]


async def test_a_walk_by_similarity_shows_every_row_once(chunks: Postgres) -> None:
    where = Compare(Col("kind"), Op.LT, 2)
    edges = Edges((("cursor", EdgePart.CURSOR), ("node", Nodes(columns("id")))))
    seen: list[int] = []
    page = Page(7)
    while True:
        read = Read(CHUNKS, connection=Connection((("edges", edges),)), where=where, order=BY_SIMILARITY, page=page)
        shown = (await run(read, chunks))["edges"]
        seen += [edge["node"]["id"] for edge in shown]
        if len(shown) < 7:
            break
        page = Page(7, after=decode_cursor(shown[-1]["cursor"], cursor_form(BY_SIMILARITY, CHUNKS)))
    assert seen == _nearest(lambda number: number % 50 < 2)


async def test_vectors_without_a_direction_and_nulls_come_last(postgres: Postgres) -> None:
    near = CosineSimilarity("embedding", (1.0, 0.0, 0.0))
    order = (OrderBy(near, descending=True, nulls_first=False),)
    nodes = (await run(listed(ROWS, (Field("score", Computed(near)),), order=order), postgres))["nodes"]
    scores = [node["score"] for node in nodes]
    assert scores == sorted((s for s in scores if s is not None), reverse=True) + [None] * 14


async def test_errors_name_no_sql(postgres: Postgres) -> None:
    with pytest.raises(AxionError, match=r"^scratch aborted the query \(UndefinedTableError, SQLSTATE 42P01\)\.$"):
        await run(Read(Table("scratch", None, "gone", ROWS.columns, ("id",)), columns("id")), postgres)


async def test_the_last_instant_of_python_is_no_infinity(postgres: Postgres) -> None:
    """asyncpg sends it as one, and the first as the other: a page walk began anew behind the year 1."""
    for op, value, word in ((Op.GT, LAST, "infinity"), (Op.LT, FIRST, "-infinity")):
        endless = {str(row["id"]) for row in DATA["the rows"] if getattr(row["seen"], "text", None) == word}
        assert endless
        assert endless <= await _matching(postgres, Compare(Col("seen"), op, value))
    assert not await _matching(postgres, Compare(Col("seen"), Op.IN, (FIRST, LAST)))
