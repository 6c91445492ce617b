"""A compiled statement for Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect

from loaders.postgres.parameter import Deferred
from loaders.read import Value

_DIALECT = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `$n` parameters, and their values in order; `Deferred` for the slots of the read."""

    sql: str
    parameters: tuple[object, ...]

    def bound(self, values: Sequence[Value]) -> tuple[object, ...]:
        """The parameters for these values of the slots. Raises `BadInput`, or `Unfit` if a value needs another
        statement.
        """
        return tuple(p.bound(values) if isinstance(p, Deferred) else p for p in self.parameters)


def render(statement: sa.Select[Any]) -> Statement:
    compiled = statement.compile(dialect=_DIALECT)
    names = compiled.positiontup or []
    values = compiled.params  # made anew each time it is asked for
    return Statement(sql=compiled.string, parameters=tuple(values[name] for name in names))
