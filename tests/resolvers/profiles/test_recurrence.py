from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loaders.errors import BadInput
from resolvers.profiles.recurrence import Cron, Interval, checked, next_run

NOW = datetime(2026, 1, 1, 5, 30, tzinfo=UTC)


def matches(cron: str, zone: str, after: datetime, count: int) -> list[str]:
    recurrence = checked(cron=cron, time_zone=zone, every_minutes=None)
    found = []
    for _ in range(count):
        following = next_run(recurrence, now=after)
        assert following is not None
        after = following
        found.append(after.astimezone(ZoneInfo(zone)).isoformat()[5:])
    return found


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("30 2 * * *", "Europe/Zurich", "2025-03-29T12", ["03-30T03:30:00+02:00", "03-31T02:30:00+02:00"]),
        ("30 2 * * *", "Europe/Zurich", "2025-10-25T12", ["10-26T02:30:00+02:00", "10-27T02:30:00+01:00"]),
        (
            *("*/30 * * * *", "Europe/Zurich", "2025-10-26T00:10"),
            ["10-26T02:30:00+02:00", "10-26T02:00:00+01:00", "10-26T02:30:00+01:00", "10-26T03:00:00+01:00"],
        ),
        ("*/30 * * * *", "Europe/Zurich", "2025-03-30T00:40", ["03-30T03:00:00+02:00", "03-30T03:30:00+02:00"]),
        (
            *("*/20 * * * *", "Australia/Lord_Howe", "2025-04-05T14:20"),
            ["04-06T01:40:00+11:00", "04-06T01:40:00+10:30", "04-06T02:00:00+10:30"],
        ),
        ("0 6 * * MON-FRI", "UTC", "2026-01-02T06", ["01-05T06:00:00+00:00", "01-06T06:00:00+00:00"]),
        ("0 0 29 feb *", "UTC", "2026-01-01T00", ["02-29T00:00:00+00:00"]),
    ],
)
def test_cron_is_read_by_the_clocks_of_its_zone(cron: str, zone: str, after: str, expected: list[str]) -> None:
    assert matches(cron, zone, datetime.fromisoformat(after).replace(tzinfo=UTC), len(expected)) == expected


def test_every_quarter_of_an_hour_goes_on_through_both_changes_of_the_clocks() -> None:
    for day in (datetime(2025, 3, 30, tzinfo=UTC), datetime(2025, 10, 26, tzinfo=UTC)):
        at = day - timedelta(hours=3)
        recurrence = Cron("*/15 * * * *", "Europe/Zurich")
        for _ in range(40):
            following = recurrence.next_after(at)
            assert following == at + timedelta(minutes=15)
            at = following


def test_intervals_keep_their_phase_and_catch_up_once() -> None:
    last = NOW - timedelta(minutes=250)
    assert next_run(Interval(60), now=NOW, last=last) == last + timedelta(minutes=300)
    assert next_run(Interval(60), now=NOW, last=NOW) == NOW + timedelta(minutes=60)
    assert next_run(Interval(60), now=NOW) == NOW + timedelta(minutes=60)


@pytest.mark.parametrize(
    ("cron", "zone", "minutes", "field"),
    [
        (None, None, None, "cron"),
        ("0 0 * * *", "UTC", 60, "cron"),
        ("0 0 * * *", None, None, "timeZone"),
        ("0 0 * * *", "Mars/Olympus", None, "timeZone"),
        (None, "UTC", 60, "timeZone"),
        (None, None, 4, "everyMinutes"),
        (None, None, 527_041, "everyMinutes"),
        *(
            (cron, "UTC", None, "cron")
            for cron in (
                *("", "@daily", "H 0 * * *", "R 0 * * *", "0 0 * * * *", "61 0 * * *", "0 0 L * *", "0 0 ? * *"),
                *("0 0 * * mon#1", "0 0 30 2 *", "* * * * *", "0,58,59 3 * * *", "0,58 0,23 * * *", "0 0 * * *" * 30),
                *("\N{ARABIC-INDIC DIGIT ZERO} 0 * * *", "0 0 * * day", "1-0/0 * * * *"),
            )
        ),
    ],
)
def test_what_is_no_recurrence_is_refused(cron: str | None, zone: str | None, minutes: int | None, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked(cron=cron, time_zone=zone, every_minutes=minutes)
    assert refused.value.field == field
