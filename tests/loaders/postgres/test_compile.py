"""The compile station of Postgres as a table: a read and its statement. What statements answer is tested elsewhere."""

import re

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.parameters import fill_some, limits, split
from loaders.postgres.compile import compile_keyed, compile_read
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Col,
    Compare,
    Connection,
    ConnectionPart,
    CountOf,
    Exists,
    Field,
    Having,
    Join,
    Literal,
    Measure,
    Nodes,
    Not,
    Op,
    OrderBy,
    Page,
    PageInfo,
    PageInfoPart,
    Read,
    Related,
    Through,
    TotalCount,
    figure,
)
from tests.loaders.postgres.reading import columns, listed

_BIGINT, _TEXT = ColumnType(Kind.BIGINT), ColumnType(Kind.TEXT)
TEAMS = Table(
    "s", None, "teams", (Column("id", _BIGINT, nullable=False), Column("name", _TEXT, nullable=False)), ("id",)
)
LOGS = Table(
    "s",
    "road",
    "logs",
    (Column("id", _BIGINT, nullable=False), Column("team_id", _BIGINT), Column("name", _TEXT)),
    ("id",),
)
TEAM, OWN = Join(TEAMS, ("team_id",), ("id",)), Join(LOGS, ("id",), ("team_id",))
ID = columns("id")
IS_7 = Compare(Col("id"), Op.EQ, 7)
COUNT = Measure(AggregateFunction.COUNT)


def _parts(**parts: ConnectionPart) -> Connection:
    return Connection(tuple(parts.items()))


CASES: dict[str, tuple[Read, str, tuple[object, ...]]] = {
    "columns of one row need no bound": (
        Read(LOGS, (*columns("id", "name"), Field("__typename", Literal("Log"))), where=IS_7),
        """(SELECT ('{"id":"' || CAST(anon_3.id AS TEXT) || '","name":' || coalesce(CAST(to_json(anon_3.name) AS TEXT),
        'null') || ',"__typename":"Log"}') AS anon_2 FROM (SELECT logs_1.id AS id, logs_1.name AS name FROM
        road.logs AS logs_1 WHERE logs_1.id = $1::BIGINT LIMIT 1) AS anon_3)""",
        (7,),
    ),
    "a page": (
        listed(LOGS, ID, page=Page(3)),
        """(SELECT ('{"nodes":[' || coalesce(string_agg(('{"id":"' || CAST(anon_2.id AS TEXT) || '"}'), ',' ORDER BY
        anon_2.id ASC), '') || ']}') AS anon_1 FROM (SELECT logs_1.id AS id FROM road.logs AS logs_1 ORDER BY
        logs_1.id ASC LIMIT 3) AS anon_2 HAVING true)""",
        (),
    ),
    "an edge is a subquery of its row": (
        Read(LOGS, (Field("team", Related(TEAM, Read(TEAMS, columns("name")))),), where=IS_7),
        """(SELECT ('{"team":' || coalesce((SELECT ('{"name":' || CAST(to_json(anon_3.name) AS TEXT) || '}') AS anon_2
        FROM (SELECT teams_1.name AS name FROM teams AS teams_1 WHERE teams_1.id = anon_4.team_id LIMIT 1) AS
        anon_3), 'null') || '}') AS anon_1 FROM (SELECT logs_1.team_id AS team_id FROM road.logs AS logs_1 WHERE
        logs_1.id = $1::BIGINT LIMIT 1) AS anon_4)""",
        (7,),
    ),
    "so is a nested page: the first of each": (
        listed(TEAMS, (Field("logs", Related(OWN, listed(LOGS, ID, order=(OrderBy(Col("name")),), page=Page(2)))),)),
        """(SELECT ('{"nodes":[' || coalesce(string_agg(('{"logs":' || (SELECT ('{"nodes":[' ||
        coalesce(string_agg(('{"id":"' || CAST(anon_3.id AS TEXT) || '"}'), ',' ORDER BY anon_3.name ASC, anon_3.id
        ASC), '') || ']}') AS anon_2 FROM (SELECT logs_1.id AS id, logs_1.name AS name FROM road.logs AS logs_1
        WHERE logs_1.team_id = anon_4.id ORDER BY logs_1.name ASC, logs_1.id ASC LIMIT 2) AS anon_3 HAVING true) ||
        '}'), ',' ORDER BY anon_4.id ASC), '') || ']}') AS anon_1 FROM (SELECT teams_1.id AS id FROM teams AS
        teams_1 ORDER BY teams_1.id ASC) AS anon_4 HAVING true)""",
        (),
    ),
    "after a cursor, with nulls first": (
        listed(LOGS, ID, order=(OrderBy(Col("name"), descending=True),), page=Page(3, after=("x", 4))),
        """(SELECT ('{"nodes":[' || coalesce(string_agg(('{"id":"' || CAST(anon_2.id AS TEXT) || '"}'), ',' ORDER BY
        anon_2.name DESC, anon_2.id ASC), '') || ']}') AS anon_1 FROM (SELECT logs_1.id AS id, logs_1.name AS name
        FROM road.logs AS logs_1 WHERE logs_1.name < $1::VARCHAR OR logs_1.name = $1::VARCHAR AND logs_1.id >
        $2::BIGINT ORDER BY logs_1.name DESC, logs_1.id ASC LIMIT 3) AS anon_2 HAVING true)""",
        ("x", 4),
    ),
    "from the end, in the order of the list": (
        listed(LOGS, ID, page=Page(3, backward=True)),
        """(SELECT ('{"nodes":[' || coalesce(string_agg(('{"id":"' || CAST(anon_2.id AS TEXT) || '"}'), ',' ORDER BY
        anon_2."#place" DESC), '') || ']}') AS anon_1 FROM (SELECT anon_3.id AS id, row_number() OVER () AS "#place"
        FROM (SELECT logs_1.id AS id FROM road.logs AS logs_1 ORDER BY logs_1.id DESC LIMIT 3) AS anon_3) AS anon_2
        HAVING true)""",
        (),
    ),
    "whether more follow is told by one row more": (
        Read(LOGS, connection=_parts(i=PageInfo((("more", PageInfoPart.HAS_NEXT_PAGE),))), page=Page(3)),
        """(SELECT ('{"i":' || ('{"more":' || CAST(count(*) > 3 AS TEXT) || '}') || '}') AS anon_1 FROM (SELECT
        anon_3.id AS id, row_number() OVER () AS "#place" FROM (SELECT logs_1.id AS id FROM road.logs AS logs_1
        ORDER BY logs_1.id ASC LIMIT 4) AS anon_3) AS anon_2 HAVING true)""",
        (),
    ),
    "a count of rows without a related one": (
        Read(
            LOGS,
            connection=_parts(n=TotalCount()),
            where=Not(Exists(TEAM, Compare(Col("name"), Op.LIKE, "a%"))),
        ),
        """('{"n":' || (SELECT CAST(count(*) AS TEXT) AS count_1 FROM road.logs AS logs_1 WHERE NOT (EXISTS (SELECT 1
        FROM teams AS teams_1 WHERE teams_1.id = logs_1.team_id AND teams_1.name LIKE $1::VARCHAR))) || '}')""",
        ("a%",),
    ),
    "an order by what is related": (
        Read(
            LOGS,
            connection=_parts(n=Nodes(())),
            order=(OrderBy(Through(TEAM, Col("name"))), OrderBy(Through(TEAM, CountOf(OWN)), descending=True)),
            page=Page(3),
        ),
        """(SELECT ('{"n":[' || coalesce(string_agg('{}', ',' ORDER BY anon_2."#place" ASC), '') || ']}') AS anon_1
        FROM (SELECT anon_3.id AS id, anon_3.team_id AS team_id, row_number() OVER () AS "#place" FROM (SELECT
        logs_1.id AS id, logs_1.team_id AS team_id FROM road.logs AS logs_1 ORDER BY (SELECT teams_1.name FROM teams
        AS teams_1 WHERE teams_1.id = logs_1.team_id ORDER BY teams_1.id LIMIT 1) ASC, (SELECT (SELECT count(*) AS
        count_1 FROM road.logs AS logs_2 WHERE logs_2.team_id = teams_2.id) AS anon_4 FROM teams AS teams_2 WHERE
        teams_2.id = logs_1.team_id ORDER BY teams_2.id LIMIT 1) DESC, logs_1.id ASC LIMIT 3) AS anon_3) AS anon_2
        HAVING true)""",
        (),
    ),
    "groups that hold": (
        Read(
            LOGS,
            connection=_parts(
                by=Aggregate(
                    (Col("name"),),
                    (("name", Col("name")), ("n", COUNT)),
                    having=Having((COUNT,), Compare(Col(figure(0)), Op.GT, 1)),
                )
            ),
        ),
        """('{"by":' || (SELECT ('[' || coalesce(string_agg(anon_2.item, ',' ORDER BY anon_2.k0), '') || ']') AS anon_1
        FROM (SELECT anon_3.item AS item, anon_3.k0 AS k0 FROM (SELECT ('{"name":' ||
        coalesce(CAST(to_json(anon_4.v0) AS TEXT), 'null') || ',"n":' || coalesce(CAST(count(*) AS TEXT), 'null') ||
        '}') AS item, anon_4.v0 AS k0, count(*) AS h0 FROM (SELECT logs_1.name AS v0 FROM road.logs AS logs_1) AS
        anon_4 GROUP BY anon_4.v0) AS anon_3 WHERE anon_3.h0 > $1::INTEGER ORDER BY anon_3.k0) AS anon_2) || '}')""",
        (1,),
    ),
}
_BOUNDED = re.compile(r"SELECT CASE WHEN .* END FROM \(SELECT (.*) AS text LIMIT ALL OFFSET 0\) AS made")
_BARE = re.compile(r"SELECT (.*) AS anon_1")


def _plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()


def _answer(sql: str) -> str:
    """What is answered, without the bound of its size around it (loaders/postgres/room.py)."""
    found = _BOUNDED.fullmatch(_plain(sql)) or _BARE.fullmatch(_plain(sql))
    assert found is not None, sql
    return found[1]


@pytest.mark.parametrize("case", CASES)
def test_statements(case: str) -> None:
    read, sql, parameters = CASES[case]
    statement = compile_read(read)
    assert _answer(statement.sql) == _plain(sql)
    assert statement.parameters == parameters


@pytest.mark.parametrize("case", CASES)
def test_slots_change_the_parameters_only(case: str) -> None:
    read, _, parameters = CASES[case]
    shape, values = split(read)
    slotted = compile_read(fill_some(shape, {place: values[place] for place in limits(shape)}))
    assert slotted.bound(values) == parameters
    assert re.sub(r"\$\d+", "$", slotted.sql) == re.sub(r"\$\d+", "$", compile_read(read).sql)


def test_many_parents_are_one_array() -> None:
    statement = compile_keyed(listed(LOGS, ID, page=Page(2)), OWN, (5, 6))
    assert _plain(statement.sql).endswith(
        "WHERE logs_1.team_id = anon_1.id ORDER BY logs_1.id ASC LIMIT 2) AS anon_3 HAVING true) AS text"
        ' FROM unnest($1::BIGINT[]) WITH ORDINALITY AS anon_1(id, "#place") LIMIT ALL OFFSET 0) AS made'
    )
    assert statement.parameters == ([5, 6],)


def test_no_value_is_text_of_a_statement() -> None:
    evil = "'; DROP TABLE logs; --"
    for op in (Op.EQ, Op.NE, Op.LT, Op.LIKE, Op.ILIKE, Op.STARTS_WITH):
        assert "DROP" not in compile_read(listed(LOGS, ID, Compare(Col("name"), op, evil))).sql
    for op in (Op.IN, Op.NOT_IN):
        assert "DROP" not in compile_read(listed(LOGS, ID, Compare(Col("name"), op, (evil,)))).sql
    after = listed(LOGS, ID, order=(OrderBy(Col("name")),), page=Page(1, after=(evil, 1)))
    assert "DROP" not in compile_read(after).sql
