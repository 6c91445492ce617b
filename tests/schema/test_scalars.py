from datetime import datetime, timedelta, timezone

import pytest
from graphql import GraphQLError, Undefined

from schema.scalars import SCALARS, BigInt, DateTime, GeoJSON, Numeric, date_time


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [
        (0, "2026-01-31T11:00:00+00:00"),
        (120_000, "2026-01-31T11:00:00.12+00:00"),
        (1, "2026-01-31T11:00:00.000001+00:00"),
    ],
)
def test_instants_are_spelled_as_postgres_does(microsecond: int, text: str) -> None:
    value = datetime(2026, 1, 31, 12, 0, 0, microsecond, tzinfo=timezone(timedelta(hours=1)))
    assert date_time(value) == text


@pytest.mark.parametrize("scalar", [BigInt, Numeric])
@pytest.mark.parametrize("text", ["\u0661", "\uff11", "1_0", " 1", "1 ", "", "+1"])
def test_numbers_have_ascii_digits_only(scalar: object, text: str) -> None:
    parse = SCALARS[scalar].parse_value
    assert parse is not None
    with pytest.raises(GraphQLError):
        parse(text)


@pytest.mark.parametrize(
    ("scalar", "value", "told"),
    [
        (DateTime, "0001-01-01T00:00:00+14:00", "DateTime is an instant of the years 1 to 9999"),
        (DateTime, "9999-12-31T23:59:59-14:00", "DateTime is an instant of the years 1 to 9999"),
        (GeoJSON, {"type": "Point", "coordinates": Undefined}, "GeoJSON is a geometry object"),
        (GeoJSON, {"type": "Point", "coordinates": [10**30, 0]}, "GeoJSON is a geometry object"),
        (GeoJSON, {"type": "\ud800"}, "GeoJSON is a geometry object"),
    ],
)
def test_what_is_wrong_is_told_in_our_words(scalar: object, value: object, told: str) -> None:
    parse = SCALARS[scalar].parse_value
    assert parse is not None
    with pytest.raises(GraphQLError, match=told):
        parse(value)
