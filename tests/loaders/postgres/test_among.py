"""Keys of several columns, looked up in the index of the key wherever the condition stands."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.postgres.compile import compile_read
from loaders.read import Among, And, Col, Compare, Op, Or, Predicate
from tests.loaders.postgres.database import execute
from tests.loaders.postgres.reading import columns, listed

NUMBER = ColumnType(Kind.INTEGER)
PAIRS = Table("scratch", None, "pairs", (Column("a", NUMBER, False), Column("b", NUMBER, False)), ("a", "b"))
MANY = 20_000
ASKED = Among(("a", "b"), ((1, 5), (1, 19_000), (2, 7), (1, 5), (3, 3)))


@pytest.fixture(scope="module")
async def pairs(scratch_url: str, postgres: Postgres) -> AsyncIterator[Postgres]:
    """Nearly all rows agree in the first column of the key."""
    await execute(
        scratch_url,
        "CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b))",
        f"INSERT INTO pairs SELECT 1, b FROM generate_series(1, {MANY}) AS b",
        "INSERT INTO pairs SELECT 2, b FROM generate_series(1, 10) AS b",
        "ANALYZE pairs",
    )
    yield postgres
    await execute(scratch_url, "DROP TABLE pairs")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (ASKED, 3),
        (Or((ASKED, And((Compare(Col("a"), Op.EQ, 2), Compare(Col("b"), Op.EQ, 9))))), 4),
    ],
)
async def test_only_its_rows_are_read(pairs: Postgres, where: Predicate, found: int) -> None:
    statement = compile_read(listed(PAIRS, columns("a", "b"), where))
    text = await pairs.fetch_json(statement.sql, statement.parameters, ledger=Ledger())
    assert text is not None
    assert len(json.loads(text)["nodes"]) == found
    ((plan,),) = await pairs.fetch(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *statement.parameters, ledger=Ledger()
    )
    assert _read(json.loads(plan)[0]["Plan"]) < 20


def _read(plan: Any) -> int:
    """Rows that scans of the table, or of its index, have met."""
    own = 0
    if "Scan" in plan["Node Type"] and "Function" not in plan["Node Type"] and "Subquery" not in plan["Node Type"]:
        own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return int(own) + sum(map(_read, plan.get("Plans", ())))
