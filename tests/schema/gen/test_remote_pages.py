"""Walking the pages of a remote table as a client does: each row occurs once, while others are inserted."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from loaders.clickhouse.client import ClickHouse
from loaders.ledger import Ledger
from tests.schema.gen.new_york import Answer, asked
from tests.schema.gen.world import World

WALK = """
query ($dataset: ID!, $table: String!, $select: [String!], $order: [GenRowOrder!], $after: String) {
  node(id: $dataset) { ... on GenDataset { table(name: $table) {
    rows(select: $select, orderBy: $order, first: 7, after: $after) { nodes pageInfo { hasNextPage endCursor } }
  } } }
}
"""
BY_TAG = [{"column": "tag", "direction": "DESC"}]


@pytest.fixture
async def written(new_york_database: str, clickhouse_client: ClickHouse) -> AsyncIterator[tuple[ClickHouse, str]]:
    """A table of 60 rows, 15 of each kind: only their lists tell some of them apart."""
    table = f"{new_york_database}.pages"
    columns = "(n Int32, tag Nullable(String), size Nullable(Float64), list Array(String))"
    await clickhouse_client.command(f"CREATE TABLE {table} {columns} ENGINE = MergeTree ORDER BY ()", ledger=Ledger())
    kinds = (
        "multiIf(number % 4 = 0, NULL, number % 4 = 1, 'a', 'b'), if(number % 4 = 1, nan, -0.), [toString(number % 4)]"
    )
    await clickhouse_client.command(f"INSERT INTO {table} SELECT 1, {kinds} FROM numbers(60)", ledger=Ledger())
    yield clickhouse_client, table
    await clickhouse_client.command(f"DROP TABLE {table}", ledger=Ledger())


async def page(world: World, table: str, **variables: Any) -> Answer:
    return await asked(world, "ann", WALK, {"dataset": "@nyc", "table": table, **variables})


def rows_of(answer: Answer) -> Any:
    assert not answer.errors
    return answer.data["node"]["table"]["rows"]


async def test_a_walk_shows_each_row_once_while_rows_are_inserted(nyc: World, written: tuple[ClickHouse, str]) -> None:
    client, table = written
    seen: list[Any] = []
    after, more, inserted = None, True, 0
    while more:
        rows = rows_of(await page(nyc, "pages", order=BY_TAG, after=after))
        seen += rows["nodes"]
        after, more = rows["pageInfo"]["endCursor"], rows["pageInfo"]["hasNextPage"]
        for tag in ("NULL", "'a'", "'b'", "'zz'"):
            inserted += 1
            await client.command(f"INSERT INTO {table} VALUES ({inserted + 1}, {tag}, 1, [])", ledger=Ledger())
    counts = Counter((row["n"], row["tag"], row["size"], *row["list"]) for row in seen)
    old = {key: count for key, count in counts.items() if key[0] == 1}
    zero = 0.0
    assert old == {(1, None, zero, "0"): 15, (1, "a", None, "1"): 15, (1, "b", zero, "2"): 15, (1, "b", zero, "3"): 15}
    assert set(counts.values()) <= {1, 15}


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("ASC", ["a", "b", None]),
        ("DESC", [None, "b", "a"]),
        ("ASC_NULLS_FIRST", [None, "a", "b"]),
        ("DESC_NULLS_LAST", ["b", "a", None]),
    ],
)
async def test_a_walk_has_nulls_where_the_order_puts_them(
    direction: str, expected: list[str | None], nyc: World, written: tuple[ClickHouse, str]
) -> None:
    seen: list[Any] = []
    after, more = None, True
    while more:
        rows = rows_of(
            await page(nyc, "pages", select=["tag"], order=[{"column": "tag", "direction": direction}], after=after)
        )
        seen += [row["tag"] for row in rows["nodes"]]
        after, more = rows["pageInfo"]["endCursor"], rows["pageInfo"]["hasNextPage"]
    assert (list(dict.fromkeys(seen)), len(seen)) == (expected, 60)


async def test_rows_that_nothing_tells_apart_are_counted(nyc: World, written: tuple[ClickHouse, str]) -> None:
    seen: list[Any] = []
    after, more = None, True
    while more:
        rows = rows_of(await page(nyc, "pages", select=["tag"], after=after))
        seen += [row["tag"] for row in rows["nodes"]]
        after, more = rows["pageInfo"]["endCursor"], rows["pageInfo"]["hasNextPage"]
    assert Counter(seen) == {None: 15, "a": 15, "b": 30}


@pytest.mark.parametrize(
    "other", [{"order": [{"column": "tag"}]}, {"select": ["tag", "n"], "order": BY_TAG}, {"order": []}]
)
async def test_a_cursor_is_for_its_order_and_selection(
    other: dict[str, Any], nyc: World, written: tuple[ClickHouse, str]
) -> None:
    first = rows_of(await page(nyc, "pages", order=BY_TAG))
    answer = await page(nyc, "pages", after=first["pageInfo"]["endCursor"], **other)
    assert [error["code"] for error in answer.errors] == ["INVALID_CURSOR"]
