"""What Postgres is sent."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect

_DIALECT = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `$n` parameters, and their values in order."""

    sql: str
    parameters: tuple[object, ...]


def render(statement: sa.Select[Any]) -> Statement:
    compiled = statement.compile(dialect=_DIALECT)
    names = compiled.positiontup or []
    values = compiled.params  # made anew each time it is asked for
    return Statement(sql=compiled.string, parameters=tuple(values[name] for name in names))
