"""Expressions whose values an answer would change are refused."""

import pytest

from loaders.errors import SqlRefused
from loaders.raw_sql.query import RawQuery

LOST = {
    "SELECT 1::UHUGEINT AS v": "The type UINT128",
    "SELECT {'a': [1]::UHUGEINT[]} AS v": "The type UINT128",
    "SELECT TRY_CAST('1' AS UHUGEINT) AS v": "The type UINT128",
    "SELECT 170141183460469231731687303715884105728 AS v": "The number 170141183460469231731687303715884105728",
    "SELECT '12:00:00+15:59'::TIMETZ AS v": "The type TIMETZ",
    "SELECT current_time AS v": "CURRENT_TIME",
    "SELECT '101'::BIT AS v": "The type BIT",
    "SELECT 123::BIGNUM AS v": "The type BIGNUM",
    "SELECT 1::VARIANT AS v": "The type VARIANT",
}


@pytest.mark.parametrize("text", LOST)
def test_duckdb_is_not_asked_for_what_its_arrow_loses(text: str) -> None:
    with pytest.raises(SqlRefused) as caught:
        RawQuery(text, "duckdb")
    assert str(caught.value).startswith(LOST[text])


def test_the_greatest_number_it_carries_is_taken() -> None:
    text = "SELECT 170141183460469231731687303715884105727 AS v, 1e39 AS w, TIME '24:00:00' AS t"
    assert "170141183460469231731687303715884105727" in RawQuery(text, "duckdb").to_sql({})


def test_clickhouse_variants_are_refused_by_name() -> None:
    with pytest.raises(SqlRefused, match="The type VARIANT is not allowed"):
        RawQuery("SELECT [CAST(1 AS Variant(UInt8, String))] AS v", "clickhouse")


def test_clickhouse_knows_numbers_by_name() -> None:
    text = 'SELECT nan AS a, -INF AS inf, [Infinity] AS b, t.inf AS c, "inf" AS d FROM (SELECT 1) AS t'
    sent = RawQuery(text, "clickhouse").to_sql({}).replace('"', "")
    assert sent == (
        "SELECT CAST('nan' AS Float64) AS a, -CAST('inf' AS Float64) AS inf, [CAST('infinity' AS Float64)] AS b, "
        "t.inf AS c, inf AS d FROM (SELECT 1) AS t"
    )
