"""Instants and dates truncated to a calendar unit."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loaders.expression import CLOCK_UNITS, EVENING_H
from loaders.read import Bucket

_EVENING = sa.literal_column(f"interval '{EVENING_H} hours'", sa.Interval)


def bucket(truncated: Bucket, value: ColumnElement[Any]) -> ColumnElement[Any]:
    return first_instant(truncated, rough_bucket(truncated, value))


def rough_bucket(truncated: Bucket, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """`date_trunc` with the zone: midnights are the zone's, and both hours of an autumn night stay apart.

    One instant for each bucket, in the buckets' order, but of a midnight that clocks go back over it is the later one.
    """
    unit = sa.literal_column(f"'{truncated.unit.value}'", sa.Text)
    if isinstance(value.type, sa.Date):
        return sa.cast(sa.func.date_trunc(unit, sa.cast(value, sa.DateTime)), sa.Date)
    return sa.func.date_trunc(unit, value, _zone(truncated), type_=sa.DateTime(timezone=True))


def first_instant(truncated: Bucket, rough: ColumnElement[Any]) -> ColumnElement[Any]:
    """Of the bucket that `rough_bucket` stands for: as long after the evening before as the clock shows.

    Where clocks skip midnight, what is reached from the evening shows another time, and `rough` is the bucket's first.
    """
    if truncated.unit in CLOCK_UNITS or isinstance(rough.type, sa.Date):
        return rough
    zone, instant = _zone(truncated), sa.DateTime(timezone=True)
    shown = sa.func.timezone(zone, rough, type_=sa.DateTime())
    early = sa.type_coerce(sa.func.timezone(zone, shown - _EVENING, type_=instant) + _EVENING, instant)
    return sa.case((sa.func.timezone(zone, early, type_=sa.DateTime()) == shown, early), else_=rough)


def _zone(truncated: Bucket) -> ColumnElement[str]:
    return sa.bindparam(None, truncated.time_zone, sa.Text)
