"""The compile station of ClickHouse as a table: a read and its statements. What they answer is tested elsewhere."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from loaders.clickhouse.compile import CLICKHOUSE
from loaders.columnar.compile import Keys, compile_read, compile_stream
from loaders.columnar.statement import Statement
from loaders.description import Column, ColumnType, Kind, Table
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Col,
    Compare,
    Connection,
    ConnectionPart,
    EdgePart,
    Edges,
    Having,
    Measure,
    Nodes,
    Op,
    OrderBy,
    Page,
    Read,
    TotalCount,
    figure,
)
from tests.loaders.postgres.reading import columns

FRAMES = Table(
    "clickhouse",
    None,
    "frames",
    (
        Column("id", ColumnType(Kind.UUID), nullable=False),
        Column("track_id", ColumnType(Kind.UUID), nullable=False),
        Column("at", ColumnType(Kind.TIMESTAMP), nullable=False),
        Column("hits", ColumnType(Kind.INTEGER)),
        Column("classes", ColumnType(Kind.ARRAY, element=ColumnType(Kind.TEXT)), nullable=False),
    ),
    ("id",),
)
ONE, TWO = UUID(int=1), UUID(int=2)
OF_TWO = Keys(("track_id",), ((ONE,), (TWO,)))
BY_HITS = (OrderBy(Col("hits"), descending=True),)
IS_CAR = Compare(Col("classes"), Op.CONTAINS, ("car",))
COUNT, MOST = Measure(AggregateFunction.COUNT), Measure(AggregateFunction.MAX, Col("hits"))
TOP = Aggregate((Col("at"),), (("at", Col("at")), ("most", MOST)), limit=2)
HELD = Aggregate((Col("hits"),), (("hits", Col("hits")),), having=Having((COUNT,), Compare(Col(figure(0)), Op.GT, 1)))


def _read(page: Page = Page(), **parts: ConnectionPart) -> Read:  # noqa: B008 - it is frozen
    return Read(FRAMES, connection=Connection(tuple(parts.items())), page=page)


NODES = {"nodes": Nodes(columns("hits"))}
CASES: dict[str, tuple[Read, Keys | None, list[tuple[str, dict[str, Any]]]]] = {
    "only what is selected is read, and one row more": (
        replace(_read(Page(2), **NODES), where=IS_CAR),
        None,
        [
            (
                'SELECT "t"."hits" AS "c0" FROM "frames" AS t WHERE hasAll("t"."classes", {p0: Array(String)})'
                ' ORDER BY "t"."id" ASC LIMIT 3',
                {"p0": ["car"]},
            )
        ],
    ),
    "the page of each key": (
        replace(_read(Page(2), **NODES), order=BY_HITS),
        OF_TWO,
        [
            (
                'SELECT "t"."track_id" AS "c0", "t"."hits" AS "c1" FROM "frames" AS t'
                ' WHERE "t"."track_id" IN {p0: Array(UUID)}'
                ' ORDER BY "t"."hits" DESC NULLS FIRST, "t"."id" ASC LIMIT 3 BY "t"."track_id"',
                {"p0": [ONE, TWO]},
            )
        ],
    ),
    "a cursor needs what it is made of": (
        replace(_read(Page(2), edges=Edges((("cursor", EdgePart.CURSOR),))), order=BY_HITS),
        None,
        [
            (
                'SELECT "t"."hits" AS "c0", "t"."id" AS "c1" FROM "frames" AS t'
                ' ORDER BY "t"."hits" DESC NULLS FIRST, "t"."id" ASC LIMIT 3',
                {},
            )
        ],
    ),
    "after a cursor": (
        replace(_read(Page(2, after=(5, ONE)), **NODES), order=(OrderBy(Col("hits")),)),
        None,
        [
            (
                'SELECT "t"."hits" AS "c0" FROM "frames" AS t WHERE ("t"."hits" > {p1: Int64}) OR ("t"."hits" IS NULL)'
                ' OR ("t"."hits" = {p1: Int64}) AND ("t"."id" > {p0: UUID})'
                ' ORDER BY "t"."hits" ASC, "t"."id" ASC LIMIT 3',
                {"p0": ONE, "p1": 5},
            )
        ],
    ),
    "from the end, the other way round": (
        _read(Page(2, backward=True), **NODES),
        None,
        [('SELECT "t"."hits" AS "c0" FROM "frames" AS t ORDER BY "t"."id" DESC LIMIT 3', {})],
    ),
    "counts and groups of each key are statements of their own": (
        _read(Page(2), n=TotalCount(), top=TOP),
        OF_TWO,
        [
            (
                'SELECT "t"."track_id" AS "c0", COUNT(*) AS "c1" FROM "frames" AS t'
                ' WHERE "t"."track_id" IN {p0: Array(UUID)} GROUP BY "t"."track_id"',
                {"p0": [ONE, TWO]},
            ),
            (
                'SELECT "t"."track_id" AS "c0", "t"."at" AS "c1", maxOrNull("t"."hits") AS "c2" FROM "frames" AS t'
                ' WHERE "t"."track_id" IN {p0: Array(UUID)} GROUP BY "t"."track_id", "t"."at"'
                ' ORDER BY "t"."at" ASC LIMIT 2 BY "t"."track_id"',
                {"p0": [ONE, TWO]},
            ),
        ],
    ),
    "groups that hold": (
        _read(held=HELD),
        None,
        [
            (
                'SELECT "t"."c0" AS "c0" FROM (SELECT "t"."hits" AS "c0", COUNT(*) AS "h0" FROM "frames" AS t'
                ' GROUP BY "t"."hits") AS t WHERE "t"."h0" > {p0: Int64} ORDER BY "t"."c0" ASC',
                {"p0": 1},
            )
        ],
    ),
}


def _statements(read: Read, keys: Keys | None) -> list[Statement]:
    compiled = compile_read(read, CLICKHOUSE, keys=keys)
    rows = compiled.rows.statement if compiled.rows is not None else None
    found = [rows, compiled.total, *(statement for _, statement in compiled.aggregates)]
    return [statement for statement in found if statement is not None]


@pytest.mark.parametrize("case", CASES)
def test_statements(case: str) -> None:
    read, keys, expected = CASES[case]
    assert [(statement.sql, statement.named) for statement in _statements(read, keys)] == expected


def test_a_stream_is_neither_sorted_nor_cut() -> None:
    rows = compile_stream(Read(FRAMES, columns("id", "hits")), CLICKHOUSE)
    assert rows.statement.sql == 'SELECT "t"."id" AS "c0", "t"."hits" AS "c1" FROM "frames" AS t'
