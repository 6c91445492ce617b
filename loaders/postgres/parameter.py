"""Parameters of a statement: for known values, and for slots whose values come with each request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.types import TypeEngine

from loaders.read import Slot, Value


class Unfit(Exception):
    """The value needs another statement than the one compiled for its slot: compile the read with its values."""


def as_it_is(value: Any) -> object:
    return value


@dataclass(frozen=True, slots=True)
class Deferred:
    """The parameter made from the value of a slot. `convert` raises `BadInput`, or `Unfit` if the SQL would differ."""

    slot: Slot
    convert: Callable[[Any], object]

    def bound(self, values: Sequence[Value]) -> object:
        return self.convert(values[self.slot.index])


def parameter(value: Value, type_: TypeEngine[Any], convert: Callable[[Any], object] = as_it_is) -> BindParameter[Any]:
    """The value, converted, as a bound parameter; the value of a slot is converted when the statement is run."""
    return sa.bindparam(None, Deferred(value, convert) if isinstance(value, Slot) else convert(value), type_)
