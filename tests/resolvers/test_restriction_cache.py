"""A read that is ready for a caller takes the values of those rows only that the caller may see."""

from typing import Any
from weakref import ref

import pytest

from loaders.prepared import Prepared
from loaders.read import Slot, Value
from resolvers.restriction_cache import RestrictedRead

NOTHING: Any = ref(Prepared.__new__(Prepared))  # what is run is not asked for here


@pytest.mark.parametrize(
    ("asked", "given", "expected"),
    [
        (Slot(1), ("x", 2), ("a", (2,), "b")),
        (2, ("x", "y"), ("a", (2,), "b")),
        (Slot(1), ("x", 3), None),
        (Slot(1), ("x", 2.0), None),
        (Slot(1), ("x", True), None),
        (Slot(1), ("x", None), None),
    ],
)
def test_one_row(asked: Value | Slot, given: tuple[Value, ...], expected: tuple[Value, ...] | None) -> None:
    ready = RestrictedRead(NOTHING, ("a", (1,), "b"), frozenset({1, 2}), asked, place=1)
    assert ready.values_for(given) == expected


def test_all_rows_and_none() -> None:
    assert RestrictedRead(NOTHING, ("a",)).values_for(("x",)) == ("a",)
    assert RestrictedRead(NOTHING, ("a",), frozenset()).values_for(("x",)) is None
