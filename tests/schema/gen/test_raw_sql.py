"""Raw SQL through the schema: who may run it, over which tables, within which bounds, and what is audited."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from gateway.http.documents import Documents
from gateway.http.execution import execute
from gateway.settings import Limits
from loaders.clickhouse.client import ClickHouse
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple
from loaders.tables.axion_gen.identity import AuditOutbox
from resolvers.capture import Capture
from resolvers.context import Context
from resolvers.cost import Budget
from schema.build import build, graphql_schema
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.new_york import Answer, asked, made
from tests.schema.gen.world import World

SQL = """query($id: ID!, $sql: String!, $first: Int) { gen { dataset(id: $id) { sql(statement: $sql) {
  sql tables dataSource engine estimate { rows bytes reason }
  answer(first: $first) { columns { name kind } rows rowCount truncated sql bytes }
} } } }"""
JUDGED = "query($id: ID!, $sql: String!) { gen { dataset(id: $id) { sql(statement: $sql) { sql tables } } } }"
COUNT = "SELECT origin, count(*) AS n FROM flights GROUP BY origin ORDER BY origin"


async def run(world: World, user: str, sql: str, *, first: int | None = None, document: str = SQL) -> Answer:
    return await asked(world, user, document, {"id": "@nyc", "sql": sql, "first": first})


def of(answer: Answer) -> Any:
    return answer.data["gen"]["dataset"]["sql"]


async def let_query(stores: GenStores, user: str = "ann") -> None:
    """Ann's role sees the dataset and its tables; this one may write SQL over everything, and sees nothing."""
    role = names.role(9)
    tuples = [
        RelationTuple("user:*", "has_query_dataset", role),
        RelationTuple(names.user(user), "assignee", role),
        RelationTuple(role, "assigned_role", names.SYSTEM),
    ]
    await stores.openfga.write(tuples, ledger=Ledger())


async def audited(stores: GenStores) -> list[tuple[str, str, Any]]:
    async with stores.postgres["axion_gen"].transaction() as session:
        chosen = sa.select(AuditOutbox).where(AuditOutbox.action.startswith("sql.")).order_by(AuditOutbox.id)
        rows = (await session.execute(chosen)).scalars().all()
        return [(row.actor, row.action, row.context) for row in rows]


@pytest.fixture
async def querying(nyc: World, stores: GenStores) -> World:
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.delete(AuditOutbox))
    await let_query(stores)
    return nyc


async def test_a_statement_is_answered(querying: World, stores: GenStores) -> None:
    answer = await run(querying, "ann", COUNT)
    assert answer.errors == []
    found = of(answer)
    assert found["tables"] == ["flights"]
    assert (found["dataSource"], found["engine"]) == (querying.stores["nyc"], "clickhouse")
    assert int(found["estimate"]["rows"]) == 336_776
    assert 0 < int(found["estimate"]["bytes"]) < 20_000_000
    rows = found["answer"]["rows"]
    assert rows == [
        {"origin": "EWR", "n": "120835"},
        {"origin": "JFK", "n": "111279"},
        {"origin": "LGA", "n": "104662"},
    ]
    assert found["answer"]["columns"] == [{"name": "origin", "kind": "text"}, {"name": "n", "kind": "bigint"}]
    assert (found["answer"]["rowCount"], found["answer"]["truncated"]) == (3, False)
    assert '"axion_new_york"."flights"' in found["answer"]["sql"]
    ((actor, action, facts),) = await audited(stores)
    assert (actor, action) == ("user:ann", "sql.run")
    assert facts == {"sql": found["answer"]["sql"], "dataSource": querying.stores["nyc"], "tables": ["flights"]}


async def test_more_rows_than_asked_for_are_told(querying: World) -> None:
    found = of(await run(querying, "ann", COUNT, first=2))["answer"]
    assert (len(found["rows"]), found["rowCount"], found["truncated"]) == (2, 2, True)
    found = of(await run(querying, "ann", COUNT, first=3))["answer"]
    assert (found["rowCount"], found["truncated"]) == (3, False)
    refused = await run(querying, "ann", COUNT, first=1_001)
    assert [error["code"] for error in refused.errors] == ["BAD_USER_INPUT"]


async def test_an_answer_without_rows_has_columns(querying: World) -> None:
    found = of(await run(querying, "ann", "SELECT time_hour, carrier FROM flights WHERE 1 = 2"))["answer"]
    assert found["columns"] == [{"name": "time_hour", "kind": "timestamp"}, {"name": "carrier", "kind": "text"}]
    assert (found["rows"], found["truncated"]) == ([], False)


async def test_values_are_written_as_rows_write_them(querying: World) -> None:
    sql = """
        SELECT time_hour, dep_delay, [1, 2] AS l, toDate('2013-01-02') AS d, map('a', 1) AS m, (1, 'x') AS t,
            toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS u, CAST(1.5 AS Decimal(10, 2)) AS c,
            CAST('b' AS Enum8('a' = 1, 'b' = 2)) AS e, CAST(-5 AS Int128) AS w, 18446744073709551615 AS big,
            CAST(NULL AS Nullable(DateTime)) AS nothing, 0 / 0 AS nan, CAST('1.2.3.4' AS IPv4) AS ip
        FROM flights WHERE tailnum = 'N14228' ORDER BY time_hour LIMIT 1
    """
    answer = await run(querying, "ann", sql)
    assert answer.errors == []
    assert of(answer)["answer"]["rows"] == [
        {
            "time_hour": "2013-01-01T10:00:00+00:00",
            "dep_delay": 2,
            "l": [1, 2],
            "d": "2013-01-02",
            "m": {"a": 1},
            "t": {"1": 1, "2": "x"},
            "u": "61f0c404-5cb3-11e7-907b-a6006ad3dba0",
            "c": "1.50",
            "e": "b",
            "w": "-5",
            "big": "18446744073709551615",
            "nothing": None,
            "nan": None,
            "ip": "1.2.3.4",
        }
    ]


async def test_odd_values_of_clickhouse_are_not_lost(querying: World) -> None:
    sql = r"""
        SELECT map('a', 1, 'a', 2) AS twice, map(char(255), 1) AS keys, tuple(char(255)) AS t, map('a', char(255)) AS m,
            CAST('a\n\'\\\\n' AS Enum8('a\n\'\\\\n' = 1)) AS e, inf AS i, [nan] AS n, tuple(toDate('2020-01-02')) AS d
    """
    answer = await run(querying, "ann", sql)
    assert answer.errors == []
    assert of(answer)["answer"]["rows"] == [
        {
            "twice": [["a", 1], ["a", 2]],
            "keys": {"\ufffd": 1},
            "t": {"1": "\ufffd"},
            "m": {"a": "\ufffd"},
            "e": "a\n'\\\\n",
            "i": None,
            "n": [None],
            "d": {"1": "2020-01-02"},
        }
    ]


async def test_values_within_others_are_what_they_are_by_themselves(querying: World) -> None:
    """ClickHouse's Arrow has numbers and bytes for them, at any depth."""
    sql = """
        WITH toDateTime('2020-01-02 03:04:05') AS at, CAST('b, )' AS Enum8('a' = 1, 'b, )' = -2)) AS e,
            CAST('1.2.3.4' AS IPv4) AS four, CAST('2001:db8::1' AS IPv6) AS six,
            CAST('-170141183460469231731687303715884105728' AS Int128) AS wide, CAST('7' AS UInt256) AS huge
        SELECT [at, NULL] AS ats, map('k', e) AS labels, map(at, [e]) AS by_time, tuple(four, six, wide) AS t,
            [[wide], []] AS wides, [tuple(huge, [four])] AS deep, CAST(NULL AS Nullable(IPv4)) AS nothing,
            CAST(tuple(at, e) AS Tuple(`when it` DateTime, kind Enum8('a' = 1, 'b, )' = -2))) AS n,
            CAST([] AS Array(DateTime)) AS none, [toInt8(1)] AS small, toFixedString('ab', 2) AS fixed
        FROM flights LIMIT 2
    """
    answer = await run(querying, "ann", sql)
    assert answer.errors == []
    wide = "-170141183460469231731687303715884105728"
    at = "2020-01-02T03:04:05+00:00"
    assert (
        of(answer)["answer"]["rows"]
        == [
            {
                "ats": [at, None],
                "labels": {"k": "b, )"},
                "by_time": {at: ["b, )"]},
                "t": {"1": "1.2.3.4", "2": "2001:db8::1", "3": wide},
                "wides": [[wide], []],
                "n": {"when it": at, "kind": "b, )"},
                "deep": [{"1": "7", "2": ["1.2.3.4"]}],
                "nothing": None,
                "none": [],
                "small": [1],
                "fixed": "YWI=",
            }
        ]
        * 2
    )


@pytest.mark.parametrize("user", ["bob", "stranger", "steward"])
async def test_who_lacks_the_flag_is_refused(user: str, querying: World, stores: GenStores) -> None:
    answer = await run(querying, user, COUNT)
    if user == "bob":
        assert [error["code"] for error in answer.errors] == ["FORBIDDEN"]
        assert of(answer) is None
    else:
        assert answer.data["gen"]["dataset"] is None
    assert answer.statements(querying.stores["nyc"]) == 0
    assert await audited(stores) == []


async def test_the_flag_shows_no_table_that_is_not_seen(querying: World, stores: GenStores) -> None:
    """Carl sees the dataset and one of its tables, and may write SQL."""
    await let_query(stores, "carl")
    dataset = (await stores.postgres["axion_gen"].fetch("SELECT id FROM datasets WHERE name = 'nyc'", ledger=Ledger()))[
        0
    ][0]
    role = names.role(10)
    tuples = [
        RelationTuple("user:*", "has_view_dataset", role),
        RelationTuple(names.user("carl"), "assignee", role),
        RelationTuple(role, "assigned_role", names.dataset(dataset)),
        RelationTuple("user:*", "has_view_table", names.role(11)),
        RelationTuple(names.user("carl"), "assignee", names.role(11)),
        RelationTuple(names.role(11), "assigned_role", names.table(dataset, "airlines")),
    ]
    await stores.openfga.write(tuples, ledger=Ledger())
    assert (await run(querying, "carl", "SELECT count(*) AS n FROM airlines")).errors == []
    for sql in (
        "SELECT count(*) AS n FROM flights",
        "SELECT * FROM airlines WHERE carrier IN (SELECT carrier FROM flights)",
        "WITH airlines AS (SELECT * FROM flights) SELECT * FROM airlines",
        "SELECT * FROM airlines AS a JOIN axion_new_york.flights AS f ON a.carrier = f.carrier",
        "SELECT (SELECT max(year) FROM flights) AS y FROM airlines",
        "SELECT * FROM airlines UNION ALL SELECT carrier, carrier FROM flights",
    ):
        hidden = await run(querying, "carl", sql)
        absent = await run(querying, "carl", sql.replace("flights", "no_such"))
        assert [error["code"] for error in hidden.errors] == ["UNKNOWN_TABLE"], sql
        assert [error["message"].replace("no_such", "flights") for error in absent.errors] == [
            error["message"] for error in hidden.errors
        ]
        assert hidden.statements(querying.stores["nyc"]) <= 1  # what describes the table that is seen
    refused = [(actor, facts["reason"]) for actor, action, facts in await audited(stores) if action == "sql.refused"]
    assert refused[0] == ("user:carl", "There is no table 'flights' in this dataset. List its `tables`.")
    assert len(refused) == 12


async def test_what_is_refused_is_written_down(querying: World, stores: GenStores) -> None:
    answer = await run(querying, "ann", "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')", document=JUDGED)
    assert [error["code"] for error in answer.errors] == ["SQL_REFUSED"]
    assert "url (line 1, column 15)" in answer.errors[0]["message"]
    assert answer.statements(querying.stores["nyc"]) == 0
    assert [entry[:2] for entry in await audited(stores)] == [("user:ann", "sql.refused")]


async def test_a_required_filter_holds(querying: World, stores: GenStores) -> None:
    given = {"datasetId": "@nyc", "tableName": "flights", "columnName": "month", "kind": "NUMBER", "operator": "EQ"}
    await made(querying, "GenTableFilter", {**given, "isRequired": True}, user="admin")
    for sql in (
        "SELECT * FROM flights",
        "SELECT 1 AS n FROM (SELECT 1 AS month) AS F CROSS JOIN flights AS f WHERE F.month = 1",
        "SELECT f.day FROM airlines AS a LEFT JOIN flights AS f ON a.carrier = f.carrier WHERE f.month = 1",
        "SELECT * FROM flights WHERE month = 1 OR day = 1",
        "SELECT * FROM flights WHERE month = month",
        "SELECT * FROM flights WHERE NOT month = 1",
        "SELECT * FROM flights AS a JOIN flights AS b ON a.day = b.day WHERE a.month = 1",
        "SELECT * FROM flights WHERE month = 1 UNION ALL SELECT * FROM flights",
        "SELECT * FROM (SELECT * FROM flights) AS f WHERE month = 1",
    ):
        answer = await run(querying, "ann", sql)
        assert [error["code"] for error in answer.errors] == ["FILTER_REQUIRED"], sql
    assert [entry[1] for entry in await audited(stores)] == ["sql.refused"] * 9
    narrowed = "SELECT count(*) AS n FROM flights AS a WHERE (a.month = 1 AND day < 3) OR (2 = a.month)"
    assert (await run(querying, "ann", narrowed)).errors == []


OF_JANUARY = 27_004


async def test_a_required_filter_is_on_the_column_whatever_else_has_its_name(querying: World) -> None:
    """To ClickHouse a name means an alias before it means a column."""
    given = {"datasetId": "@nyc", "tableName": "flights", "columnName": "month", "kind": "NUMBER", "operator": "EQ"}
    await made(querying, "GenTableFilter", {**given, "isRequired": True}, user="admin")
    tuple_ = "CAST(tuple(1) AS Tuple(month UInt8))"
    for sql in (
        "SELECT count(*) AS n FROM flights WHERE month = 1",
        "SELECT count(*) AS n, 1 AS month FROM flights WHERE month = 1",
        "SELECT count(*) AS n, count(dep_delay + (1 AS month)) AS other FROM flights WHERE month = 1",
        "WITH 1 AS month SELECT count(*) AS n FROM flights WHERE month = 1",
        "WITH 1 AS month SELECT count(*) AS n FROM (SELECT dep_delay FROM flights WHERE month = 1) AS x",
        "WITH month -> 1 AS month SELECT count(*) AS n FROM flights WHERE month = 1",
        f"WITH {tuple_} AS f SELECT count(*) AS n FROM flights AS f WHERE f.month = 1",
        f"SELECT {tuple_} AS f, count(*) AS n FROM flights AS f WHERE f.month = 1",
        'SELECT 1 AS "f.month", count(*) AS n FROM flights AS f WHERE f.month = 1',
        f"WITH {tuple_} AS axion_read SELECT count(*) AS n FROM flights AS f WHERE f.month = 1",
        'WITH 1 AS "axion_read.month" SELECT count(*) AS n FROM flights AS f WHERE f.month = 1',
        "SELECT count(*) AS n FROM (SELECT 1 AS month) AS f CROSS JOIN flights AS f WHERE f.month = 1",
        "SELECT count(*) AS n FROM flights ARRAY JOIN [1] AS month WHERE flights.month = 1",
        "SELECT count(*) AS n FROM flights WHERE month = (1 AS month)",
        "SELECT count(*) AS n FROM flights PREWHERE month = 1",
        "SELECT count(*) AS n FROM flights AS f LEFT JOIN airlines AS a ON f.carrier = a.carrier WHERE f.month = 1",
        "SELECT count(*) AS n FROM airlines AS a JOIN flights AS f ON f.carrier = a.carrier WHERE f.month = 1",
    ):
        answer = await run(querying, "ann", sql)
        if answer.errors:
            codes = {error["code"] for error in answer.errors}
            assert codes <= {"FILTER_REQUIRED", "SQL_REFUSED", "STORE_QUERY_FAILED"}, sql
            assert " AS month" in sql or " AS f" in sql or "axion_read" in sql, answer.errors
        else:
            assert int(of(answer)["answer"]["rows"][0]["n"]) in (OF_JANUARY, 0), sql


async def test_a_required_filter_loses_no_row(querying: World) -> None:
    given = {"datasetId": "@nyc", "tableName": "flights", "columnName": "month", "kind": "NUMBER", "operator": "EQ"}
    counted = "SELECT count(*) AS n FROM flights WHERE month = 1 AND origin NOT LIKE 'E%'"
    bucket = "SELECT month * 0 + 1 AS month, count(*) AS n FROM flights WHERE month = 1 GROUP BY month"
    free = of(await run(querying, "ann", counted))["answer"]["rows"]
    assert int(free[0]["n"]) > 0
    await made(querying, "GenTableFilter", {**given, "isRequired": True}, user="admin")
    assert of(await run(querying, "ann", counted))["answer"]["rows"] == free
    (error,) = (await run(querying, "ann", bucket, document=JUDGED)).errors
    assert error["code"] == "FILTER_REQUIRED"
    assert "give nothing else there its name as an alias" in error["message"]


async def test_a_required_filter_on_a_hidden_column_cannot_be_met(querying: World) -> None:
    given = {"datasetId": "@nyc", "tableName": "airlines", "columnName": "name"}
    await made(
        querying, "GenTableFilter", {**given, "kind": "TEXT", "operator": "EQ", "isRequired": True}, user="admin"
    )
    await made(querying, "GenCurationOverride", {**given, "isHidden": True}, user="admin")
    for with_ in ("", "WITH 'Envoy Air' AS name "):
        answer = await run(querying, "ann", f"{with_}SELECT count(*) AS n FROM airlines WHERE name = 'Envoy Air'")
        assert [error["code"] for error in answer.errors] == ["FILTER_REQUIRED"]


async def test_an_alias_does_not_stand_for_a_column_that_is_read_narrowed(querying: World) -> None:
    given = {"datasetId": "@nyc", "tableName": "airlines", "columnName": "name", "isHidden": True}
    await made(querying, "GenCurationOverride", given, user="admin")
    for sql in (
        "WITH upper(name) AS carrier SELECT carrier AS found FROM airlines",
        "WITH name AS carrier SELECT x.carrier AS found FROM airlines AS x",
    ):
        answer = await run(querying, "ann", sql)
        rows = [] if answer.errors else of(answer)["answer"]["rows"]
        assert all(len(row["found"]) == 2 for row in rows), sql


async def test_columns_that_curation_hides_are_not_there(querying: World) -> None:
    given = {"datasetId": "@nyc", "tableName": "airlines", "columnName": "name", "isHidden": True}
    await made(querying, "GenCurationOverride", given, user="admin")
    found = of(await run(querying, "ann", "SELECT * FROM airlines ORDER BY carrier", first=1))
    assert found["answer"]["rows"] == [{"carrier": "9E"}]
    joined = (
        "SELECT b.carrier AS carrier FROM airlines AS a JOIN airlines AS b ON a.carrier = b.carrier ORDER BY 1 LIMIT 1"
    )
    assert of(await run(querying, "ann", joined))["answer"]["rows"] == [{"carrier": "9E"}]
    answer = await run(querying, "ann", "SELECT name FROM airlines")
    assert {error["code"] for error in answer.errors} == {"STORE_QUERY_FAILED"}
    messages = {error["path"][-1]: error["message"] for error in answer.errors}
    refused = f"{querying.stores['nyc']} does not run the statement: Unknown expression identifier `name`"
    assert messages == {"estimate": refused, "answer": refused}


async def test_a_hidden_column_of_a_type_that_is_not_described_is_not_there(
    querying: World, clickhouse_client: ClickHouse
) -> None:
    """To ClickHouse `finalizeAggregation` makes a value of it."""
    try:
        await clickhouse_client.command(
            "CREATE TABLE axion_new_york.states (id UInt8, s AggregateFunction(sum, UInt64)) ENGINE = Memory",
            ledger=Ledger(),
        )
        await clickhouse_client.command(
            "INSERT INTO axion_new_york.states SELECT 1, sumState(toUInt64(7))", ledger=Ledger()
        )
        secret = "SELECT id, finalizeAggregation(s) AS secret FROM states"
        assert of(await run(querying, "ann", secret))["answer"]["rows"] == [{"id": 1, "secret": "7"}]
        given = {"datasetId": "@nyc", "tableName": "states", "columnName": "s", "isHidden": True}
        await made(querying, "GenCurationOverride", given, user="admin")
        answer = await run(querying, "ann", secret)
        assert {error["code"] for error in answer.errors} == {"STORE_QUERY_FAILED"}
        assert of(answer)["answer"] is None
        assert of(await run(querying, "ann", "SELECT * FROM states"))["answer"]["rows"] == [{"id": 1}]
    finally:
        await clickhouse_client.command("DROP TABLE IF EXISTS axion_new_york.states", ledger=Ledger())


async def test_the_same_rows_as_arrow(querying: World, stores: GenStores) -> None:
    context = querying.as_("ann")
    context.capture = Capture()
    document = """query($id: ID!, $sql: String!) { gen { dataset(id: $id) { sql(statement: $sql) {
      answer { rows }
    } } } }"""
    operation = Documents(graphql_schema(build()), Limits()).prepare(document, None)
    given = querying.with_ids({"id": "@nyc", "sql": "SELECT carrier, time_hour FROM flights"})
    found: Any = execute(graphql_schema(build()), operation, given, context)
    assert (await found).errors is None
    ledger = Ledger()
    chunks = [bytes(chunk) async for chunk in context.capture.one().chunks(ledger, compressed=True)]
    table = pa.ipc.open_stream(b"".join(chunks)).read_all()
    assert table.schema == pa.schema([("carrier", pa.string()), ("time_hour", pa.timestamp("s", "UTC"))])
    received = ledger.stores[querying.stores["nyc"]].rows
    assert table.num_rows == received - 2 == 336_776  # and what its types are, asked for
    assert [entry[:2] for entry in await audited(stores)] == [("user:ann", "sql.run")]


ROWS = """query($id: ID!) { gen { dataset(id: $id) { table(name: "flights") {
  estimate(select: ["month"]) { rows bytes reason } %s
} } } }"""


@pytest.mark.parametrize(
    "asked_for",
    [
        'rows(select: ["month"], first: 1) { nodes }',
        'aggregate(groupBy: ["month"], measures: [{function: COUNT}])',
    ],
)
async def test_what_a_document_may_read_is_refused_before_it_is_read(asked_for: str, querying: World) -> None:
    unbounded = await asked(querying, "ann", ROWS % asked_for, {"id": "@nyc"})
    assert unbounded.errors == []
    estimate = unbounded.data["gen"]["dataset"]["table"]["estimate"]
    assert (estimate["rows"], estimate["reason"]) == ("336776", None)
    bytes_ = int(estimate["bytes"])

    def within(budget: int) -> World:
        def bounded(user: str) -> Context:
            context = querying.as_(user)
            context.budget = Budget(100_000, scanned_bytes=budget)
            return context

        return replace(querying, as_=bounded)

    assert (await asked(within(bytes_), "ann", ROWS % asked_for, {"id": "@nyc"})).errors == []
    refused = await asked(within(bytes_ - 1), "ann", ROWS % asked_for, {"id": "@nyc"})
    assert [error["code"] for error in refused.errors] == ["COST_EXCEEDED"]
    assert refused.data["gen"]["dataset"]["table"]["estimate"] == estimate  # which costs nothing
    refused = await run(within(1), "ann", COUNT)
    assert [error["code"] for error in refused.errors] == ["COST_EXCEEDED"]
    assert of(refused)["estimate"]["rows"] == "336776"
