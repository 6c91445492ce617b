"""Truncates instants and dates to a calendar unit."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loaders.expression import CLOCK_UNITS, EVENING_H
from loaders.read import Bucket

_EVENING = sa.literal_column(f"interval '{EVENING_H} hours'", sa.Interval)


def bucket(truncated: Bucket, value: ColumnElement[Any]) -> ColumnElement[Any]:
    return first_instant(truncated, rough_bucket(truncated, value))


def rough_bucket(truncated: Bucket, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """`date_trunc` with the time zone, so that midnights are those of the zone, and the two equal hours when clocks go
    back stay apart.

    It gives one instant for each bucket, ordered like the buckets. Where midnight comes twice, since clocks go back
    over it, that instant is the later midnight, not the first instant of the bucket.
    """
    unit = sa.literal_column(f"'{truncated.unit.value}'", sa.Text)
    if isinstance(value.type, sa.Date):
        return sa.cast(sa.func.date_trunc(unit, sa.cast(value, sa.DateTime)), sa.Date)
    return sa.func.date_trunc(unit, value, _zone(truncated), type_=sa.DateTime(timezone=True))


def first_instant(truncated: Bucket, rough: ColumnElement[Any]) -> ColumnElement[Any]:
    """The first instant of the bucket that `rough_bucket` stands for, computed from the evening before.

    Where clocks skip midnight, the computed instant shows another time; then `rough` is the first instant.
    """
    if truncated.unit in CLOCK_UNITS or isinstance(rough.type, sa.Date):
        return rough
    zone, instant = _zone(truncated), sa.DateTime(timezone=True)
    shown = sa.func.timezone(zone, rough, type_=sa.DateTime())
    early = sa.type_coerce(sa.func.timezone(zone, shown - _EVENING, type_=instant) + _EVENING, instant)
    return sa.case((sa.func.timezone(zone, early, type_=sa.DateTime()) == shown, early), else_=rough)


def _zone(truncated: Bucket) -> ColumnElement[str]:
    return sa.bindparam(None, truncated.time_zone, sa.Text)
