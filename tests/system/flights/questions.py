"""Forty questions about the flights of New York: as a field of `GenTable`, and as SQL by hand (`by_hand`)."""

from dataclasses import dataclass

_DAY = 'column: "time_hour", as: "at", timeZone: "America/New_York"'
_COUNT = '{function: COUNT, as: "n"}'


@dataclass(frozen=True, slots=True)
class Question:
    """`field` answers `nodes`, `totalCount` or groups; `sql` the same rows, a column `compared.n` being nested.

    `quick`: also asked in every run of the engines that take a second or more for each.
    """

    name: str
    table: str
    field: str
    sql: str
    quick: bool = False
    percentile: bool = False


QUESTIONS = [
    Question(
        "a whole small table in order",
        "airlines",
        'rows(orderBy: [{column: "name"}]) { nodes }',
        "SELECT carrier, name FROM airlines ORDER BY name",
        quick=True,
    ),
    Question(
        "one column, backwards, a page of three",
        "airlines",
        'rows(select: ["name"], orderBy: [{column: "carrier", direction: DESC}], first: 3) { nodes }',
        "SELECT name FROM airlines ORDER BY carrier DESC LIMIT 3",
    ),
    Question(
        "one flight by what names it",
        "flights",
        """rows(where: {and: [{column: "month", eq: 11}, {column: "day", eq: 3}, {column: "carrier", eq: "B6"},
          {column: "flight", eq: 601}]}) { nodes }""",
        "SELECT * FROM flights WHERE month = 11 AND day = 3 AND carrier = 'B6' AND flight = 601",
        quick=True,
    ),
    Question(
        "planes without a tail number, in order of three columns",
        "flights",
        """rows(select: ["time_hour", "carrier", "flight", "tailnum"], where: {column: "tailnum", isNull: true},
          orderBy: [{column: "time_hour"}, {column: "carrier", direction: DESC}, {column: "flight"}], first: 20) {
          nodes }""",
        """SELECT time_hour, carrier, flight, tailnum FROM flights WHERE tailnum IS NULL
           ORDER BY time_hour, carrier DESC, flight LIMIT 20""",
    ),
    Question(
        "how many never left",
        "flights",
        'rows(where: {column: "dep_delay", isNull: true}) { totalCount }',
        "SELECT count(*) AS totalCount FROM flights WHERE dep_delay IS NULL",
        quick=True,
    ),
    Question(
        "how many left",
        "flights",
        'rows(where: {column: "dep_delay", isNull: false}) { totalCount }',
        "SELECT count(*) AS totalCount FROM flights WHERE dep_delay IS NOT NULL",
    ),
    Question(
        "the latest departures",
        "flights",
        """rows(select: ["dep_delay", "origin", "dest", "time_hour"], where: {column: "dep_delay", gt: 800},
          orderBy: [{column: "dep_delay", direction: DESC}, {column: "time_hour"}, {column: "dest"}]) { nodes }""",
        """SELECT dep_delay, origin, dest, time_hour FROM flights WHERE dep_delay > 800
           ORDER BY dep_delay DESC, time_hour, dest""",
    ),
    Question(
        "within a minute of the plan",
        "flights",
        'rows(where: {column: "arr_delay", gte: -1, lte: 1}) { totalCount }',
        "SELECT count(*) AS totalCount FROM flights WHERE arr_delay BETWEEN -1 AND 1",
    ),
    Question(
        "to one of three airports",
        "flights",
        'rows(where: {column: "dest", in: ["SFO", "LAX", "HNL"]}) { totalCount }',
        "SELECT count(*) AS totalCount FROM flights WHERE dest IN ('SFO', 'LAX', 'HNL')",
    ),
    Question(
        "none of some planes, and not those without a number",
        "flights",
        'rows(where: {column: "tailnum", notIn: ["N14228", "N24211"]}) { totalCount }',
        "SELECT count(*) AS totalCount FROM flights WHERE tailnum NOT IN ('N14228', 'N24211')",
    ),
    Question(
        "another plane, and not those without a number",
        "flights",
        'rows(where: {column: "tailnum", ne: "N14228"}) { totalCount }',
        "SELECT count(*) AS totalCount FROM flights WHERE tailnum <> 'N14228'",
    ),
    Question(
        "text with a pattern",
        "planes",
        """rows(select: ["tailnum"], where: {column: "model", like: "A3_0-21%"}, first: 30,
          orderBy: [{column: "tailnum"}]) { nodes }""",
        "SELECT tailnum FROM planes WHERE model LIKE 'A3_0-21%' ORDER BY tailnum LIMIT 30",
    ),
    Question(
        "text whatever its case",
        "airports",
        'rows(select: ["faa", "name"], where: {column: "name", ilike: "%NEW %"}, orderBy: [{column: "faa"}]) { nodes }',
        "SELECT faa, name FROM airports WHERE lower(name) LIKE '%new %' ORDER BY faa",
        quick=True,
    ),
    Question(
        "text from its start, taken literally",
        "airports",
        'rows(select: ["name"], where: {column: "name", startsWith: "La "}, orderBy: [{column: "name"}]) { nodes }',
        "SELECT name FROM airports WHERE substr(name, 1, 3) = 'La ' ORDER BY name",
    ),
    Question(
        "text with a quote in it",
        "airports",
        """rows(select: ["faa", "name"], where: {column: "name", like: "%'%"}, orderBy: [{column: "faa"}]) { nodes }""",
        "SELECT faa, name FROM airports WHERE instr(name, char(39)) > 0 ORDER BY faa",
    ),
    Question(
        "all, any and none together",
        "flights",
        """rows(where: {and: [{column: "origin", eq: "JFK"}, {or: [{column: "air_time", gt: 380},
          {column: "dest", eq: "SFO"}]}, {not: {column: "carrier", eq: "DL"}}]}) { totalCount }""",
        """SELECT count(*) AS totalCount FROM flights
           WHERE origin = 'JFK' AND (air_time > 380 OR dest = 'SFO') AND NOT carrier = 'DL'""",
    ),
    Question(
        "what is unknown is neither so nor not so",
        "flights",
        'rows(where: {not: {column: "arr_delay", gt: 0}}) { totalCount }',
        "SELECT count(*) AS totalCount FROM flights WHERE arr_delay <= 0",
    ),
    Question(
        "a column with nulls in order, the nulls last",
        "planes",
        'rows(select: ["speed", "tailnum"], orderBy: [{column: "speed"}, {column: "tailnum"}], first: 40) { nodes }',
        "SELECT speed, tailnum FROM planes ORDER BY speed IS NULL, speed, tailnum LIMIT 40",
    ),
    Question(
        "a column with nulls backwards, the nulls first",
        "planes",
        """rows(select: ["speed", "tailnum"], where: {column: "manufacturer", eq: "CESSNA"},
          orderBy: [{column: "speed", direction: DESC}, {column: "tailnum", direction: DESC}]) { nodes }""",
        """SELECT speed, tailnum FROM planes WHERE manufacturer = 'CESSNA'
           ORDER BY speed IS NOT NULL, speed DESC, tailnum DESC""",
    ),
    Question(
        "numbers with a fraction",
        "weather",
        """rows(select: ["origin", "time_hour", "temp", "humid"], where: {column: "temp", lt: 12.5},
          orderBy: [{column: "time_hour"}, {column: "origin"}]) { nodes }""",
        "SELECT origin, time_hour, temp, humid FROM weather WHERE temp < 12.5 ORDER BY time_hour, origin",
    ),
    Question(
        "from one instant to another, written in a zone",
        "flights",
        """rows(where: {column: "time_hour", gte: "2013-03-10T00:00:00-05:00", lt: "2013-03-11T00:00:00-04:00"}) {
          totalCount }""",
        """SELECT count(*) AS totalCount FROM flights
           WHERE time_hour >= '2013-03-10T05:00:00+00:00' AND time_hour < '2013-03-11T04:00:00+00:00'""",
        quick=True,
    ),
    Question(
        "how many in all",
        "flights",
        f"aggregate(measures: [{_COUNT}])",
        "SELECT count(*) AS n FROM flights",
    ),
    Question(
        "groups of two columns, the first ten",
        "flights",
        f'aggregate(groupBy: ["origin", "carrier"], measures: [{_COUNT}], first: 10)',
        "SELECT origin, carrier, count(*) AS n FROM flights GROUP BY origin, carrier ORDER BY origin, carrier LIMIT 10",
    ),
    Question(
        "a sum beyond 32 bits",
        "flights",
        'aggregate(groupBy: ["carrier"], measures: [{function: SUM, column: "distance", as: "miles"}])',
        "SELECT carrier, sum(distance) AS miles FROM flights GROUP BY carrier ORDER BY carrier",
    ),
    Question(
        "means without what is unknown",
        "flights",
        'aggregate(groupBy: ["carrier"], measures: [{function: AVG, column: "arr_delay", as: "late"}])',
        "SELECT carrier, avg(arr_delay) AS late FROM flights GROUP BY carrier ORDER BY carrier",
        quick=True,
    ),
    Question(
        "least and greatest of groups of two columns",
        "flights",
        """aggregate(groupBy: ["month", "origin"], measures: [{function: MIN, column: "dep_delay", as: "least"},
          {function: MAX, column: "dep_delay", as: "most"}])""",
        """SELECT month, origin, min(dep_delay) AS least, max(dep_delay) AS most FROM flights
           GROUP BY month, origin ORDER BY month, origin""",
    ),
    Question(
        "how many different ones, without null",
        "flights",
        """aggregate(groupBy: ["origin"], measures: [{function: COUNT_DISTINCT, column: "tailnum", as: "planes"},
          {function: COUNT, column: "tailnum", as: "known"}, {function: COUNT, as: "n"}])""",
        """SELECT origin, count(DISTINCT tailnum) AS planes, count(tailnum) AS known, count(*) AS n FROM flights
           GROUP BY origin ORDER BY origin""",
        quick=True,
    ),
    Question(
        "how widely they are spread",
        "flights",
        'aggregate(groupBy: ["origin"], measures: [{function: STDDEV, column: "dep_delay", as: "spread"}])',
        "SELECT origin, stddev(dep_delay) AS spread FROM flights GROUP BY origin ORDER BY origin",
    ),
    Question(
        "medians and nine tenths",
        "flights",
        """aggregate(groupBy: ["origin"], measures: [
          {function: PERCENTILE, fraction: 0.5, column: "arr_delay", as: "half"},
          {function: PERCENTILE, fraction: 0.9, column: "arr_delay", as: "most"}])""",
        """SELECT origin, percentile(arr_delay, 0.5) AS half, percentile(arr_delay, 0.9) AS most FROM flights
           GROUP BY origin ORDER BY origin""",
        quick=True,
        percentile=True,
    ),
    Question(
        "quarters of numbers with a fraction, between two of them",
        "weather",
        """aggregate(groupBy: ["origin"], measures: [
          {function: PERCENTILE, fraction: 0.251, column: "pressure", as: "quarter"}])""",
        "SELECT origin, percentile(pressure, 0.251) AS quarter FROM weather GROUP BY origin ORDER BY origin",
        percentile=True,
    ),
    Question(
        "null is a group, the last",
        "planes",
        f'aggregate(groupBy: ["speed"], measures: [{_COUNT}, {{function: MAX, column: "model", as: "model"}}])',
        "SELECT speed, count(*) AS n, max(model) AS model FROM planes GROUP BY speed ORDER BY speed IS NULL, speed",
        quick=True,
    ),
    Question(
        "groups of what matches",
        "flights",
        f"""aggregate(groupBy: ["hour"], where: {{column: "dep_delay", gt: 120}}, measures: [{_COUNT}])""",
        "SELECT hour, count(*) AS n FROM flights WHERE dep_delay > 120 GROUP BY hour ORDER BY hour",
    ),
    Question(
        "figures of no rows",
        "flights",
        f"""aggregate(where: {{column: "origin", eq: "ORD"}}, measures: [{_COUNT},
          {{function: SUM, column: "distance", as: "miles"}}])""",
        "SELECT count(*) AS n, sum(distance) AS miles FROM flights WHERE origin = 'ORD'",
    ),
    Question(
        "least and greatest instants",
        "flights",
        """aggregate(measures: [{function: MIN, column: "time_hour", as: "first"},
          {function: MAX, column: "time_hour", as: "last"}])""",
        "SELECT min(time_hour) AS first, max(time_hour) AS last FROM flights",
    ),
    Question(
        "months by the clocks of New York",
        "flights",
        f"aggregate(over: {{{_DAY}, unit: MONTH}}, measures: [{_COUNT}])",
        "SELECT ny_month AS at, count(*) AS n FROM flights JOIN hours ON at = time_hour GROUP BY 1 ORDER BY 1",
        quick=True,
    ),
    Question(
        "weeks from Sunday of each airport",
        "flights",
        f"""aggregate(over: {{{_DAY}, unit: WEEK, weekStart: SUNDAY}}, groupBy: ["origin"], measures: [{_COUNT}])""",
        """SELECT ny_week_of_sunday AS at, origin, count(*) AS n FROM flights JOIN hours ON at = time_hour
           GROUP BY 1, 2 ORDER BY 1, 2""",
    ),
    Question(
        "the 23 hours of a day in March, those without a flight too",
        "flights",
        f"""aggregate(over: {{{_DAY}, unit: HOUR, fill: ZERO, from: "2013-03-10T05:00:00Z",
          to: "2013-03-11T04:00:00Z"}}, measures: [{_COUNT}])""",
        """SELECT at, (SELECT count(*) FROM flights WHERE time_hour = at) AS n FROM hours
           WHERE ny_day = '2013-03-10T05:00:00+00:00' ORDER BY at""",
        quick=True,
    ),
    Question(
        "the 25 hours of a day in November, gaps with what was before",
        "flights",
        f"""aggregate(over: {{{_DAY}, unit: HOUR, fill: PREVIOUS, from: "2013-11-03T04:00:00Z",
          to: "2013-11-04T05:00:00Z"}}, measures: [{_COUNT}])""",
        """SELECT at, (SELECT count(*) FROM flights WHERE time_hour = (
             SELECT max(time_hour) FROM flights WHERE time_hour <= at AND time_hour >= '2013-11-03T04:00:00+00:00')
           HAVING count(*) > 0) AS n FROM hours WHERE ny_day = '2013-11-03T04:00:00+00:00' ORDER BY at""",
    ),
    Question(
        "quarters of Kolkata, half an hour off",
        "weather",
        """aggregate(over: {column: "time_hour", as: "at", timeZone: "Asia/Kolkata", unit: QUARTER}, measures: [
          {function: AVG, column: "temp", as: "warmth"}, {function: COUNT, as: "n"}])""",
        """SELECT kolkata_quarter AS at, avg(temp) AS warmth, count(*) AS n FROM weather JOIN hours ON at = time_hour
           GROUP BY 1 ORDER BY 1""",
    ),
    Question(
        "weeks from Monday in London, each with the one before",
        "flights",
        f"""aggregate(over: {{column: "time_hour", as: "at", timeZone: "Europe/London", unit: WEEK,
          from: "2013-03-25T00:00:00Z", to: "2013-04-07T23:00:00Z", compare: PREVIOUS_PERIOD}},
          measures: [{_COUNT}])""",
        """SELECT now.at AS at, now.n AS n, before.at AS 'compared.at', before.n AS 'compared.n' FROM
           (SELECT london_week AS at, count(*) AS n FROM flights JOIN hours ON at = time_hour GROUP BY 1) AS now JOIN
           (SELECT london_week AS at, count(*) AS n FROM flights JOIN hours ON at = time_hour GROUP BY 1) AS before
           ON (now.at, before.at) IN (VALUES ('2013-03-25T00:00:00+00:00', '2013-03-11T00:00:00+00:00'),
                                             ('2013-03-31T23:00:00+00:00', '2013-03-18T00:00:00+00:00'))
           ORDER BY 1""",
    ),
]
