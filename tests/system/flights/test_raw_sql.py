"""SQL of one's own over HTTP, on every engine: as by hand, as JSON and as Arrow; and attacked by every user."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from tests.loaders.raw_sql.hostile import HOSTILE, HOSTILE_EVERYWHERE
from tests.system.client import Answer, Client
from tests.system.flights.by_hand import ByHand
from tests.system.flights.conftest import Engine
from tests.system.flights.test_questions import same

DIALECTS = {"bigquery": "axionbigquery", "clickhouse": "clickhouse", "impala": "axionimpala"}
"""Of the engines that do not speak DuckDB's."""
EACH = 30
REFUSALS = ("SQL_REFUSED", "UNKNOWN_TABLE")
SQL = """query Sql($dataset: ID!, $sql: String!, $first: Int) { gen { dataset(id: $dataset) { sql(statement: $sql) {
  answer(first: $first) { rows rowCount truncated }
} } } }"""
ROWS = """query Rows($dataset: ID!, $sql: String!, $first: Int) { gen { dataset(id: $dataset) { sql(statement: $sql) {
  answer(first: $first) { rows }
} } } }"""
MAKERS = """
WITH few AS (SELECT tailnum, manufacturer AS maker FROM planes WHERE seats > 300)
SELECT few.maker AS maker, count(*) AS n, max(f.distance) AS farthest
FROM flights AS f JOIN few ON few.tailnum = f.tailnum GROUP BY few.maker ORDER BY few.maker
"""
TO_HONOLULU = "SELECT carrier, flight, origin, distance FROM flights WHERE dest = 'HNL'"


async def test_the_same_as_by_hand(engine: Engine, client: Client, hand: ByHand) -> None:
    answer = await client.ask(SQL, {"dataset": engine.dataset, "sql": MAKERS, "first": None})
    found = answer.data["gen"]["dataset"]["sql"]["answer"]
    expected = hand.rows(MAKERS)
    same(found["rows"], expected)
    assert (found["rowCount"], found["truncated"]) == (len(expected), False)
    answer = await client.ask(SQL, {"dataset": engine.dataset, "sql": MAKERS, "first": 1})
    found = answer.data["gen"]["dataset"]["sql"]["answer"]
    same(found["rows"], expected[:1])
    assert (found["rowCount"], found["truncated"]) == (1, True)


async def test_as_arrow(engine: Engine, client: Client, hand: ByHand) -> None:
    """More rows than an answer of JSON has, whole; and at most `first` of them."""
    every, few = "SELECT flight FROM flights WHERE carrier = 'HA' OR dest = 'HNL' OR distance > 2500", 7
    for sql, first in ((TO_HONOLULU, None), (every, None), (every, few)):
        variables = {"dataset": engine.dataset, "sql": sql, "first": first}
        async with client.arrow(ROWS, variables) as response:
            body = await response.read()
            assert response.status == 200, body[:500]
        table = pa.ipc.open_stream(body).read_all()
        expected = hand.rows(sql)
        assert table.num_rows == (len(expected) if first is None else first)
        if sql == TO_HONOLULU:
            assert table.column_names == list(expected[0])
            assert sorted(map(_texts, table.to_pylist())) == sorted(map(_texts, expected))
    assert len(hand.rows(every)) > 1_000


def _texts(row: dict[str, object]) -> tuple[str, ...]:
    return tuple(map(str, row.values()))


@pytest.mark.parametrize("user", ["admin", "analyst", "stranger", None])
async def test_hostile_statements(engine: Engine, client: Client, user: str | None) -> None:
    """Who has the flag is told what is wrong with each, the others see no dataset.

    Nothing is sent to the engine, but for a look whether a table is there that a statement names.
    """
    statements = (*HOSTILE_EVERYWHERE, *HOSTILE[DIALECTS.get(engine.name, "duckdb")])
    for start in range(0, len(statements) if user == "admin" else EACH, EACH):
        part = statements[start : start + EACH]
        answer = await _judged(engine, client, user, part)
        dataset = answer.body["data"]["gen"]["dataset"]
        codes = {error["path"][-1]: error["extensions"]["code"] for error in answer.errors}
        assert answer.statements.get(engine.store, 0) <= list(codes.values()).count("UNKNOWN_TABLE")
        if user != "admin":
            assert dataset is None
            assert set(codes.values()) == ({"UNAUTHENTICATED"} if user is None else set())
            continue
        assert dataset == dict.fromkeys(f"s{place}" for place in range(len(part)))
        taken = {part[int(name[1:])]: codes.get(name) for name in dataset if codes.get(name) not in REFUSALS}
        assert taken == {}


async def _judged(engine: Engine, client: Client, user: str | None, statements: Sequence[str]) -> Answer:
    """Each as a field, of what it would be answered."""
    names = [f"s{place}" for place in range(len(statements))]
    fields = " ".join(f"{name}: sql(statement: ${name}) {{ answer {{ rows }} }}" for name in names)
    declared = ", ".join(f"${name}: String!" for name in names)
    document = f"query Hostile($dataset: ID!, {declared}) {{ gen {{ dataset(id: $dataset) {{ {fields} }} }} }}"
    variables = {"dataset": engine.dataset, **dict(zip(names, statements, strict=True))}
    return await client.ask(document, variables, user=user)
