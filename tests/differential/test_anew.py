"""Which variables are given other values, and which must not be."""

from tests.differential.anew import Anew
from tests.differential.declared import Api
from tests.differential.rows import random_rows

VECTOR = "query ($v: Float!) { items(nearest: {mood: {vector: [1.0, 0.0, $v]}}) { nodes { id } } }"
FLAG = "query ($v: Boolean!) { items { nodes { id @include(if: $v) } } }"


def anew(api: Api, document: str, value: object) -> set[object]:
    return {
        Anew(seed, api.schema, api.mappings, random_rows(0)).variables(document, {"v": value}, set())["v"]
        for seed in range(20)
    }


def test_a_vector_stays_an_axis(api: Api) -> None:
    """Of others, similarities are equal by algebra and differ in the last bit: their ties have no order to compare."""
    assert anew(api, VECTOR, 0.0) == {0.0}


def test_others_change(api: Api) -> None:
    assert anew(api, FLAG, True) == {True, False}
