"""An engine in the gateway's process makes no large values of small ones: its memory bound does not hold them."""

import subprocess
import sys
from contextlib import suppress
from time import thread_time

import pytest

from loaders.errors import SqlRefused
from loaders.raw_sql.near import MAX_GROWTH
from loaders.raw_sql.query import RawQuery


def nested(selected: str, base: str, times: int) -> str:
    for _ in range(times):
        base = f"SELECT {selected} FROM ({base}) AS x"
    return base


GATHERED = "(SELECT array_agg(a) AS l, string_agg(s, ',') AS s FROM t) AS q"
LARGE = {
    "a range": "SELECT list_max(range(200000000)) AS n",
    "a series": "SELECT sum(list_max(generate_series(1, 100000 + i))) AS n FROM range(2000) AS t(i)",
    "an unnested range": "SELECT unnest(range(1000000000)) AS n",
    "an unnested range after FROM": "SELECT n FROM unnest(range(1000000000)) AS u(n)",
    "a range of a range": "SELECT n FROM range(list_max(range(1000000000))) AS u(n)",
    "a series of days": "SELECT generate_series(DATE '0001-01-01', DATE '9999-01-01', INTERVAL 1 DAY) AS n",
    "a gathered list for each row": f"SELECT max(length(list_append(q.l, t.a))) AS n FROM t, {GATHERED}",
    "a gathered text for each row": f"SELECT max(length(concat(q.s, t.a))) AS n FROM t, {GATHERED}",
    "a gathered list within a function": "SELECT length(array_agg(a)) AS n FROM t",
    "a gathered list over a window": "SELECT array_agg(a) OVER (ORDER BY a) AS l FROM t",
    "a gathered list in WITH": "WITH q AS (SELECT list(a) AS l FROM t) SELECT l FROM q",
    "a gathered text by its alias": "SELECT string_agg(s, ',') AS x, concat(x, x) AS y FROM t",
    "a histogram": "SELECT histogram(a) AS h FROM (SELECT histogram(a) AS a FROM t) AS q",
    "an array of rows": "SELECT ARRAY(SELECT a FROM t) AS l",
    "many of the greatest": "SELECT max(a, 900000) AS l FROM t",
    "doubled texts": nested("x.a || x.a AS a", "SELECT 'ten signs.' AS a", 25),
    "doubled by sub-selects": nested("(SELECT x.a) || (SELECT x.a) AS a", "SELECT 'ten signs.' AS a", 25),
    "doubled crosswise": nested("x.a || x.b AS a, x.b || x.a AS b", "SELECT 'a' AS a, 'b' AS b", 25),
    "doubled in unnest": "SELECT 1 AS n FROM t AS x0"
    + "".join(f", unnest([x{n}.a || x{n}.a]) AS x{n + 1}(a)" for n in range(25)),
    "doubled lists": nested("list_concat(x.a, x.a) AS a", "SELECT [1] AS a", 25),
    "doubled structs": nested("struct_pack(b := x.a, c := x.a) AS a", "SELECT 1 AS a", 25),
    "rows as structs": nested("x AS a, x AS b", "SELECT 1 AS a", 25),
    "rows of WITH as structs": "WITH y AS (SELECT 1 AS a), z AS (SELECT y AS a, y AS b FROM y) SELECT z AS c FROM z",
    "doubled columns": nested("*, *", "SELECT 1 AS a", 25),
    "aliases of aliases": "SELECT a AS b0, " + ", ".join(f"b{n} + b{n} AS b{n + 1}" for n in range(25)) + " FROM t",
    "a recursion": "WITH RECURSIVE r AS (SELECT 'a' AS l UNION ALL SELECT l || l FROM r) SELECT max(length(l)) FROM r",
    "a long literal often": f"SELECT concat({', '.join(['x.a'] * 40)}) AS n FROM (SELECT '{'x' * 9_000}' AS a) AS x",
    "a long separator": "SELECT array_to_string(string_split(s, ''), 'a long separator') AS n FROM t",
    "separators without end": f"SELECT concat_ws(s, {', '.join(['1'] * 500)}) AS n FROM t",
    "replaced again": "SELECT " + "regexp_replace(" * 5 + "s" + ", '.', 'xxxx', 'g')" * 5 + " AS n FROM t",
    "bits of bits": nested("bin(x.a) AS a", "SELECT s AS a FROM t", 8),
    "a list of lists": "SELECT list_transform(string_split(s, ''), lambda x: s) AS n FROM t",
    "a list of lists of its own": "SELECT list_transform([1, 2], lambda x: list_transform([x], lambda y: y)) AS n",
}
TAKEN = (
    "SELECT i FROM range(1000000000000) AS r(i)",
    "SELECT t.a, r.i FROM t, range(t.a) AS r(i)",
    "SELECT d FROM generate_series(DATE '2020-01-01', DATE '2021-01-01', INTERVAL 1 DAY) AS r(d)",
    "SELECT s, array_agg(DISTINCT a ORDER BY a) FILTER (WHERE a > 1) AS l FROM t GROUP BY s ORDER BY l",
    "SELECT string_agg(s, ', ' ORDER BY s) AS s FROM t UNION ALL SELECT s FROM t",
    "SELECT string_split(s, ',')[1] AS a, concat_ws(', ', s, a) AS b, replace(s, ',', ';') AS c FROM t",
    "SELECT list_transform([1, 2], lambda x: x + 1) AS l, list_contains(['a', 'b'], s) AS c FROM t",
    "SELECT x.*, y.s AS other FROM (SELECT * FROM t) AS x JOIN t AS y ON x.a = y.a",
    "SELECT a + 1 AS b, b * 2 AS c, b + c AS d, struct_pack(a := a, s := s) AS e FROM t",
    "WITH RECURSIVE r AS (SELECT a, s AS path FROM t UNION ALL SELECT t.a, r.path || '/' || t.s FROM r JOIN t "
    "ON t.a = r.a + 1) SELECT path FROM r",
)


@pytest.mark.parametrize("name", LARGE)
def test_what_grows_is_refused(name: str) -> None:
    with pytest.raises(SqlRefused):
        RawQuery(LARGE[name], "duckdb")


@pytest.mark.parametrize("text", TAKEN)
def test_what_stays_small_is_taken(text: str) -> None:
    RawQuery(text, "duckdb")


def test_engines_elsewhere_bound_themselves() -> None:
    RawQuery("SELECT arrayMax(groupArray(a)) AS n, concat(b, b) AS c FROM t", "clickhouse")


COSTLY = {
    "gathered": "SELECT " + ", ".join(f"list(a) AS x{n}" for n in range(330)) + " FROM t",
    "recursions": "WITH RECURSIVE a AS (" * 150 + "SELECT 1 AS b" + ") SELECT 1 AS b" * 150,
    "concatenated": "SELECT " + " || ".join(["a"] * MAX_GROWTH * 4) + " AS b FROM t",
    "lambdas": "SELECT " + ", ".join(["list_transform([1], lambda x: x)"] * 200),
    "aliases": "SELECT " + ", ".join(f"a AS a{n}" for n in range(600)) + " FROM t",
}


@pytest.mark.parametrize("name", COSTLY)
def test_it_is_judged_in_bounded_time(name: str) -> None:
    started = thread_time()
    with suppress(SqlRefused):
        RawQuery(COSTLY[name], "duckdb")
    assert thread_time() - started < 3


_PEAK = """
import duckdb, resource, sys
engine = duckdb.connect(":memory:", config={"threads": "1", "temp_directory": "", "memory_limit": "64MB"})
engine.execute("CREATE TABLE t AS SELECT i AS a, 'text ' || i AS s FROM range(20000) AS r(i)")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    engine.execute(sys.argv[1]).fetchmany(10)
except duckdb.Error:
    pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def peak_mib(sql: str) -> int:
    run = subprocess.run([sys.executable, "-c", _PEAK, sql], capture_output=True, text=True, check=True)
    return int(run.stdout.split()[-1])


def test_the_engine_keeps_its_bound_for_what_is_taken() -> None:
    """And does not for what is refused, which is why it is."""
    assert peak_mib("SELECT list_max(range(40000000)) AS n") > 300
    for sql in (
        "SELECT max(r.i) AS n FROM (SELECT 40000000 AS a) AS t, range(t.a) AS r(i)",
        "SELECT array_agg(t.a) AS l FROM t, t AS u WHERE u.a < 3000",
        "SELECT string_agg(t.s, '') AS s FROM t, t AS u WHERE u.a < 3000",
    ):
        RawQuery(sql, "duckdb")
        assert peak_mib(sql) < 150, sql
