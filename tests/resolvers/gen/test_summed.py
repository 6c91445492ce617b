"""Cumulative metrics only sum buckets that begin where the time zone says."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from loaders.errors import StoreQueryFailed
from loaders.gen.semantic_metrics import MetricRow
from loaders.read import Bucket, Unit
from resolvers.gen.arithmetic import Number
from resolvers.gen.metric_definition import Cumulative
from resolvers.gen.metric_leaf import Key
from resolvers.gen.metric_tree import tree_of
from resolvers.gen.over import Over
from resolvers.gen.summed import summed

DEFINITION = {"measure": {"function": "SUM", "column": "a"}}
LEAVES = list(tree_of("a", None, [MetricRow("a", 1, True, "simple", "t", "at", (), DEFINITION)]).leaves.values())
OVER = Over(Bucket("at", Unit.DAY, "Atlantic/Azores"), "at", None, None)
FIRST, SECOND = datetime(2013, 10, 27, tzinfo=UTC), datetime(2013, 10, 28, 1, tzinfo=UTC)


def test_of_the_buckets_there_are() -> None:
    values: dict[Key, dict[str, Number | None]] = {
        (FIRST, ("x",)): {"a": Decimal(1)},
        (SECOND, ("x",)): {"a": Decimal(2)},
        (None, ("x",)): {"a": Decimal(9)},
    }
    found = summed(Cumulative(metric="a"), OVER, values, LEAVES, "s")
    assert found == {(FIRST, ("x",)): {"a": Decimal(1)}, (SECOND, ("x",)): {"a": Decimal(3)}}


def test_no_value_is_summed_into_another_bucket() -> None:
    """A store that begins the day with the second midnight of a night in which clocks go back over it."""
    with pytest.raises(StoreQueryFailed, match="Azores"):
        summed(Cumulative(metric="a"), OVER, {(FIRST.replace(hour=1), ()): {"a": Decimal(1)}}, LEAVES, "s")
