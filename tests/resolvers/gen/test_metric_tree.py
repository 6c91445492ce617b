"""Trees of metrics and cumulative sums, as a table of cases."""

import ast
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from loaders.errors import BadInput, NotFound
from loaders.gen.semantic_metrics import MetricRow
from loaders.read import Bucket, Unit
from resolvers.gen import cumulative
from resolvers.gen.cumulative import first_needed, require_summable, summed_up
from resolvers.gen.metric_definition import Cumulative, Derived
from resolvers.gen.metric_tree import tree_of
from resolvers.gen.over import Over


def metric(name: str, kind: str, definition: Any, *, version: int = 1, is_current: bool = True) -> MetricRow:
    return MetricRow(name, version, is_current, kind, "t" if kind == "simple" else None, "day", (), definition)


def simple(name: str, function: str = "SUM") -> MetricRow:
    return metric(name, "simple", {"measure": {"function": function, "column": name}})


ROWS = [
    simple("a"),
    simple("b"),
    simple("mean", "AVG"),
    simple("middle", "COUNT_DISTINCT"),
    metric("share", "ratio", {"numerator": "a", "denominator": "b"}),
    metric("sum", "derived", {"expression": "(share - 1) * -2 + a / b", "metrics": ["share", "a", "b"]}),
    metric("ring", "ratio", {"numerator": "a", "denominator": "gnir"}),
    metric("gnir", "ratio", {"numerator": "ring", "denominator": "a"}),
    metric("torn", "ratio", {"numerator": "a", "denominator": "gone"}),
    metric("gone", "ratio", {"numerator": "a", "denominator": "b"}, is_current=False),
]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("a", {"a": Decimal(3)}, Decimal(3)),
        ("mean", {"mean.sum": Decimal(7), "mean.n": 2}, 3.5),
        ("mean", {"mean.sum": None, "mean.n": 0}, None),
        ("share", {"a": 1, "b": 4}, 0.25),
        ("share", {"a": 1, "b": 0}, None),
        ("share", {"a": 1, "b": None}, None),
        ("sum", {"a": 1, "b": 4}, 1.75),
        ("sum", {"a": None, "b": 4}, None),
    ],
)
def test_values(name: str, values: dict[str, Any], expected: Any) -> None:
    assert tree_of(name, None, ROWS).value(values) == expected


def test_an_old_version_is_made_of_what_it_was_made_of_last() -> None:
    """The share by its versions, after each part has been revised before and after it, and one was withdrawn."""

    def at(hour: int, row: MetricRow) -> MetricRow:
        return replace(row, created_at=datetime(2024, 1, 1, hour, tzinfo=UTC))

    share = {"numerator": "a", "denominator": "b"}
    rows = [
        at(1, metric("a", "simple", {"measure": {"function": "COUNT"}}, version=1, is_current=False)),
        at(3, metric("a", "simple", {"measure": {"function": "COUNT"}}, version=2, is_current=False)),
        at(7, metric("a", "simple", {"measure": {"function": "COUNT"}}, version=3)),
        at(1, metric("b", "simple", {"measure": {"function": "COUNT"}}, version=1, is_current=False)),
        at(2, metric("share", "ratio", share, version=1, is_current=False)),
        at(5, metric("share", "ratio", share, version=2, is_current=False)),
        at(6, metric("share", "ratio", {"numerator": "a", "denominator": "a"}, version=3)),
        at(2, metric("twice", "ratio", {"numerator": "share", "denominator": "a"}, version=1, is_current=False)),
        at(4, metric("twice", "ratio", {"numerator": "a", "denominator": "share"}, version=2)),
        at(6, metric("late", "simple", {"measure": {"function": "COUNT"}})),
        at(1, metric("early", "ratio", {"numerator": "late", "denominator": "a"}, is_current=False)),
        at(5, metric("early", "ratio", {"numerator": "a", "denominator": "a"}, version=2)),
    ]
    for name, version, expected in (
        ("share", 1, {"share": 1, "a": 2, "b": 1}),
        ("share", 2, {"share": 2, "a": 2, "b": 1}),
        ("share", 3, {"share": 3, "a": 3}),
        ("share", None, {"share": 3, "a": 3}),
        ("twice", 1, {"twice": 1, "share": 1, "a": 2, "b": 1}),
        ("twice", 2, {"twice": 2, "share": 3, "a": 3}),
    ):
        assert tree_of(name, version, rows).versions == expected, (name, version)
    with pytest.raises(NotFound, match="'late'"):
        tree_of("early", 1, rows)


def test_what_is_not_there() -> None:
    for name, version in (("none", None), ("a", 2), ("torn", None), ("gone", None)):
        with pytest.raises(NotFound):
            tree_of(name, version, ROWS)
    assert tree_of("gone", 1, ROWS).value({"a": 1, "b": 2}) == 0.5
    with pytest.raises(BadInput, match="ring > gnir > ring"):
        tree_of("ring", None, ROWS)


def test_what_is_no_sum() -> None:
    require_summable(list(tree_of("mean", None, ROWS).leaves.values()))
    with pytest.raises(BadInput, match="middle"):
        require_summable(list(tree_of("middle", None, ROWS).leaves.values()))


DAYS = [date(2024, 1, day) for day in (29, 30, 31)] + [date(2024, 2, day) for day in (1, 2)]
WINDOW = Cumulative.model_validate({"metric": "a", "window": {"count": 2, "unit": "DAY"}})
TO_DATE = Cumulative.model_validate({"metric": "a", "grainToDate": "MONTH"})
EVER = Cumulative.model_validate({"metric": "a"})


@pytest.mark.parametrize(
    ("definition", "expected", "needed"),
    [
        (WINDOW, [1, 3, 2, 8, 24], date(2024, 1, 29)),
        (TO_DATE, [1, 3, 3, 8, 24], date(2024, 1, 1)),
        (EVER, [1, 3, 3, 11, 27], None),
    ],
)
def test_sums(definition: Cumulative, expected: list[int], needed: date | None) -> None:
    over = Over(Bucket("day", Unit.DAY), "day", date(2024, 1, 31), date(2024, 2, 3))
    buckets = {day: {"a": value} for day, value in zip(DAYS, (1, 2, None, 8, 16), strict=True)}
    found = summed_up(definition, over, DAYS, buckets, ["a"])
    assert [row and row["a"] for row in found] == expected
    assert first_needed(definition, over) == needed


def test_buckets_without_anything_to_sum_up_are_left_to_the_fill() -> None:
    over = Over(Bucket("day", Unit.DAY), "day", date(2024, 1, 29), date(2024, 2, 3))
    found = summed_up(WINDOW, over, DAYS, {DAYS[2]: {"a": 0}}, ["a"])
    assert found == [None, None, {"a": 0}, {"a": 0}, None]


def test_a_window_adds_each_value_twice_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is; and nothing is subtracted, so small floats outlive great ones."""
    added = 0
    plus = cumulative._sum

    def counted(first: Any, second: Any) -> Any:
        nonlocal added
        added += 1
        return plus(first, second)

    monkeypatch.setattr(cumulative, "_sum", counted)
    days = [date(2020, 1, 1) + timedelta(days=day) for day in range(1_000)]
    values = [1e30 if day % 7 == 0 else float(day) for day in range(1_000)]
    over = Over(Bucket("day", Unit.DAY), "day", days[0], days[-1])
    for length in (1, 2, 5, 400, 2_000):
        added = 0
        definition = Cumulative.model_validate({"metric": "a", "window": {"count": length, "unit": "DAY"}})
        buckets = {day: {"a": value} for day, value in zip(days, values, strict=True)}
        found = summed_up(definition, over, days, buckets, ["a"])
        expected = [sum(values[max(0, end - length) : end]) for end in range(1, 1_001)]
        assert [row and row["a"] for row in found] == pytest.approx(expected, rel=1e-12)
        assert added <= 3 * len(days)


def test_an_expression_is_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [simple("a"), metric("sums", "derived", {"expression": "a" + "+a" * 191, "metrics": ["a"]})]
    tree = tree_of("sums", None, rows)
    assert tree.steps == 2 * 192
    monkeypatch.setattr(ast, "parse", None)
    assert [tree.value({"a": n}) for n in range(3)] == [0, 192, 384]


@pytest.mark.parametrize(("expression", "value"), [("-a", -2), ("2-a-3", -3), ("8/a/2", 2), ("a/(a-2)", None)])
def test_arithmetic(expression: str, value: float | None) -> None:
    rows = [simple("a"), metric("d", "derived", {"expression": expression, "metrics": ["a"]})]
    assert tree_of("d", None, rows).value({"a": Decimal(2)}) == value
    assert tree_of("d", None, rows).value({"a": None}) is None


def test_a_number_that_no_double_holds() -> None:
    with pytest.raises(ValueError, match="double"):
        Derived.model_validate({"expression": "a*" + "9" * 400, "metrics": ["a"]})
