"""A compiled statement for Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect

from loaders.postgres.parameter import Deferred
from loaders.read import Value

_DIALECT = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]


KEPT_CHARACTERS = 32 << 10
"""Of a statement that a connection keeps prepared. asyncpg's own bound of 15 KiB is less than a dashboard with its
lists takes: 28,000 characters take Postgres 10 ms, and 2.5 ms where they are kept, which holds 1.3 MiB there.
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `$n` parameters, and their values in order; `Deferred` for the slots of the read, whose indexes are
    `places`.
    """

    sql: str
    parameters: tuple[object, ...]
    places: tuple[int, ...] = ()

    def bound(self, values: Sequence[Value]) -> tuple[object, ...]:
        """The parameters for these values of the slots. Raises `BadInput`, or `Unfit` if a value needs another
        statement.
        """
        return tuple(p.bound(values) if isinstance(p, Deferred) else p for p in self.parameters)


def render(statement: sa.Select[Any]) -> Statement:
    compiled = statement.compile(dialect=_DIALECT)
    names = compiled.positiontup or []
    values = compiled.params  # made anew each time it is asked for
    parameters = tuple(values[name] for name in names)
    places = (each.slot.index for each in parameters if isinstance(each, Deferred))
    return Statement(compiled.string, parameters, tuple(dict.fromkeys(places)))
