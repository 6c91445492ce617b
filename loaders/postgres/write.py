"""One read-write transaction. Its statements are in the ledger, and violations of constraints name their column."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from loaders.errors import BadInput, Conflict
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres, WriteSession


@dataclass(frozen=True, slots=True)
class Transaction:
    """Raises what `Postgres` raises. For a row that violates a constraint it raises `Conflict` or `BadInput`, whose
    `field` is the name of the column if the constraint is about one.
    """

    session: WriteSession
    store: str
    ledger: Ledger

    async def rows(self, statement: sa.Executable) -> Sequence[sa.Row[Any]]:
        """The rows that the statement returns."""
        with self.ledger.statement(self.store) as usage:
            try:
                result = await self.session.execute(statement)
            except IntegrityError as error:
                cause = error.orig.__cause__ if error.orig is not None else None
                if not isinstance(cause, asyncpg.IntegrityConstraintViolationError):
                    raise
                raise refused(cause, statement) from error
            silent = isinstance(result, sa.CursorResult) and not result.returns_rows
            rows: Sequence[sa.Row[Any]] = () if silent else result.all()
            usage.rows = len(rows)
        return rows


@asynccontextmanager
async def transaction(postgres: Postgres, ledger: Ledger, *, patient: bool = False) -> AsyncIterator[Transaction]:
    """As `Postgres.transaction`."""
    async with postgres.transaction(patient=patient) as session:
        yield Transaction(session, postgres.store, ledger)


def refused(error: asyncpg.IntegrityConstraintViolationError, statement: sa.Executable) -> BadInput:
    """The error for a row that violates a constraint; `field` is a column of the constraint."""
    name = error.constraint_name
    table = statement.table if isinstance(statement, (sa.Insert, sa.Update)) else None
    column = error.column_name or (_column_of(name, table) if isinstance(table, sa.Table) else None)
    of = f"`{column}`" if column else "the row"
    match error:
        case asyncpg.UniqueViolationError():
            return Conflict(f"Another row has the same {of} already. Choose another value.", field=column)
        case asyncpg.ForeignKeyViolationError() if isinstance(statement, sa.Delete):
            return Conflict("Other rows still refer to this one. Change or delete them first.")
        case asyncpg.ForeignKeyViolationError():
            return BadInput(f"What {of} refers to does not exist.", field=column)
        case asyncpg.NotNullViolationError():
            return BadInput(f"{of} must not be null.", field=column)
        case _:
            broken = "a rule of its table" if column else name or "a constraint"
            return BadInput(f"The value of {of} is not allowed: it breaks {broken}.", field=column)


def _column_of(name: str | None, table: sa.Table) -> str | None:
    """The last column of the constraint: the columns before it are the scope in which the value has to be unique."""
    columns: list[str] = []
    for check in table.constraints:
        if isinstance(check, sa.CheckConstraint) and name is not None and str(check.name) == name:
            words = set(re.findall(r"\w+", str(check.sqltext)))
            columns = [column.name for column in table.columns if column.name in words]
            columns.sort(key=lambda column: name.endswith(f"_{column}"))
    keys = [each for each in (*table.constraints, *table.indexes) if isinstance(each, _OF_COLUMNS)]
    for key in keys:
        if str(key.name) == name:
            columns = [column.name for column in key.columns]
    return columns[-1] if columns else None


_OF_COLUMNS = (sa.UniqueConstraint, sa.PrimaryKeyConstraint, sa.ForeignKeyConstraint, sa.Index)
