"""Connections, batches of keys, aggregates: what comes back, and in how many statements."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, cast

import orjson
import pyarrow as pa
import pytest

from loaders.columnar.connection import read_connection, read_keyed
from loaders.columnar.dialect import Dialect
from loaders.columnar.statement import Statement
from loaders.encode.node_id import decode_node_id
from loaders.errors import BadInput, StoreQueryFailed, UnknownColumn
from loaders.ledger import Ledger
from loaders.read import (
    Aggregate,
    AggregateFunction,
    And,
    Col,
    Compare,
    Computed,
    Connection,
    ConnectionPart,
    EdgePart,
    Edges,
    Field,
    Literal,
    Measure,
    Never,
    NodeId,
    Nodes,
    Op,
    OrderBy,
    Page,
    PageInfo,
    PageInfoPart,
    Read,
    TotalCount,
)
from tests.loaders.columnar.conftest import ROWS, START, TABLE
from tests.loaders.columnar.naive import Row, bytewise, ordered, second_half_first
from tests.loaders.columnar.sources import Engine

NODE = (
    Field("__typename", Literal("Odd")),
    Field("id", NodeId("Odd", ("id",))),
    Field("rowId", Computed(Col("id"))),
    Field("c0", Computed(Col("c0"))),
)
FIGURES = (
    ("kind", Literal("Figures")),
    ("rows", Measure(AggregateFunction.COUNT)),
    ("named", Measure(AggregateFunction.COUNT, Col("name"))),
    ("names", Measure(AggregateFunction.COUNT_DISTINCT, Col("name"))),
    ("sum", Measure(AggregateFunction.SUM, Col("c0"))),
    ("bigSum", Measure(AggregateFunction.SUM, Col("big"))),
    ("avg", Measure(AggregateFunction.AVG, Col("c0"))),
    ("min", Measure(AggregateFunction.MIN, Col("day"))),
    ("max", Measure(AggregateFunction.MAX, Col("ratio"))),
)
NOTHING = {
    "kind": "Figures",
    "rows": 0,
    "named": 0,
    "names": 0,
    "sum": None,
    "bigSum": None,
    "avg": None,
    "min": None,
    "max": None,
}


def _connection(**parts: ConnectionPart) -> Connection:
    return Connection(tuple(parts.items()))


def _read(connection: Connection | None, **changes: Any) -> Read:
    return replace(Read(TABLE, () if connection else NODE, connection=connection), **changes)


async def _answer(engine: Engine, read: Read) -> Any:
    return orjson.loads(await read_connection(read, engine, Ledger()))


def _sorted(engine: Engine, read: Read) -> list[Row]:
    return ordered(ROWS, read, second_half_first if engine.name == "clickhouse" else bytewise)


async def test_the_whole_connection_in_document_order(engine: Engine) -> None:
    info = PageInfo((("__typename", Literal("PageInfo")), ("endCursor", PageInfoPart.END_CURSOR)))
    edges = Edges((("cursor", EdgePart.CURSOR), ("__typename", Literal("OddEdge")), ("node", Nodes(NODE))))
    connection = _connection(pageInfo=info, edges=edges, n=TotalCount(), __typename=Literal("OddConnection"))
    ledger = Ledger()
    read = _read(connection, page=Page(3), order=(OrderBy(Col("c0"), descending=True),))
    answer = orjson.loads(await read_connection(read, engine, ledger))
    assert list(answer) == ["pageInfo", "edges", "n", "__typename"]
    assert sum(usage.statements for usage in ledger.stores.values()) == 2
    assert answer["n"] == len(ROWS)
    assert [list(edge) for edge in answer["edges"]] == [["cursor", "__typename", "node"]] * 3
    assert answer["pageInfo"] == {"__typename": "PageInfo", "endCursor": answer["edges"][-1]["cursor"]}
    for edge, row in zip(answer["edges"], _sorted(engine, read), strict=False):
        assert edge["node"] | {"id": None} == {
            "__typename": "Odd",
            "id": None,
            "rowId": str(row["id"]),
            "c0": row["c0"],
        }
        assert decode_node_id(edge["node"]["id"]) == ("Odd", str(row["id"]))


async def test_one_object_or_null(engine: Engine) -> None:
    found = await _answer(engine, _read(None, where=Compare(Col("id"), Op.EQ, ROWS[4]["id"])))
    assert found["rowId"] == str(ROWS[4]["id"])
    assert await _answer(engine, _read(None, where=Compare(Col("c0"), Op.EQ, 99))) is None
    assert await _answer(engine, _read(None, where=Never())) is None


async def test_never_asks_nothing(engine: Engine) -> None:
    info = PageInfo(tuple((part.value, part) for part in PageInfoPart))
    parts = _connection(nodes=Nodes(NODE), i=info, n=TotalCount(), a=Aggregate((), FIGURES), g=_by_name())
    ledger = Ledger()
    where = And((Compare(Col("c0"), Op.EQ, 1), Never()))
    answer = orjson.loads(await read_connection(_read(parts, where=where), engine, ledger))
    assert ledger.stores == {}
    none = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert answer == {"nodes": [], "i": none, "n": 0, "a": [NOTHING], "g": []}


def _by_name(limit: int | None = None) -> Aggregate:
    return Aggregate((Col("name"),), (("name", Col("name")), *FIGURES), limit)


def _figures(rows: list[Row]) -> dict[str, object]:
    def present(name: str) -> list[Any]:
        return [row[name] for row in rows if row[name] is not None]

    ratios = [value for value in present("ratio") if value == value]
    big = sum(cast(list[int], present("big")))
    return {
        "kind": "Figures",
        "rows": len(rows),
        "named": len(present("name")),
        "names": len(set(present("name"))),
        "sum": str(sum(present("c0"))) if present("c0") else None,
        "bigSum": str(Decimal(big)) if present("big") else None,
        "avg": sum(present("c0")) / len(present("c0")) if present("c0") else None,
        "min": min(present("day")).isoformat() if present("day") else None,
        "max": _finite(max(ratios)) if ratios else None,
    }


def _finite(number: float) -> float | None:
    return None if number in (float("inf"), -float("inf")) else number


def _grouped(rows: list[Row]) -> list[dict[str, object]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["name"]].append(row)
    names = sorted(groups, key=lambda name: (name is None, (name or "").encode()))
    return [{"name": name, **_figures(groups[name])} for name in names]


async def test_aggregates_over_all_rows_and_by_group(engine: Engine) -> None:
    connection = _connection(all=Aggregate((), FIGURES), groups=_by_name(), first=_by_name(limit=3))
    answer = await _answer(engine, _read(connection, page=Page(1)))
    assert answer == {"all": [_figures(ROWS)], "groups": _grouped(ROWS), "first": _grouped(ROWS)[:3]}


async def test_aggregates_of_no_rows(engine: Engine) -> None:
    connection = _connection(all=Aggregate((), FIGURES), groups=_by_name(), n=TotalCount())
    where = Compare(Col("c0"), Op.EQ, 99)
    assert await _answer(engine, _read(connection, where=where)) == {"all": [NOTHING], "groups": [], "n": 0}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("columns", [("c0",), ("c0", "name"), ("day",), ("cell",), ("at", "big")])
async def test_the_same_for_each_key_in_as_many_statements(
    engine: Engine, columns: tuple[str, ...], backward: bool
) -> None:
    info = PageInfo(tuple((part.value, part) for part in PageInfoPart))
    connection = _connection(nodes=Nodes(NODE), i=info, n=TotalCount(), a=Aggregate((), FIGURES), g=_by_name(limit=2))
    read = _read(connection, page=Page(3, backward), order=(OrderBy(Col("day")),))
    missing = tuple({"name": "nobody", "day": date(1999, 1, 1), "at": START}.get(name, 77) for name in columns)
    keys = {tuple(row[name] for name in columns) for row in ROWS} | {missing}
    ledger = Ledger()
    answers = await read_keyed(read, columns, keys, engine, ledger)
    assert sum(usage.statements for usage in ledger.stores.values()) == 4
    assert set(answers) == keys
    for key, text in answers.items():
        of_key = [row for row in ROWS if None not in key and tuple(row[name] for name in columns) == key]
        ids = [str(row["id"]) for row in _sorted(engine, read) if row["id"] in {row["id"] for row in of_key}]
        answer = orjson.loads(text)
        assert [node["rowId"] for node in answer["nodes"]] == (ids[-3:] if backward else ids[:3]), key
        assert answer["i"]["hasPreviousPage" if backward else "hasNextPage"] == (len(ids) > 3)
        assert answer["n"] == len(of_key)
        assert answer["a"] == [_figures(of_key)]
        assert answer["g"] == _grouped(of_key)[:2]


async def test_one_object_for_each_key(engine: Engine) -> None:
    ids = [ROWS[1]["id"], ROWS[2]["id"]]
    answers = await read_keyed(_read(None), ["id"], [(ids[0],), (ids[1],), (None,)], engine, Ledger())
    assert [orjson.loads(answers[(key,)])["rowId"] for key in ids] == [str(key) for key in ids]
    assert answers[(None,)] == b"null"


async def test_the_first_of_each_key(engine: Engine) -> None:
    read = _read(None, order=(OrderBy(Col("id"), descending=True),))
    answers = await read_keyed(read, ["c0"], [(0,), (1,), (77,)], engine, Ledger())
    for key in (0, 1):
        last = next(row for row in _sorted(engine, read) if row["c0"] == key)
        assert orjson.loads(answers[(key,)])["rowId"] == str(last["id"])
    assert answers[(77,)] == b"null"


async def test_no_keys_ask_nothing(engine: Engine) -> None:
    ledger = Ledger()
    assert await read_keyed(_read(None), ["c0"], [(None,)], engine, ledger) == {(None,): b"null"}
    assert await read_keyed(_read(None), ["c0"], [], engine, ledger) == {}
    assert ledger.stores == {}


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (_read(None, where=Compare(Col("nope"), Op.EQ, 1)), UnknownColumn),
        (_read(None, order=(OrderBy(Col("tags")),)), BadInput),
        (_read(None, where=Compare(Col("c0"), Op.LIKE, "a")), BadInput),
        (_read(None, where=Compare(Col("name"), Op.LIKE, "a\\")), BadInput),
        *(
            (_read(None, where=Compare(Col("price"), op, value)), BadInput)
            for op, value in [(Op.EQ, Decimal("NaN")), (Op.LT, Decimal(10) ** 38), (Op.IN, (Decimal("1E-39"), 1))]
        ),
        (_read(None, where=Compare(Col("big"), Op.EQ, 10**39)), BadInput),
        (_read(None, where=Compare(Col("name"), Op.CONTAINS, ("a",))), BadInput),
        (_read(None, where=Compare(Col("tags"), Op.EQ, ("a",))), BadInput),
        (_read(None, where=Compare(Col("c0"), Op.BBOX, (0, 0, 1, 1))), BadInput),
        (_read(_connection(a=Aggregate((), (("s", Measure(AggregateFunction.SUM, Col("name"))),)))), BadInput),
        (_read(_connection(a=Aggregate((Col("tags"),), FIGURES))), BadInput),
        (_read(_connection(a=Aggregate((), (("name", Col("name")),)))), BadInput),
        (_read(None, page=Page(1, after=("x", "y"))), BadInput),
    ],
)
async def test_a_read_that_does_not_fit_is_refused_before_anything_is_sent(
    engine: Engine, read: Read, error: type[Exception]
) -> None:
    ledger = Ledger()
    with pytest.raises(error):
        await read_connection(read, engine, ledger)
    assert ledger.stores == {}


class _FailingCount:
    """The engine, but its second statement fails while the first still runs."""

    def __init__(self, engine: Engine) -> None:
        self.dialect: Dialect = engine.dialect
        self.closed = False

    async def stream(self, statement: Statement, *, ledger: Ledger) -> AsyncGenerator[pa.RecordBatch, None]:
        if "COUNT" in statement.sql:
            raise StoreQueryFailed("clickhouse", "refused")
        try:
            await asyncio.Event().wait()
        finally:
            self.closed = True
        yield pa.RecordBatch.from_pydict({})


async def test_one_failure_ends_the_other_statements(engine: Engine) -> None:
    source = _FailingCount(engine)
    with pytest.raises(StoreQueryFailed, match="refused"):
        await read_connection(_read(_connection(nodes=Nodes(NODE), n=TotalCount())), source, Ledger())
    assert source.closed
