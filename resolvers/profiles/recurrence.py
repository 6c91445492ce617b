"""Recurrences: a cron expression in a time zone, or an interval."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from typing import TypeAlias
from zoneinfo import ZoneInfo

from croniter import croniter
from croniter.croniter import CroniterError

from loaders.errors import BadInput
from resolvers.gen import shapes

SHORTEST_MINUTES = 5
LONGEST_MINUTES = 527_040
_FIELDS = 5
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = frozenset((*_MONTHS, "sun", "mon", "tue", "wed", "thu", "fri", "sat"))
_LONGEST_TEXT = 200
_PUT_BACK = timedelta(hours=3)
"""More than the clocks of any zone are ever set back at once."""
_MATCHES_TRIED = 300


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression of five fields, evaluated in local time of an IANA zone.

    A local time that the clocks skip moves forward by the skipped amount. One that occurs twice counts the first time
    only, but both times when the hour is `*`, so that a recurrence by minutes is not interrupted.
    """

    text: str
    time_zone: str

    def next_after(self, moment: datetime) -> datetime | None:
        """The first match after an instant, in UTC; None when there is none, as for a 30th of February."""
        zone = ZoneInfo(self.time_zone)
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        found: datetime | None = None
        for tried, match in enumerate(_matches(self.text, wall - _PUT_BACK)):
            later = [each for each in self._instants(match, zone) if each > moment]
            found = min(later + ([] if found is None else [found]), default=None)
            if found is not None and (match > wall + _PUT_BACK or tried > _MATCHES_TRIED):
                break
        return found

    def _instants(self, match: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
        first, second = (match.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        again = second > first and self.text.split()[1].startswith("*")
        return (first, second) if again else (first,)


@dataclass(frozen=True, slots=True)
class Interval:
    minutes: int


Recurrence: TypeAlias = Cron | Interval


def next_run(recurrence: Recurrence, *, now: datetime, last: datetime | None = None) -> datetime | None:
    """The first time after `now`. All due times between `last`, an earlier due time, and `now` count as one."""
    match recurrence:
        case Cron():
            return recurrence.next_after(now)
        case Interval(minutes):
            every = timedelta(minutes=minutes)
            start = now if last is None or last > now else last
            return start + every * ((now - start) // every + 1)


def checked(*, cron: str | None, time_zone: str | None, every_minutes: int | None) -> Recurrence:
    """`BadInput` for an invalid recurrence, one that never occurs, and one that occurs more often than every five
    minutes.
    """
    if (cron is None) == (every_minutes is None):
        raise BadInput("A schedule has either `cron` or `everyMinutes`.", field="cron")
    if every_minutes is not None:
        if time_zone is not None:
            raise BadInput("`timeZone` belongs to `cron`: an interval has none.", field="timeZone")
        if not SHORTEST_MINUTES <= every_minutes <= LONGEST_MINUTES:
            raise BadInput(f"`everyMinutes` is from {SHORTEST_MINUTES} to {LONGEST_MINUTES}.", field="everyMinutes")
        return Interval(every_minutes)
    assert cron is not None
    try:
        zone = shapes.time_zone(time_zone or "")
    except ValueError as error:
        raise BadInput(f"`timeZone` {error}; `cron` needs it.", field="timeZone") from None
    return Cron(_cron(cron), zone)


def _cron(text: str) -> str:
    fields = " ".join(text.split())
    if len(fields) > _LONGEST_TEXT or len(fields.split()) != _FIELDS or not _is_plain(fields):
        raise _no_cron()
    matches = _matches(fields, datetime(2023, 12, 31, 23, 59))  # wall time, which has no zone
    try:
        first = next(matches, None)
    except (CroniterError, ValueError):
        raise _no_cron() from None
    if first is None:
        raise BadInput("`cron` names a time that never comes.", field="cron")
    day = [first, *takewhile(lambda match: match.date() == first.date(), matches), first + timedelta(days=1)]
    if any(later - match < timedelta(minutes=SHORTEST_MINUTES) for match, later in pairwise(day)):
        raise BadInput(f"`cron` recurs more often than every {SHORTEST_MINUTES} minutes.", field="cron")
    return fields


def _no_cron() -> BadInput:
    return BadInput(
        "`cron` has five fields: minute, hour, day of the month, month, day of the week, such as `30 2 * * mon-fri`.",
        field="cron",
    )


def _is_plain(fields: str) -> bool:
    """Whether it lacks croniter's extensions of cron: random and hashed times, seconds, nearest weekdays."""
    words = "".join(each if each.isalpha() else " " for each in fields.lower()).split()
    return _NAMES.issuperset(words) and all(each.isascii() and (each.isalnum() or each in " *,-/") for each in fields)


def _matches(fields: str, start: datetime) -> Iterator[datetime]:
    """Local times after `start`; empty when there are none in the next fifty years."""
    matches = croniter(fields, start, ret_type=datetime)
    while True:
        try:
            match: datetime = matches.get_next()
        except CroniterError:
            return
        yield match
