"""Instants and dates truncated to a calendar unit."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loaders.read import Bucket


def bucket(truncated: Bucket, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """`date_trunc` with the zone: midnights are the zone's, and both hours of an autumn night stay apart."""
    unit = sa.literal_column(f"'{truncated.unit.value}'", sa.Text)
    if isinstance(value.type, sa.Date):
        return sa.cast(sa.func.date_trunc(unit, sa.cast(value, sa.DateTime)), sa.Date)
    zone = sa.bindparam(None, truncated.time_zone, sa.Text)
    return sa.func.date_trunc(unit, value, zone, type_=sa.DateTime(timezone=True))
