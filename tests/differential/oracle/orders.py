"""Orders of rows and of groups: nulls count as largest unless said otherwise, ties as they were."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from tests.differential.oracle.shown import Order
from tests.differential.oracle.world import World
from tests.differential.rows import Row

T = TypeVar("T")


def in_order(items: Iterable[T], value_of: Callable[[T], Any], direction: str) -> list[T]:
    """Stable, in reverse too. `value_of` gives comparable values and nulls."""
    items = list(items)
    nulls = [item for item in items if value_of(item) is None]
    others = sorted((item for item in items if value_of(item) is not None), key=value_of, reverse=_descends(direction))
    return nulls + others if _nulls_first(direction) else others + nulls


@dataclass(frozen=True, slots=True)
class Nearness:
    """The vector column and the vector that rows are to be near to."""

    column: str
    vector: tuple[float, ...]

    def of(self, row: Row) -> float | None:
        """Cosine similarity; rounded, for what is the same by algebra ties."""
        vector = row[self.column]
        if vector is None:
            return None
        product = sum(left * right for left, right in zip(vector, self.vector, strict=True))
        return round(float(product / math.hypot(*vector) / math.hypot(*self.vector)), 12)


def ordered(
    rows: Iterable[Row], order: list[Mapping[str, Any]] | None, near: Nearness | None, type_: str, world: World
) -> list[Row]:
    """The nearest first. Ties are broken by key, and then by what tells rows of one key apart."""
    found = sorted(rows, key=lambda row: [world.sort_key(type_, value) for value in world.place(type_, row)])
    for term in reversed(order or []):
        found = in_order(found, partial(_value, term, type_, world), _direction(term))
    return found if near is None else in_order(found, near.of, "DESC_NULLS_LAST")


def spelled(order: list[Mapping[str, Any]] | None, near: Nearness | None, type_: str, world: World) -> Order:
    """What the list is ordered by after all, each key once."""
    terms = {} if near is None else {f"near {near.column}": "DESC_NULLS_LAST"}
    for term in order or []:
        terms.setdefault(_name(term, type_, world), _direction(term))
    for column in world.place_columns(type_):
        terms.setdefault(column, "ASC")
    return tuple(terms.items())


def _name(term: Any, type_: str, world: World) -> str:
    ((field, below),) = term.items()
    if (column := world.column(type_, field)) is not None:
        return column[0]
    edge = world.edge(type_, field)
    assert edge is not None
    return f"{field} count" if edge.many else f"{field} {_name(below, edge.target, world)}"


def _value(term: Any, type_: str, world: World, row: Row) -> Any:
    """What a row sorts by: a column, the number of rows it leads to, or that of the one row it leads to."""
    ((field, below),) = term.items()
    if (column := world.column(type_, field)) is not None:
        value = row[column[0]]
        return None if value is None else world.sort_key(type_, value)
    edge = world.edge(type_, field)
    assert edge is not None
    related = world.related(row, edge)
    if edge.many:
        return len(related)
    return _value(below, edge.target, world, related[0]) if related else None


def _direction(term: Any) -> str:
    while isinstance(term, dict):
        (term,) = term.values()
    return str(term)


def _descends(direction: str) -> bool:
    return direction.startswith("DESC")


def _nulls_first(direction: str) -> bool:
    return direction in ("DESC", "ASC_NULLS_FIRST")
