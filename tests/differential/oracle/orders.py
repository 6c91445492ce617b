"""Orders of rows and of groups: nulls count as largest unless said otherwise, ties as they were."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from tests.differential.oracle.world import World
from tests.differential.rows import Row

T = TypeVar("T")


def in_order(items: Iterable[T], value_of: Callable[[T], Any], direction: str) -> list[T]:
    """Stable, in reverse too. `value_of` gives comparable values and nulls."""
    items = list(items)
    nulls = [item for item in items if value_of(item) is None]
    others = sorted((item for item in items if value_of(item) is not None), key=value_of, reverse=_descends(direction))
    return nulls + others if _nulls_first(direction) else others + nulls


def ordered(rows: Iterable[Row], order: list[Mapping[str, str]] | None, type_: str, world: World) -> list[Row]:
    """Ties are broken by key."""
    found = sorted(rows, key=lambda row: [world.sort_key(type_, value) for value in world.key(type_, row)])
    for term in reversed(order or []):
        ((field, direction),) = term.items()
        column = world.column(type_, field)
        assert column is not None
        found = in_order(found, _value_of(column[0], type_, world), direction)
    return found


def _value_of(column: str, type_: str, world: World) -> Callable[[Row], Any]:
    return lambda row: None if row[column] is None else world.sort_key(type_, row[column])


def _descends(direction: str) -> bool:
    return direction.startswith("DESC")


def _nulls_first(direction: str) -> bool:
    return direction in ("DESC", "ASC_NULLS_FIRST")
