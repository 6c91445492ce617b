"""The flights of New York in SQLite, which none of the engines is built on: what their answers are compared with."""

import math
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from deploy.local.samples.flights import NewYorkFlights

_NEW_YORK, _LONDON, _KOLKATA = ZoneInfo("America/New_York"), ZoneInfo("Europe/London"), ZoneInfo("Asia/Kolkata")
_INSTANT = "%Y-%m-%dT%H:%M:%S+00:00"


class ByHand:
    """Its tables, instants as the API writes them; and `hours`, the starts of local days, weeks, ... of each hour.

    Beside SQLite's own functions there are the aggregates `percentile(value, fraction)`, which interpolates, and
    `stddev(value)`, that of a sample.
    """

    def __init__(self, flights: NewYorkFlights) -> None:
        self._made = made = sqlite3.connect(":memory:", check_same_thread=False)
        self._answered: dict[str, list[dict[str, Any]]] = {}
        made.create_aggregate("percentile", 2, _Percentile)  # type: ignore[arg-type]  # typeshed: None is no answer
        made.create_aggregate("stddev", 1, _Stddev)  # type: ignore[arg-type]  # typeshed: None is no answer
        made.execute("PRAGMA case_sensitive_like = ON")
        for field in fields(flights):
            table: pa.Table = getattr(flights, field.name)
            _fill(made, field.name, table.column_names, zip(*(_plain(column) for column in table.columns), strict=True))
        _fill(made, "hours", _HOURS, _hours())
        made.execute("CREATE INDEX hours_at ON hours (at)")
        made.execute("CREATE INDEX flights_at ON flights (time_hour)")

    def close(self) -> None:
        self._made.close()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Columns `compared.n` are nested. A question that comes again, of another engine, is not worked out again."""
        if sql not in self._answered:
            cursor = self._made.execute(sql)
            names = [name for name, *_ in cursor.description]
            self._answered[sql] = [_nested(zip(names, values, strict=True)) for values in cursor]
        return self._answered[sql]


def _nested(row: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in row:
        outer, dot, inner = name.partition(".")
        if dot:
            nested.setdefault(outer, {})[inner] = value
        else:
            nested[name] = value
    return nested


def _fill(made: sqlite3.Connection, name: str, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    made.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
    made.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' for _ in columns)})", rows)


def _plain(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = pc.strftime(column, format=_INSTANT)
    values: list[Any] = column.to_pylist()
    return values


_HOURS = ["at", "ny_day", "ny_week_of_sunday", "ny_month", "london_week", "kolkata_quarter"]


def _hours() -> Iterator[tuple[str, ...]]:
    at, end = datetime(2012, 12, 31, tzinfo=UTC), datetime(2014, 1, 2, tzinfo=UTC)
    while at < end:
        new_york, london = at.astimezone(_NEW_YORK).date(), at.astimezone(_LONDON).date()
        kolkata = at.astimezone(_KOLKATA).date()
        yield (
            at.isoformat(),
            _start(new_york, _NEW_YORK),
            _start(new_york - timedelta(days=new_york.isoweekday() % 7), _NEW_YORK),
            _start(new_york.replace(day=1), _NEW_YORK),
            _start(london - timedelta(days=london.weekday()), _LONDON),
            _start(date(kolkata.year, kolkata.month - (kolkata.month - 1) % 3, 1), _KOLKATA),
        )
        at += timedelta(hours=1)


def _start(day: date, zone: Any) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).isoformat()


class _Percentile:
    def __init__(self) -> None:
        self._values: list[float] = []
        self._fraction = 0.0

    def step(self, value: float | None, fraction: float) -> None:
        self._fraction = fraction
        if value is not None:
            self._values.append(value)

    def finalize(self) -> float | None:
        if not self._values:
            return None
        ordered = sorted(self._values)
        place = (len(ordered) - 1) * self._fraction
        below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
        return below + (above - below) * (place - math.floor(place))


class _Stddev:
    def __init__(self) -> None:
        self._values: list[float] = []

    def step(self, value: float | None) -> None:
        if value is not None:
            self._values.append(value)

    def finalize(self) -> float | None:
        if len(self._values) < 2:
            return None
        mean = math.fsum(self._values) / len(self._values)
        return math.sqrt(math.fsum((value - mean) ** 2 for value in self._values) / (len(self._values) - 1))
