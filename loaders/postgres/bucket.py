"""Instants and dates truncated to a calendar unit."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loaders.expression import CLOCK_UNITS
from loaders.read import Bucket

_EVENING = timedelta(hours=4)


def bucket(truncated: Bucket, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """`date_trunc` with the zone: midnights are the zone's, and both hours of an autumn night stay apart.

    Of a midnight that clocks go back over it takes the later instant, and here it is the earlier: as long after the
    evening before, in which they did not change, as the clock shows. They go back by three hours at most.
    """
    unit = sa.literal_column(f"'{truncated.unit.value}'", sa.Text)
    if isinstance(value.type, sa.Date):
        return sa.cast(sa.func.date_trunc(unit, sa.cast(value, sa.DateTime)), sa.Date)
    zone = sa.bindparam(None, truncated.time_zone, sa.Text)
    instant = sa.DateTime(timezone=True)
    start = sa.func.date_trunc(unit, value, zone, type_=instant)
    if truncated.unit in CLOCK_UNITS:
        return start
    evening = sa.literal_column(f"interval '{_EVENING.total_seconds():.0f} seconds'", sa.Interval)
    shown = sa.func.date_trunc(unit, sa.func.timezone(zone, value, type_=sa.DateTime()), type_=sa.DateTime())
    early = sa.type_coerce(sa.func.timezone(zone, shown - evening, type_=instant) + evening, instant)
    return sa.case((sa.func.timezone(zone, early, type_=sa.DateTime()) == shown, early), else_=start)
