"""Only one SELECT over tables, with functions of the allowlist, is ever sent, whatever the text is."""

import random
import re
import secrets
from contextlib import suppress
from time import thread_time

import pytest
import sqlglot
from sqlglot import exp

import loaders.warehouses.bigquery_sql
import loaders.warehouses.impala_sql  # noqa: F401 - both for sqlglot to know the dialects
from loaders.description import Column, ColumnType, Kind, Table
from loaders.errors import SqlRefused
from loaders.raw_sql.names import TableRef
from loaders.raw_sql.query import RawQuery
from tests.loaders.raw_sql.hostile import HOSTILE, HOSTILE_EVERYWHERE
from tests.loaders.raw_sql.statements import DIALECTS, REFUSED, REFUSED_EVERYWHERE, TAKEN, TAKEN_EVERYWHERE

COLUMNS = tuple(Column(name, ColumnType(Kind.TEXT)) for name in ("a", "b", "month"))


def found(query: RawQuery) -> dict[TableRef, Table]:
    return {ref: Table("datasource:x", "s", ref.name, COLUMNS) for ref in query.tables}


def to_sql(text: str, dialect: str, *, limit: int | None = None) -> str:
    query = RawQuery(text, dialect)
    return query.to_sql(found(query), limit=limit)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_else_is_sent(dialect: str) -> None:
    texts = (*REFUSED_EVERYWHERE, *REFUSED[dialect], *HOSTILE_EVERYWHERE, *HOSTILE[dialect])
    assert len(set(texts)) > 270
    sent = {}
    for text in texts:
        try:
            sent[text] = to_sql(text, dialect)
        except SqlRefused:
            continue
    assert sent == {}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_reads_is_taken_and_reads_back_as_itself(dialect: str) -> None:
    refused = {}
    for text in (*TAKEN_EVERYWHERE, *TAKEN[dialect]):
        try:
            sent = to_sql(text, dialect, limit=11)
        except SqlRefused as error:
            refused[text] = str(error)
            continue
        (tree,) = sqlglot.parse(sent, dialect=dialect)
        assert tree is not None
        assert tree.sql(dialect=dialect, identify=True, comments=False) == sent
        for table in tree.find_all(exp.Table):
            named = isinstance(table.this, exp.Identifier)
            assert not named or table.db == "s" or re.fullmatch(r"axion_with_\d+", table.name), sent
        assert "--" not in re.sub(r"'[^']*'", "", sent)
        assert "/*" not in re.sub(r"'[^']*'", "", sent)
    assert refused == {}


COSTLY = {
    "a hundred kilobytes": "SELECT " + "1, " * 33_000 + "1",
    "twenty thousand signs": "SELECT " + "(" * 19_900,
    "parentheses": "SELECT " + "(" * 2_400,
    "closed parentheses": "SELECT " + "(" * 1_200 + "1" + ")" * 1_200,
    "functions": "SELECT " + "abs(" * 800 + "1" + ")" * 800,
    "types that may be functions": "SELECT " + "STRUCT(" * 800 + "1" + ")" * 800,
    "few types that may be functions": "SELECT " + "STRUCT(" * 24 + "1" + ")" * 24,
    "arrays": "SELECT " + "ARRAY[" * 800 + "1" + "]" * 800,
    "few arrays": "SELECT " + "ARRAY[" * 24 + "1" + "]" * 24,
    "decimals": "SELECT " + "DECIMAL(" * 24 + "1" + ")" * 24,
    "indexes": "SELECT a" + "[1]" * 800,
    "casts": "SELECT a" + "::INT" * 1_200,
    "sums": "SELECT " + "+".join(["a"] * 1_200),
    "conditions": "SELECT 1 WHERE " + " AND ".join(["a"] * 1_200),
    "alternatives": "SELECT 1 WHERE " + " OR ".join(["a = 1"] * 600),
    "subqueries": "SELECT * FROM " + "(SELECT * FROM " * 600,
    "unions": " UNION ALL ".join(["SELECT 1"] * 600),
    "joins": "SELECT 1 FROM t" + " JOIN t USING (a)" * 400,
    "withs": "WITH " + ", ".join(f"a{n} AS (SELECT 1)" for n in range(350)) + " SELECT 1",
    "nested withs": "WITH a AS (" * 300 + "SELECT 1" + ") SELECT 1" * 300,
    "cases": "SELECT " + "CASE WHEN " * 1_200,
    "negations": "SELECT " + "NOT " * 2_400 + "a",
    "minuses": "SELECT " + "- " * 2_400 + "1",
    "semicolons": ";" * 2_400,
    "dots": "SELECT " + ".".join(["a"] * 1_200),
    "comments": "SELECT 1 " + "/* x */ " * 2_400,
    "a long text": "SELECT '" + "x" * 19_000 + "'",
    "quotes": "SELECT " + "''" * 9_000,
    "lambdas": "SELECT " + "x -> " * 1_200 + "1",
    "braces": "SELECT " + "{'a': " * 800,
    "intervals": "SELECT " + "INTERVAL " * 2_100 + "1",
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_text_is_settled_in_bounded_time(dialect: str) -> None:
    costs = {}
    for name, text in COSTLY.items():
        started = thread_time()
        with suppress(SqlRefused):
            to_sql(text, dialect)
        costs[name] = thread_time() - started
    assert {name: cost for name, cost in costs.items() if cost > 1.5} == {}


def test_no_mixture_of_texts_reads_anything_else() -> None:
    """Pieces of all statements in any order: what is taken reads back as itself, from tables of the schema alone."""
    seed = secrets.randbits(32)
    chance = random.Random(seed)
    taken = 0
    for _ in range(1_500):
        dialect = chance.choice(DIALECTS)
        texts = (*REFUSED_EVERYWHERE, *REFUSED[dialect], *TAKEN_EVERYWHERE, *TAKEN[dialect], *TAKEN_EVERYWHERE)
        pieces = [piece for text in chance.choices(texts, k=2) for piece in re.findall(r"\s+|\w+|.", text)]
        start = chance.randrange(len(pieces))
        del pieces[start : start + chance.randrange(6)]
        pieces.insert(
            chance.randrange(len(pieces) + 1), chance.choice(("'", "`", '"', "\\", ")", "(", ",", " UNION ALL "))
        )
        text = "".join(pieces if chance.random() < 0.5 else pieces[: len(pieces) // 2])
        try:
            sent = to_sql(text, dialect)
        except SqlRefused:
            continue
        taken += 1
        (tree,) = sqlglot.parse(sent, dialect=dialect)
        assert isinstance(tree, exp.Query), f"seed {seed}: {text!r}"
        for table in tree.find_all(exp.Table):
            named = isinstance(table.this, exp.Identifier) and not table.catalog
            rows = isinstance(table.this, exp.Func) and table.this.name.lower() in ("numbers", "generateseries", "")
            known = named and (table.db == "s" or table.name.startswith("axion_with_"))
            assert known or rows, f"seed {seed}: {text!r}"
    assert taken > 50, f"seed {seed}"


def test_the_limit_is_the_smaller_one() -> None:
    assert to_sql("SELECT a FROM t", "duckdb", limit=5).endswith("LIMIT 5")
    assert to_sql("SELECT a FROM t LIMIT 3", "duckdb", limit=5).endswith("LIMIT 3")
    assert to_sql("SELECT a FROM t LIMIT 30 OFFSET 2", "duckdb", limit=5).endswith("LIMIT 5 OFFSET 2")
    assert to_sql("SELECT a FROM t LIMIT 1 + 30", "duckdb", limit=5).endswith("LIMIT 1 + 30")
    assert to_sql("SELECT a FROM t UNION ALL SELECT a FROM u", "duckdb", limit=5).endswith('"u" AS "u"')


def test_a_name_of_with_hides_a_table_only_where_it_is_meant() -> None:
    query = RawQuery("SELECT a FROM t WHERE a IN (WITH t AS (SELECT b FROM u) SELECT b FROM t)", "duckdb")
    assert set(query.tables) == {TableRef(None, "t"), TableRef(None, "u")}
    query = RawQuery("WITH t AS (SELECT a FROM t) SELECT a FROM t", "duckdb")  # inside of it, the table
    assert query.tables == (TableRef(None, "t"),)
    query = RawQuery("WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT a FROM t", "duckdb")
    assert query.tables == ()
    query = RawQuery("WITH t AS (SELECT 1 AS a) SELECT a FROM s.t", "duckdb")
    assert query.tables == (TableRef("s", "t"),)


def test_only_the_schema_of_the_dataset_may_be_named() -> None:
    query = RawQuery("SELECT a FROM system.t", "clickhouse")
    with pytest.raises(SqlRefused, match=r"A table of another schema \(line 1, column 22\)"):
        query.to_sql(found(query))


def test_the_columns_it_may_read() -> None:
    table = Table("datasource:x", "s", "t", COLUMNS)
    assert RawQuery("SELECT a, count(*) FROM t GROUP BY a", "duckdb").columns_of(table) == ("a",)
    assert RawQuery("SELECT * FROM t", "duckdb").columns_of(table) == ("a", "b", "month")
    assert RawQuery("SELECT x.B FROM t AS x WHERE MONTH > 1", "duckdb").columns_of(table) == ("b", "month")


def test_a_refusal_names_the_construct_the_place_and_the_next_step() -> None:
    with pytest.raises(SqlRefused) as caught:
        RawQuery("SELECT a,\n  read_csv('x')\nFROM t", "duckdb")
    assert str(caught.value) == (
        "The function READ_CSV (line 2, column 3) is not allowed: it is not among the functions that may be called "
        "(docs/raw-sql.md). Use one of those."
    )
