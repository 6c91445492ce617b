"""Semantic metrics over flights and what they join: planes, airports and weather; and the same figures as SQL by hand.

A figure is a field `aggregate` of a metric. Named columns stand for joined ones, so that no name in a group has a dot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_COUNT = {"function": "COUNT"}
_TO_PLANE = {"name": "plane", "table": "planes", "on": [{"column": "tailnum", "equals": "tailnum"}]}
_TO_DEST = {"name": "dest_airport", "table": "airports", "on": [{"column": "dest", "equals": "faa"}]}
_TO_ORIGIN = {"name": "origin_airport", "table": "airports", "on": [{"column": "origin", "equals": "faa"}]}
_TO_WEATHER = {
    "name": "weather",
    "table": "weather",
    "on": [{"column": "origin", "equals": "origin"}, {"column": "time_hour", "equals": "time_hour"}],
}
_TO_FLIGHTS = {"name": "flown", "table": "flights", "on": [{"column": "tailnum", "equals": "tailnum"}]}
_NAMES = {
    "manufacturer": "plane.manufacturer",
    "engine": "plane.engine",
    "zone": "dest_airport.tzone",
    "airport": "origin_airport.name",
    "rain": "weather.precip",
}
_FLIGHTS: dict[str, Any] = {
    "kind": "SIMPLE",
    "tableName": "flights",
    "timeColumn": "time_hour",
    "dimensions": ["origin", "carrier", "manufacturer", "engine", "zone", "airport"],
}
_JOINED: dict[str, Any] = {"joins": [_TO_PLANE, _TO_DEST, _TO_ORIGIN, _TO_WEATHER], "names": _NAMES}
_RAIN: dict[str, Any] = {
    "kind": "SIMPLE",
    "tableName": "weather",
    "timeColumn": "time_hour",
    "dimensions": ["airport"],
    "definition": {
        "measure": {"function": "SUM", "column": "precip"},
        "joins": [_TO_ORIGIN],
        "names": {"airport": "origin_airport.name"},
    },
}


def _of_flights(measure: Mapping[str, Any], where: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {**_FLIGHTS, "definition": {**_JOINED, "measure": measure, **({"where": where} if where else {})}}


def _seats(join: Mapping[str, Any], **names: str) -> dict[str, Any]:
    measure = {"function": "SUM", "column": "seats"}
    return {
        "kind": "SIMPLE",
        "tableName": "planes",
        "dimensions": [*names, "engines"],
        "definition": {"measure": measure, "joins": [join], "names": names},
    }


METRICS: dict[str, dict[str, Any]] = {
    "flights": _of_flights(_COUNT),
    "planes": _of_flights({"function": "COUNT_DISTINCT", "column": "tailnum"}),
    "seats": _of_flights({"function": "AVG", "column": "plane.seats"}),
    "delay_in_rain": _of_flights({"function": "AVG", "column": "dep_delay"}, {"column": "rain", "gt": 0}),
    "late": _of_flights(_COUNT, {"column": "dep_delay", "gt": 60}),
    "rain": _RAIN,
    "late_share": {"kind": "RATIO", "definition": {"numerator": "late", "denominator": "flights"}},
    "rain_a_flight": {"kind": "RATIO", "definition": {"numerator": "rain", "denominator": "flights"}},
    "on_time_percent": {
        "kind": "DERIVED",
        "definition": {"expression": "(flights - late) / flights * 100", "metrics": ["flights", "late"]},
    },
    "so_far": {
        "kind": "CUMULATIVE",
        "timeColumn": "time_hour",
        "definition": {"metric": "flights", "grainToDate": "MONTH"},
    },
    "late_share_of_a_week": {
        "kind": "CUMULATIVE",
        "timeColumn": "time_hour",
        "definition": {"metric": "late_share", "window": {"count": 7, "unit": "DAY"}},
    },
    "seats_by_use": _seats(
        {**_TO_FLIGHTS, "cardinality": "ONE_TO_MANY", "measures": [{**_COUNT, "as": "n"}]}, flights="flown.n"
    ),
    "seats_by_origin": _seats(_TO_FLIGHTS, origin="flown.origin"),
}
"""What each is besides its name: input of `genSemanticMetricCreate`, those it is made of before it."""

_MONTHS = 'time: {unit: MONTH, timeZone: "America/New_York"}'
_DAYS = """time: {unit: DAY, timeZone: "America/New_York", from: "2013-03-08T05:00:00Z", to: "2013-03-13T04:00:00Z"}"""
_THOSE_DAYS = "time >= '2013-03-08T05:00:00+00:00' AND time < '2013-03-13T04:00:00+00:00'"
_OF_DAYS = """SELECT ny_day AS at, ny_month AS month, count(*) AS n, sum(coalesce(dep_delay, 0) > 60) AS late
  FROM flights JOIN hours ON at = time_hour GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Figure:
    """`field` is of `metric(name:)`, `sql` its groups. `refused` is the join of a `METRIC_FANOUT` in their place."""

    name: str
    metric: str
    field: str
    sql: str
    refused: str | None = None


FIGURES = [
    Figure(
        "flights of each maker's planes, those of no known plane too",
        "flights",
        'aggregate(groupBy: ["manufacturer"])',
        """SELECT manufacturer, count(*) AS flights FROM flights LEFT JOIN planes ON planes.tailnum = flights.tailnum
           GROUP BY 1 ORDER BY manufacturer IS NULL, manufacturer""",
    ),
    Figure(
        "flights narrowed by columns of two joins, grouped by a third",
        "flights",
        """aggregate(groupBy: ["zone"], where: {and: [{column: "engine", eq: "Turbo-fan"},
          {column: "weather.wind_speed", gt: 20}]})""",
        """SELECT tzone AS zone, count(*) AS flights FROM flights LEFT JOIN airports ON faa = dest
           JOIN planes ON planes.tailnum = flights.tailnum JOIN weather ON weather.origin = flights.origin
             AND weather.time_hour = flights.time_hour
           WHERE engine = 'Turbo-fan' AND wind_speed > 20 GROUP BY 1 ORDER BY tzone IS NULL, tzone""",
    ),
    Figure(
        "an average of those that left in the rain",
        "delay_in_rain",
        'aggregate(groupBy: ["origin"])',
        """SELECT flights.origin AS origin, avg(dep_delay) AS delay_in_rain FROM flights JOIN weather
             ON weather.origin = flights.origin AND weather.time_hour = flights.time_hour
           WHERE precip > 0 GROUP BY 1 ORDER BY 1""",
    ),
    Figure(
        "a joined column averaged over months of New York",
        "seats",
        f"aggregate({_MONTHS})",
        """SELECT ny_month AS time, avg(seats) AS seats FROM flights JOIN hours ON at = time_hour
           LEFT JOIN planes ON planes.tailnum = flights.tailnum GROUP BY 1 ORDER BY 1""",
    ),
    Figure(
        "a ratio, reckoned for each group of a joined column",
        "late_share",
        'aggregate(groupBy: ["engine"], where: {column: "zone", eq: "America/Chicago"})',
        """SELECT engine, sum(coalesce(dep_delay, 0) > 60) * 1.0 / count(*) AS late_share FROM flights
           JOIN airports ON faa = dest LEFT JOIN planes ON planes.tailnum = flights.tailnum
           WHERE tzone = 'America/Chicago' GROUP BY 1 ORDER BY engine IS NULL, engine""",
    ),
    Figure(
        "two tables of different grain meet by a column of a third",
        "rain_a_flight",
        'aggregate(groupBy: ["airport"])',
        """SELECT name AS airport, (SELECT sum(precip) FROM weather WHERE origin = faa) * 1.0
             / (SELECT count(*) FROM flights WHERE origin = faa) AS rain_a_flight
           FROM airports WHERE faa IN (SELECT origin FROM flights) ORDER BY 1""",
    ),
    Figure(
        "different planes by where they went",
        "planes",
        'aggregate(groupBy: ["zone"])',
        """SELECT tzone AS zone, count(DISTINCT tailnum) AS planes FROM flights LEFT JOIN airports ON faa = dest
           GROUP BY 1 ORDER BY tzone IS NULL, tzone""",
    ),
    Figure(
        "arithmetic over two metrics, for each group of a joined column",
        "on_time_percent",
        'aggregate(groupBy: ["manufacturer"], where: {column: "engine", eq: "Turbo-jet"})',
        """SELECT manufacturer, sum(coalesce(dep_delay, 0) <= 60) * 100.0 / count(*) AS on_time_percent FROM flights
           JOIN planes ON planes.tailnum = flights.tailnum WHERE engine = 'Turbo-jet' GROUP BY 1 ORDER BY 1""",
    ),
    Figure(
        "since the month of New York began, around the day of 23 hours",
        "so_far",
        f"aggregate({_DAYS})",
        f"""SELECT time, so_far FROM (SELECT at AS time, sum(n) OVER (PARTITION BY month ORDER BY at) AS so_far
           FROM ({_OF_DAYS})) WHERE {_THOSE_DAYS} ORDER BY 1""",
    ),
    Figure(
        "a ratio of seven days is that of two sums, not a mean of ratios",
        "late_share_of_a_week",
        f"aggregate({_DAYS})",
        f"""SELECT time, late_share_of_a_week FROM (SELECT at AS time, sum(late) OVER week * 1.0 / sum(n) OVER week
           AS late_share_of_a_week FROM ({_OF_DAYS}) WINDOW week AS (ORDER BY at ROWS 6 PRECEDING))
           WHERE {_THOSE_DAYS} ORDER BY 1""",
    ),
    Figure(
        "many rows for each: counted by the key before they are joined",
        "seats_by_use",
        'aggregate(groupBy: ["engines"], where: {column: "flights", gte: 200})',
        """SELECT engines, sum(seats) AS seats_by_use FROM planes
           WHERE tailnum IN (SELECT tailnum FROM flights GROUP BY 1 HAVING count(*) >= 200) GROUP BY 1 ORDER BY 1""",
    ),
    Figure(
        "many rows for each: refused, as the seats would be counted for each flight",
        "seats_by_origin",
        'aggregate(groupBy: ["origin"])',
        "SELECT count(*) AS n FROM planes JOIN flights USING (tailnum)",
        refused="flown",
    ),
]
