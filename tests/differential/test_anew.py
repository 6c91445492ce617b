"""Which variables are given other values, and which must not be."""

from typing import Any

from loaders.pattern import normal_pattern
from tests.differential.anew import Anew
from tests.differential.declared import Api
from tests.differential.rows import random_rows

VECTOR = "query ($v: Float!) { items(nearest: {mood: {vector: [1.0, 0.0, $v]}}) { nodes { id } } }"
FLAG = "query ($v: Boolean!) { items { nodes { id @include(if: $v) } } }"
PATTERN = "query ($v: TextFilter) { items { nodes { traces(where: {name: $v}) { nodes { id } } } } }"
SUM = "query ($v: DiffTraceHaving) { items { nodes { traces { aggregate(having: $v) { count } } } } }"


def anew(api: Api, document: str, value: object) -> list[Any]:
    return [
        Anew(seed, api.schema, api.mappings, random_rows(0)).variables(document, {"v": value}, set())["v"]
        for seed in range(50)
    ]


def test_a_vector_stays_an_axis(api: Api) -> None:
    """Of others, similarities are equal by algebra and differ in the last bit: their ties have no order to compare."""
    assert set(anew(api, VECTOR, 0.0)) == {0.0}


def test_others_change(api: Api) -> None:
    assert set(anew(api, FLAG, True)) == {True, False}


def test_a_pattern_stays_one(api: Api) -> None:
    patterns = {value["ilike"] for value in anew(api, PATTERN, {"ilike": "%"})}
    assert len(patterns) > 1
    for pattern in patterns:
        normal_pattern(pattern)


def test_a_number_stays_one_that_every_store_compares_with(api: Api) -> None:
    numbers = {value["sum"]["total"]["gt"] for value in anew(api, SUM, {"sum": {"total": {"gt": "7"}}})}
    assert len(numbers) > 1
    assert all(sum(map(str.isdigit, number)) <= 38 for number in numbers)
