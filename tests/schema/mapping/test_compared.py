"""How much a document compares with: lists and conditions count as often as they are used."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from loaders.errors import CostExceeded
from resolvers.cost import MAX_COMPARED, Budget
from schema.mapping.collect import fragments_of
from schema.mapping.compared import uses

SIZES: list[tuple[str, dict[str, Any], int]] = [
    ("{ a(first: 5) { b } }", {}, 0),
    ("{ a(where: {b: {in: [1, 2, 3]}}) { c } }", {}, 2 * 50 + 3),
    ("query($i: X) { a(where: $i) { b } }", {}, 0),
    ("query($i: X) { a(where: $i) { b } }", {"i": [1, 2, 3]}, 3),
    ("query($i: X) { a(where: $i) { b(where: $i) } c(where: $i) }", {"i": [1, 2, 3]}, 9),
    ("query($i: X) { a(where: {or: [{b: {in: $i}}, {c: {in: $i}}]}) { b } }", {"i": ["x"] * 10}, 5 * 50 + 2 + 20),
    ("query($i: X) { a(where: $i) }", {"i": {"or": [{"b": {"in": [1, 2]}}]}}, 3 * 50 + 1 + 2),
    ("query($i: X) { a(where: $i) { b } }", {"i": ["x" * 80, "x" * 120]}, 2 + 1),
    ("query($t: X) { a(where: $t) b(where: $t) }", {"t": "x" * 1000}, 20),
    ("query($i: X) { a { ...F } b { ...F c { ...F } } } fragment F on X { f(in: $i) }", {"i": [1, 2]}, 6),
    ("mutation($i: X) { a(input: $i) { ... on X { b(where: $i) { c } } } }", {"i": [1, 2]}, 2),
]


@pytest.mark.parametrize(("text", "variables", "size"), SIZES)
def test_size(text: str, variables: dict[str, Any], size: int) -> None:
    document = parse(text)
    (operation,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    assert uses(operation, fragments_of(document)).size(variables) == size


def test_a_document_is_counted_once() -> None:
    budget, counted = Budget(), []

    def count() -> int:
        counted.append(1)
        return MAX_COMPARED

    budget.compare(count)
    budget.compare(count)
    assert len(counted) == 1


def test_beyond() -> None:
    with pytest.raises(CostExceeded, match="hold 60001 values"):
        Budget().compare(lambda: MAX_COMPARED + 1)
