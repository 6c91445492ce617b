"""Which conditions of a WHERE are applied to a table's own columns, and where none may be."""

import pytest

import loaders.warehouses.bigquery_sql
import loaders.warehouses.impala_sql  # noqa: F401 - both for sqlglot to know the dialects
from loaders.description import Column, ColumnType, Kind, Table
from loaders.raw_sql.names import TableRef
from loaders.raw_sql.query import RawQuery
from loaders.read import And, Col, Compare, Op, Or
from tests.loaders.raw_sql.statements import DIALECTS

T = TableRef(None, "t")
TABLE = Table("datasource:x", "s", "t", tuple(Column(name, ColumnType(Kind.INTEGER)) for name in ("a", "month")))
OTHER = Table("datasource:x", "s", "u", TABLE.columns)
MONTH = Compare(Col("month"), Op.EQ, None)


def sent(text: str, dialect: str) -> str:
    query = RawQuery(text, dialect)
    found = {ref: TABLE if ref == T else OTHER for ref in query.tables}
    return query.to_sql(found, filtered=[T])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_table_is_read_through_what_where_holds_it_to(dialect: str) -> None:
    text = sent("SELECT x.a AS a FROM t AS x JOIN u ON x.a = u.a WHERE x.month IN (1, 2) AND u.a = 3", dialect)
    within, without = text.replace("`", '"').split(") AS ", 1)
    assert within == (
        'SELECT "x"."a" AS "a" FROM (SELECT "axion_read"."a" AS "a", "axion_read"."month" AS "month" '
        'FROM "s"."t" AS "axion_read" WHERE "axion_read"."month" IN (1, 2)'
    )
    assert without.endswith('WHERE "x"."month" IN (1, 2) AND "u"."a" = 3')


HELD = {
    "month = 1": MONTH,
    "(1 = month)": MONTH,
    "month = 1 AND a > 2": And((MONTH, Compare(Col("a"), Op.GT, None))),
    "3 > a": Compare(Col("a"), Op.LT, None),
    "month = 1 OR (month = 2 AND a < u_b)": Or((MONTH, MONTH)),
    "a BETWEEN 1 AND 2": And((Compare(Col("a"), Op.GTE, None), Compare(Col("a"), Op.LTE, None))),
    "a BETWEEN 1 AND month": Compare(Col("a"), Op.GTE, None),
    "month IS NULL": Compare(Col("month"), Op.IS_NULL, None),
    "month = 1 OR a = month": And(()),
    "NOT month = 1": And(()),
    "month = (SELECT 1)": And(()),
    "month IN (SELECT 1)": And(()),
    "month = month": And(()),
    "elsewhere.month = 1": And(()),
    "absent = 1": And(()),
}


@pytest.mark.parametrize("where", HELD)
def test_what_a_condition_holds_to(where: str) -> None:
    (found,) = RawQuery(f"SELECT a FROM t WHERE {where}", "duckdb").conditions(T, TABLE)
    assert found == HELD[where]


NEGATED = ("a NOT LIKE 'x'", "a NOT ILIKE 'x'", "a NOT IN (1)", "a NOT BETWEEN 1 AND 2", "a IS NOT NULL", "NOT a = 1")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("where", NEGATED)
def test_what_is_negated_is_nothing(where: str, dialect: str) -> None:
    (found,) = RawQuery(f"SELECT a FROM t WHERE {where}", dialect).conditions(T, TABLE)
    assert found == And(())
    narrowed = sent(f"SELECT a FROM t WHERE month = 1 AND {where}", dialect).replace("`", '"')
    assert '"axion_read"."month" = 1)' in narrowed


@pytest.mark.parametrize("where", ["a !~~ 'x'", "a !~~* 'x'", "NOT a ~~ 'x'"])
def test_what_is_negated_by_a_sign_is_nothing(where: str) -> None:
    (found,) = RawQuery(f"SELECT a FROM t WHERE {where}", "duckdb").conditions(T, TABLE)
    assert found == And(())


SHADOWED = (
    "SELECT a + 1 AS month FROM t WHERE month = 1",
    "SELECT t.a + 1 AS month FROM t WHERE t.month = 1",
    "SELECT a + (a AS month) AS n FROM t WHERE month = 1",
    "SELECT a FROM t WHERE month = 1 ORDER BY (a AS month)",
    "WITH a + 1 AS month SELECT a FROM t WHERE month = 1",
    "WITH a + (1 AS month) AS x SELECT a FROM t WHERE month = 1",
    "WITH 1 AS month SELECT n FROM (SELECT a AS n FROM t WHERE month = 1) AS x",
    "SELECT a FROM t ARRAY JOIN a AS month WHERE t.month = 1",
    "SELECT a FROM t ARRAY JOIN month WHERE t.month = 1",
    "SELECT CAST(tuple(1) AS Tuple(month UInt8)) AS t FROM t WHERE t.month = 1",
    'SELECT 1 AS "t.month" FROM t WHERE t.month = 1',
    "SELECT u.month AS month FROM t JOIN u ON t.a = u.a WHERE t.month = 1",
    "SELECT a FROM t WHERE month = arrayJoin([1, 2])",
)


@pytest.mark.parametrize("text", SHADOWED)
def test_to_clickhouse_an_alias_is_no_column(text: str) -> None:
    assert RawQuery(text, "clickhouse").conditions(T, TABLE) == (And(()),)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT month AS month FROM t WHERE month = 1",
        "SELECT x.month AS month FROM t AS x WHERE x.month = 1",
        "SELECT (SELECT 2 AS month) AS n FROM t WHERE month = 1",
        "SELECT a + 1 AS month FROM (SELECT a FROM t WHERE month = 1) AS x",
        "WITH x AS (SELECT 1 AS month) SELECT a FROM t WHERE month = 1",
        "SELECT 1 AS month UNION ALL SELECT a FROM t WHERE month = 1",
    ],
)
def test_an_alias_that_is_not_meant_takes_nothing_from_the_filter(text: str) -> None:
    assert RawQuery(text, "clickhouse").conditions(T, TABLE) == (MONTH,)


JOINS = {
    "t JOIN u ON t.a = u.a": True,
    "u JOIN t ON t.a = u.a": True,
    "u, t": True,
    "t LEFT JOIN u ON t.a = u.a": True,
    "t SEMI JOIN u ON t.a = u.a": True,
    "u LEFT JOIN t ON t.a = u.a": False,
    "u RIGHT JOIN t ON t.a = u.a": False,
    "t RIGHT JOIN u ON t.a = u.a": False,
    "t FULL JOIN u ON t.a = u.a": False,
    "u JOIN t ON t.a = u.a RIGHT JOIN u AS v ON v.a = u.a": False,
    "u ASOF JOIN t ON t.a >= u.a": False,
    "(u JOIN t ON t.a = u.a)": False,
}


@pytest.mark.parametrize("joined", JOINS)
def test_rows_are_refused_before_a_join_only_where_it_is_the_same_after_it(joined: str) -> None:
    (found,) = RawQuery(f"SELECT 1 AS n FROM {joined} WHERE t.month = 1", "duckdb").conditions(T, TABLE)
    assert found == (MONTH if JOINS[joined] else And(()))
    (none,) = RawQuery(f"SELECT 1 AS n FROM {joined} WHERE t.month IS NULL", "duckdb").conditions(T, TABLE)
    assert none == And(())


def test_each_place_is_held_by_its_own_where() -> None:
    text = "WITH t2 AS (SELECT a FROM t WHERE month = 1) SELECT a FROM t2 UNION ALL SELECT a FROM t"
    assert sorted(map(str, RawQuery(text, "clickhouse").conditions(T, TABLE))) == sorted(map(str, (MONTH, And(()))))


def test_names_are_told_apart_as_the_engine_does() -> None:
    text = "SELECT a FROM t AS f WHERE F.month = 1"
    assert RawQuery(text, "duckdb").conditions(T, TABLE) == (MONTH,)
    assert RawQuery(text, "clickhouse").conditions(T, TABLE) == (And(()),)


def test_a_long_condition_is_read() -> None:
    text = "SELECT a FROM t WHERE " + " OR ".join(["month = 1"] * 500)
    assert RawQuery(text, "duckdb").conditions(T, TABLE) == (Or((MONTH,) * 500),)


def test_final_and_prewhere_are_kept_where_they_belong() -> None:
    text = sent("SELECT a FROM t AS x FINAL PREWHERE month = 1 WHERE a > 2", "clickhouse")
    assert text == (
        'SELECT "a" FROM (SELECT "axion_read"."a" AS "a", "axion_read"."month" AS "month" FROM "s"."t" AS "axion_read" '
        'FINAL WHERE "axion_read"."a" > 2 AND "axion_read"."month" = 1) AS "x" WHERE "a" > 2 AND "month" = 1'
    )
