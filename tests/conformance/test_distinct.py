"""Lists of distinct values, several in one statement: every engine answers as Python does."""

from typing import Any

from loaders.columnar.distinct import DistinctList, read_distinct
from loaders.columnar.watched import Watched
from loaders.expression import expression_type
from loaders.ledger import Ledger
from loaders.read import Col, Compare, Op
from loaders.warehouses.base import Warehouse
from tests.conformance.rows import MIXED_ROWS, comparable
from tests.loaders.columnar.naive import bytewise, holds
from tests.loaders.postgres.rows import json_of

COLUMNS = ("name", "day", "big", "flag")


async def test_several_lists_of_values(warehouse: Warehouse, ledger: Ledger) -> None:
    mixed = await warehouse.describe("mixed", ledger=Ledger())
    large = await warehouse.describe("large", ledger=Ledger())
    narrowed = Compare(Col("c0"), Op.GT, 0)
    lists = [DistinctList(mixed, name, narrowed, 5) for name in COLUMNS]
    lists += [DistinctList(mixed, "c0", None, 1_000), DistinctList(large, "id", Compare(Col("id"), Op.LT, 3), 2)]
    watched = Watched(warehouse)
    found = await read_distinct(lists, watched, ledger)
    assert len(watched.sent) == 1
    for each, values in zip(lists[:-1], found, strict=False):
        rows = [row for row in MIXED_ROWS if each.where is None or holds(each.where, row, bytewise) is True]
        type_ = expression_type(Col(each.column), mixed)
        shown = [json_of(value, type_) for value in _sorted({row[each.column] for row in rows})][: each.limit]
        assert comparable([{"of": values}]) == comparable([{"of": shown}]), each.column
    assert [int(value) for value in found[-1]] == [0, 1]


def _sorted(values: set[Any]) -> list[Any]:
    return sorted(values, key=lambda value: (value is None, 0 if value is None else bytewise(value)))
