from datetime import datetime, timedelta, timezone

import pytest
from graphql import GraphQLError

from schema.scalars import SCALARS, BigInt, Numeric, date_time


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
