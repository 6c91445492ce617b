from datetime import datetime, timedelta, timezone

import pytest

from schema.scalars import date_time


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
