"""Limits of rows as SQL.

Numbers are constants of the statement. A parameter makes Postgres plan the statement for each execution, however often
it is prepared: the generic plan is costed for a tenth of all rows, so it never seems worth keeping.
"""

from functools import partial
from operator import add

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loaders.postgres.parameter import parameter
from loaders.read import Slot

ONE: ColumnElement[int] = sa.literal_column("1", sa.Integer)


def row_limit(limit: int | Slot, *, more: int = 0) -> ColumnElement[int]:
    """So many rows, and some more."""
    if isinstance(limit, Slot):
        return parameter(limit, sa.BigInteger(), partial(add, more))
    return sa.literal_column(str(int(limit) + more), sa.BigInteger)
