"""Metrics grouped by columns of other tables: orders and their line items, as TPC-H has them, in ClickHouse."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from loaders.encode.node_id import decode_node_id
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple
from tests.clickhouse_source import source_settings
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.new_york import Answer, add_source, asked, made
from tests.schema.gen.world import World

DATABASE = "axion_tpch"
MODES = ("AIR", "RAIL", "SHIP", None)
PRIORITIES = ("HIGH", "LOW", None)
ORDERS: list[dict[str, Any]] = [
    {"o_key": n, "o_total": n % 7 + 1, "o_priority": PRIORITIES[n % 3], "o_day": f"2024-03-{n % 28 + 1:02}"}
    for n in range(200)
]
"""Every tenth has no items, the others one to five."""
ITEMS: list[dict[str, Any]] = [
    {"l_order": order["o_key"], "l_line": line, "l_mode": MODES[(order["o_key"] + line) % 4], "l_price": line + 1}
    for order in ORDERS
    for line in range(order["o_key"] % 10 and order["o_key"] % 5 + 1)
]
METRIC = """
query Metric($id: ID!, $name: String!, $version: Int, $groupBy: [String!], $time: GenMetricTime, $where: GenRowFilter) {
  gen { dataset(id: $id) { metric(name: $name, version: $version) {
    answer(groupBy: $groupBy, time: $time, where: $where) {
      rows columns { name kind } parts { name version }
    }
  } } }
}
"""
SQL = """query Sql($id: ID!, $name: String!) { gen { dataset(id: $id) { metric(name: $name) {
  answer(groupBy: ["priority"]) { rowCount sql }
} } } }"""
TO_ITEMS = {"name": "items", "table": "lineitem", "on": [{"column": "o_key", "equals": "l_order"}]}
TO_ORDER = {"name": "order", "table": "orders", "on": [{"column": "l_order", "equals": "o_key"}]}
MANY = {"cardinality": "ONE_TO_MANY"}
TOTAL = {"function": "SUM", "column": "o_total"}


@pytest.fixture(scope="module")
async def database(clickhouse_client: ClickHouse) -> AsyncIterator[str]:
    await clickhouse_client.command(f"DROP DATABASE IF EXISTS {DATABASE}", ledger=Ledger())
    await clickhouse_client.command(f"CREATE DATABASE {DATABASE}", ledger=Ledger())
    columns = {
        "orders": "o_key Int32, o_total Int32, o_priority Nullable(String), o_day Date32",
        "lineitem": "l_order Int64, l_line Int32, l_mode Nullable(String), l_price Int32",
    }
    for name, rows in (("orders", ORDERS), ("lineitem", ITEMS)):
        spelled = f"CREATE TABLE {DATABASE}.{name} ({columns[name]}) ENGINE = MergeTree ORDER BY ()"
        await clickhouse_client.command(spelled, ledger=Ledger())
        table = pa.Table.from_pylist(rows)
        if name == "orders":
            table = table.set_column(3, "o_day", table["o_day"].cast(pa.date32()))
        await clickhouse_client.insert_arrow(f"{DATABASE}.{name}", table, ledger=Ledger())
    yield DATABASE
    await clickhouse_client.command(f"DROP DATABASE {DATABASE}", ledger=Ledger())


@pytest.fixture
async def tpch(world: World, stores: GenStores, database: str, settings: Settings) -> World:
    given = source_settings(settings, database)
    return await add_source(world, stores, source="tpch", dataset="tpch", settings=given, connector="clickhouse")


async def define(world: World, name: str, kind: str = "simple", dimensions: Any = (), **given: Any) -> None:
    table = {"tableName": given.pop("table", "orders")} if kind == "simple" else {}
    time = {"timeColumn": time} if (time := given.pop("time", None)) else {}
    row = {"datasetId": "@tpch", "name": name, "title": name, "kind": kind.upper(), "dimensions": list(dimensions)}
    await made(world, "GenSemanticMetric", {**row, **table, **time, "definition": given}, user="admin")


async def ask(world: World, name: str, *by: str, user: str = "ann", **variables: Any) -> Answer:
    return await asked(world, user, METRIC, {"id": "@tpch", "name": name, "groupBy": list(by), **variables})


def rows(answer: Answer) -> list[dict[str, Any]]:
    assert not answer.errors, answer.errors
    found: list[dict[str, Any]] = answer.data["gen"]["dataset"]["metric"]["answer"]["rows"]
    return found


def by(answer: Answer, dimension: str, name: str) -> dict[Any, Any]:
    found = rows(answer)
    assert len({row[dimension] for row in found}) == len(found)
    return {row[dimension]: row[name] for row in found}


async def test_no_total_is_inflated(tpch: World) -> None:
    """Whatever the join is declared to be, an order's total counts once or the join is refused by its name."""
    total = sum(order["o_total"] for order in ORDERS)
    inflated = sum(order["o_total"] for order in ORDERS for item in ITEMS if item["l_order"] == order["o_key"])
    assert inflated > 2 * total
    await define(tpch, "wrong", dimensions=["items.l_mode"], measure=TOTAL, joins=[TO_ITEMS])
    await define(tpch, "told", measure=TOTAL, joins=[TO_ITEMS | MANY])
    flag = {"column": "items.l_mode", "eq": "AIR"}
    for name, by_, where, asked_of_store in (("wrong", ["items.l_mode"], None, 2 + 1), ("told", [], flag, 2)):
        answer = await ask(tpch, name, *by_, where=where)
        (error,) = answer.errors
        assert (error["code"], error["join"]) == ("METRIC_FANOUT", "items")
        assert "o_key = lineitem.l_order" in error["message"]
        asked = answer.statements(tpch.stores["tpch"])
        assert asked == asked_of_store, "descriptions; and where it is not told, the query itself"
        assert rows(await ask(tpch, name)) == [{name: str(total)}], "a join that is not needed is not made"
    row = {"datasetId": "@tpch", "name": "x", "title": "x", "kind": "SIMPLE", "tableName": "orders"}
    given = {**row, "dimensions": ["items.l_mode"], **of_joins([TO_ITEMS | MANY])}
    done = await tpch.do("admin", "genSemanticMetricCreate", given)
    assert (done["code"], done["field"]) == ("METRIC_FANOUT", "dimensions")
    answer = await ask(tpch, "wrong", where=flag)
    assert answer.errors[0]["code"] == "METRIC_FANOUT", "nor does a condition hide the rows that differ"


async def test_a_join_that_is_aggregated_first(tpch: World) -> None:
    measures = [{"function": "COUNT", "as": "n"}, {"function": "SUM", "column": "l_price", "as": "price"}]
    joins = [TO_ITEMS | MANY | {"measures": measures}]
    await define(tpch, "total", dimensions=["items.n"], measure=TOTAL, joins=joins)
    await define(tpch, "price", dimensions=["o_priority"], measure=TOTAL | {"column": "items.price"}, joins=joins)
    count = Counter(item["l_order"] for item in ITEMS)
    expected: Counter[int] = Counter()
    for order in ORDERS:
        expected[count[order["o_key"]]] += order["o_total"]
    assert by(await ask(tpch, "total", "items.n"), "items.n", "total") == {n: str(of) for n, of in expected.items()}
    answer = await ask(tpch, "total", where={"column": "items.n", "gte": 5})
    assert rows(answer) == [{"total": str(expected[5])}]
    prices: Counter[str | None] = Counter()
    for item in ITEMS:
        prices[ORDERS[item["l_order"]]["o_priority"]] += item["l_price"]
    found = by(await ask(tpch, "price", "o_priority"), "o_priority", "price")
    assert {key: int(value) for key, value in found.items()} == prices


async def test_what_is_counted_by_its_values_may_be_repeated(tpch: World) -> None:
    distinct = {"function": "COUNT_DISTINCT", "column": "o_key"}
    await define(tpch, "orders", dimensions=["items.l_mode"], measure=distinct, joins=[TO_ITEMS | MANY])
    met = defaultdict(set)
    for order in ORDERS:
        for mode in {item["l_mode"] for item in ITEMS if item["l_order"] == order["o_key"]} or {None}:
            met[mode].add(order["o_key"])
    found = by(await ask(tpch, "orders", "items.l_mode"), "items.l_mode", "orders")
    assert found == {mode: len(keys) for mode, keys in met.items()}


async def test_metrics_of_different_grain_meet_by_their_names(tpch: World) -> None:
    """The price of items by a column of their orders, over the orders themselves; days are the orders', too."""
    joins = [TO_ORDER]
    names_ = {"priority": "order.o_priority", "day": "order.o_day"}
    price = {"function": "SUM", "column": "l_price"}
    await define(
        tpch, "price", dimensions=["priority"], table="lineitem", time="day", measure=price, joins=joins, names=names_
    )
    await define(
        tpch,
        "orders",
        dimensions=["priority"],
        time="o_day",
        measure={"function": "COUNT"},
        names={"priority": "o_priority"},
    )
    await define(tpch, "price_of_order", "ratio", numerator="price", denominator="orders")
    await define(tpch, "so_far", "cumulative", time="day", metric="price_of_order", grainToDate="MONTH")
    prices: Counter[str | None] = Counter()
    for item in ITEMS:
        prices[ORDERS[item["l_order"]]["o_priority"]] += item["l_price"]
    orders = Counter(order["o_priority"] for order in ORDERS)
    answer = await ask(tpch, "price_of_order", "priority")
    assert by(answer, "priority", "price_of_order") == {key: prices[key] / orders[key] for key in orders}
    shown = answer.data["gen"]["dataset"]["metric"]["answer"]
    assert [each["name"] for each in shown["parts"]] == ["price_of_order", "price", "orders"]
    assert shown["columns"] == [{"name": "priority", "kind": "text"}, {"name": "price_of_order", "kind": "float"}]
    sent = (await asked(tpch, "admin", SQL, {"id": "@tpch", "name": "price_of_order"})).data["gen"]["dataset"]["metric"]
    assert len(sent["answer"]["sql"]) == 2
    assert sum("LEFT JOIN" in sql for sql in sent["answer"]["sql"]) == 1
    hidden = await asked(tpch, "ann", SQL, {"id": "@tpch", "name": "price_of_order"})
    assert [(error["code"], error["path"][-1]) for error in hidden.errors] == [("FORBIDDEN", "sql")]
    assert hidden.data["gen"]["dataset"]["metric"]["answer"] == {"rowCount": len(PRIORITIES), "sql": None}
    where = {"column": "priority", "isNull": True}
    assert rows(await ask(tpch, "price_of_order", where=where)) == [{"price_of_order": prices[None] / orders[None]}]
    time = {"unit": "DAY", "from": "2024-03-01", "to": "2024-03-29"}
    found = rows(await ask(tpch, "so_far", time=time))
    assert (len(found), found[-1]["time"]) == (28, "2024-03-28")
    assert found[-1]["so_far"] == prices.total() / orders.total()


async def test_a_key_without_an_own_row_and_one_of_several(tpch: World) -> None:
    """A join's `where` may leave one row for each key: the first line of each order."""
    first = TO_ITEMS | {"where": {"column": "l_line", "eq": 0}}
    await define(tpch, "total", dimensions=["items.l_mode"], measure=TOTAL, joins=[first])
    expected: Counter[str | None] = Counter()
    modes = {item["l_order"]: item["l_mode"] for item in ITEMS if item["l_line"] == 0}
    for order in ORDERS:
        expected[modes.get(order["o_key"])] += order["o_total"]
    found = by(await ask(tpch, "total", "items.l_mode"), "items.l_mode", "total")
    assert {key: int(value) for key, value in found.items()} == expected
    answer = await ask(
        tpch, "total", where={"or": [{"column": "items.l_mode", "eq": "AIR"}, {"column": "o_key", "lt": 0}]}
    )
    assert rows(answer) == [{"total": str(expected["AIR"])}]


async def test_a_table_that_may_not_be_seen(tpch: World, stores: GenStores) -> None:
    """Who sees the dataset and the orders' table alone is told that there is no other, and nothing is asked of it."""
    _, key = decode_node_id(tpch.ids["tpch"])
    dataset = UUID(key)
    of_dataset, of_table = names.role(21), names.role(22)
    tuples = [
        RelationTuple("user:*", "has_view_dataset", of_dataset),
        RelationTuple("user:*", "has_view_table", of_table),
        *(RelationTuple(names.user("clerk"), "assignee", role) for role in (of_dataset, of_table)),
        RelationTuple(of_dataset, "assigned_role", names.dataset(dataset)),
        RelationTuple(of_table, "assigned_role", names.table(dataset, "orders")),
    ]
    await stores.openfga.write(tuples, ledger=Ledger())
    first = TO_ITEMS | {"where": {"column": "l_line", "eq": 0}}
    await define(tpch, "total", dimensions=["o_priority", "items.l_mode"], measure=TOTAL, joins=[first])
    assert len(rows(await ask(tpch, "total", "o_priority", user="clerk"))) == 3
    for variables in ({"groupBy": ["items.l_mode"]}, {"where": {"column": "items.l_mode", "eq": "AIR"}}):
        given = {"id": "@tpch", "name": "total", **variables}
        answer = await asked(tpch, "clerk", METRIC, given)
        assert [error["code"] for error in answer.errors] == ["NOT_FOUND"]
        assert answer.statements(tpch.stores["tpch"]) == 1, (
            "the orders are described, and nothing is asked of the items"
        )


async def test_a_joined_column_that_is_hidden(tpch: World) -> None:
    """As one that is not there, in the same words: whatever asks for it, nothing is asked of the rows."""
    first = TO_ITEMS | {"where": {"column": "l_line", "eq": 0}}
    priced = TO_ITEMS | MANY | {"measures": [{"function": "SUM", "column": "l_price", "as": "price"}]}
    more: dict[str, Any] = {"dimensions": ["o_priority", "mode", "items.l_mode"], "measure": TOTAL}
    await define(tpch, "total", joins=[first], names={"mode": "items.l_mode"}, **more)
    await define(tpch, "own", joins=[first], measure=TOTAL, where={"column": "items.l_mode", "eq": "AIR"})
    await define(tpch, "met", dimensions=["items.l_mode"], measure=TOTAL, joins=[first])
    await define(tpch, "priced", dimensions=["items.price"], measure=TOTAL, joins=[priced])
    assert len(rows(await ask(tpch, "total", "mode"))) == 4
    for column in ("l_mode", "l_price", "l_line"):
        hidden = {"datasetId": "@tpch", "tableName": "lineitem", "columnName": column, "isHidden": True}
        await made(tpch, "GenCurationOverride", hidden, user="admin")
    flag = {"column": "items.l_mode", "eq": "AIR"}
    for user in ("ann", "admin"):
        for name, by_, where in (
            ("total", ["mode"], None),
            ("total", ["items.l_mode"], None),
            ("total", [], flag),
            ("total", [], {"or": [{"not": flag}, {"column": "o_key", "gte": 0}]}),
            ("own", [], None),
            ("met", ["items.l_mode"], None),
            ("priced", ["items.price"], None),
        ):
            answer = await ask(tpch, name, *by_, user=user, where=where)
            assert [error["code"] for error in answer.errors] == ["UNKNOWN_COLUMN"], (name, by_, where)
            assert answer.statements(tpch.stores["tpch"]) == 2, "descriptions alone"
            told = answer.errors[0]["message"]
            assert told.count("l_mode") + told.count("l_price") + told.count("l_line") == 1, told
        assert len(rows(await ask(tpch, "total", "o_priority", user=user))) == 3
    given = {"datasetId": "@tpch", "name": "x", "title": "x", "kind": "SIMPLE", "tableName": "orders"}
    for column in ("l_mode", "l_gone"):
        row = {**given, **of_joins([TO_ITEMS | MANY]), "dimensions": [f"items.{column}"]}
        row["definition"]["measure"] = {"function": "COUNT_DISTINCT", "column": "o_key"}
        done = await tpch.do("admin", "genSemanticMetricCreate", row)
        assert (done["field"], done["message"].replace(column, "?").count("?")) == ("dimensions", 1), done


async def test_a_joined_table_that_is_only_read_narrowed(tpch: World) -> None:
    demanded = {
        "datasetId": "@tpch",
        "tableName": "lineitem",
        "columnName": "l_line",
        "kind": "SELECT",
        "operator": "EQ",
    }
    await made(tpch, "GenTableFilter", {**demanded, "isRequired": True}, user="admin")
    await define(tpch, "open", dimensions=["items.l_mode"], measure=TOTAL, joins=[TO_ITEMS])
    first = TO_ITEMS | {"where": {"column": "l_line", "eq": 0}}
    await define(tpch, "narrow", dimensions=["items.l_mode"], measure=TOTAL, joins=[first])
    answer = await ask(tpch, "open", "items.l_mode")
    assert [error["code"] for error in answer.errors] == ["FILTER_REQUIRED"]
    assert rows(await ask(tpch, "narrow", "items.l_mode"))


async def test_a_definition_is_held_against_its_tables(tpch: World) -> None:
    """What is refused when it is written: the field, and what the message names."""
    items = [TO_ITEMS | MANY]
    await define(tpch, "one", "ratio", numerator="two", denominator="two")
    simple = {"kind": "SIMPLE", "tableName": "orders", "definition": {"measure": TOTAL}}
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"tableName": "gone"}, "tableName", "'gone'"),
        ({"grain": ["o_gone"]}, "grain", "o_key"),
        ({"dimensions": ["o_gone"]}, "dimensions", "o_key"),
        ({"dimensions": ["items.l_mode"]}, "dimensions", "items.l_mode"),
        ({"dimensions": ["x"]}, "dimensions", "metric's name"),
        ({"name": "time"}, "name", "'time'"),
        ({"timeColumn": "o_total"}, "timeColumn", "integer"),
        ({"timeColumn": "o_gone"}, "timeColumn", "o_day"),
        ({"definition": {"measure": TOTAL | {"column": "o_gone"}}}, "definition", "o_gone"),
        ({"definition": {"measure": TOTAL | {"column": "o_priority"}}}, "definition", "numbers"),
        ({"definition": {"measure": {"function": "MIN", "column": "o_priority"}}}, "definition", "number"),
        ({"definition": {"measure": TOTAL, "where": {"column": "o_gone", "eq": 1}}}, "definition", "o_gone"),
        ({"definition": {"measure": TOTAL, "where": {"column": "o_key", "eq": "x"}}}, "definition", "o_key"),
        (of_joins([TO_ITEMS | {"table": "gone"}]), "definition", "'gone'"),
        (of_joins([TO_ITEMS | {"on": [{"column": "o_priority", "equals": "l_order"}]}]), "definition", "text"),
        (of_joins([TO_ITEMS | {"on": [{"column": "o_key", "equals": "gone"}]}]), "definition", "gone"),
        (of_joins([TO_ITEMS, TO_ITEMS]), "definition", "two `joins`"),
        (of_joins([TO_ITEMS | {"from": "later"}]), "definition", "later"),
        (of_joins([TO_ITEMS | {"measures": [{"function": "COUNT"}]}]), "definition", "ONE_TO_MANY"),
        (of_joins([TO_ITEMS | MANY | {"measures": [{"function": "COUNT"}] * 2}]), "definition", "`as`"),
        ({**of_joins(items), "dimensions": ["items.l_mode"]}, "dimensions", "'items'"),
        (
            {
                "kind": "RATIO",
                "tableName": None,
                "definition": {"numerator": "one", "denominator": "one"},
                "name": "two",
            },
            "definition",
            "itself",
        ),
    ]
    for given, field, told in cases:
        row = {"datasetId": "@tpch", "name": "x", "title": "x", **simple, **given}
        done = await tpch.do("admin", "genSemanticMetricCreate", row)
        assert (done.get("field"), told in done.get("message", "")) == (field, True), (given, done)


def of_joins(joins: list[dict[str, Any]]) -> dict[str, Any]:
    return {"definition": {"measure": TOTAL, "joins": joins}}


async def test_names_that_are_sql_are_only_names(tpch: World) -> None:
    odd = 'o"; DROP TABLE orders; --'
    row = {
        "datasetId": "@tpch",
        "name": "x",
        "title": "x",
        "kind": "SIMPLE",
        "tableName": "orders",
        "dimensions": [odd],
    }
    done = await tpch.do("admin", "genSemanticMetricCreate", {**row, "definition": {"measure": TOTAL}})
    assert done["field"] == "dimensions"
    for name, definition in (
        ("a b", {}),
        ("x", {"names": {'a"b': "o_key"}}),
        ("x", {"joins": [TO_ITEMS | {"name": "J'"}]}),
    ):
        given = row | {"name": name, "dimensions": [], "definition": {"measure": TOTAL, **definition}}
        assert (await tpch.do("admin", "genSemanticMetricCreate", given))["__typename"] == "InvalidInput"
    await define(tpch, "total", dimensions=["o_priority"], measure=TOTAL)
    answer = await ask(tpch, "total", "o_priority", where={"column": "o_priority", "eq": "HIGH' OR 1 = 1 --"})
    assert rows(answer) == []
    (nothing,) = rows(await ask(tpch, "total", where={"column": "o_key", "lt": 0}))
    assert nothing == {"total": None}
