"""Parameters of a statement: of values that are known, and of slots whose values come with each request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.types import TypeEngine

from loaders.read import Slot, Value


class Unfit(Exception):
    """The value asks for another statement than the one compiled for its slot. Compile the read with its values."""


def as_it_is(value: Any) -> object:
    return value


@dataclass(frozen=True, slots=True)
class Deferred:
    """The parameter a slot's value becomes. `convert` raises `BadInput`, or `Unfit` where the SQL would be another."""

    slot: Slot
    convert: Callable[[Any], object]

    def bound(self, values: Sequence[Value]) -> object:
        return self.convert(values[self.slot.index])


def parameter(value: Value, type_: TypeEngine[Any], convert: Callable[[Any], object] = as_it_is) -> BindParameter[Any]:
    """`convert` of the value as a bound parameter: now, or for a slot when the statement is run."""
    return sa.bindparam(None, Deferred(value, convert) if isinstance(value, Slot) else convert(value), type_)
