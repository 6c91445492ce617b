"""Values of variables: number of objects and depth, at each limit and one beyond it."""

from typing import Any

import pytest

from gateway.limits.refusal import DocumentTooComplex
from gateway.limits.variables import check_variables
from gateway.settings import Limits

SMALL = Limits(max_variable_objects=3, max_variable_values=1_000, max_variable_depth=4)

WITHIN: list[dict[str, Any]] = [
    {},
    {"a": None, "b": "text", "c": 1.5},
    {"where": {"not": {"not": {}}}},
    {"where": {"or": [{}, {}]}},
    {"a": {}, "b": {}, "c": {}},
    {"ids": list(range(1_000))},
    {"a": list(range(500)), "b": list(range(500))},
    {"point": [[[[1.0, 2.0]]]]},
]

BEYOND: list[tuple[dict[str, Any], str, int, int]] = [
    ({"where": {"not": {"not": {"not": {}}}}}, "objects in variables", 4, 3),
    ({"where": {"or": [{}, {}, {}]}}, "objects in variables", 4, 3),
    ({"a": {}, "b": {}, "c": {}, "d": {}}, "objects in variables", 4, 3),
    ({"terms": [{}] * 1_000}, "objects in variables", 1_000, 3),
    ({"ids": list(range(1_001))}, "values in lists of variables", 1_001, 1_000),
    ({"ids": [list(range(500)), list(range(499))]}, "values in lists of variables", 1_001, 1_000),
    ({"point": [[[[[1.0]]]]]}, "depth of variables", 5, 4),
    ({"settings": {"a": [[{"b": [1]}]]}}, "depth of variables", 5, 4),
]


@pytest.mark.parametrize("variables", WITHIN)
def test_within(variables: dict[str, Any]) -> None:
    check_variables(variables, SMALL)


@pytest.mark.parametrize(("variables", "limit", "found", "maximum"), BEYOND)
def test_beyond(variables: dict[str, Any], limit: str, found: int, maximum: int) -> None:
    with pytest.raises(DocumentTooComplex) as raised:
        check_variables(variables, SMALL)
    assert (raised.value.limit, raised.value.found, raised.value.maximum) == (limit, found, maximum)


def test_nesting_without_end_is_not_followed() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DocumentTooComplex):
        check_variables({"deep": deep}, Limits())
