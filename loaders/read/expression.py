"""Values, and expressions over the row a read is about."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

# A scalar or a tuple of scalars, exactly as the store's parameter wants it: uuid.UUID, datetime (aware), Decimal, ...
Value: TypeAlias = object


@dataclass(frozen=True, slots=True)
class Slot:
    """A placeholder for a value of the request, never for a null: `values[index]` of what the read is run with.

    A read with slots is the same for all values, so whatever is compiled from it can be kept (loaders/parameters.py).
    Besides `Value`s, the limit of a page and a vector may be slots. Code that compiles reads without slots need not
    handle them.
    """

    index: int


class Constants(tuple[Value, ...]):
    """Values that are constants of the statement and not a parameter, where the store can say them so."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Col:
    """A column of the read's own table."""

    name: str


@dataclass(frozen=True, slots=True)
class JsonPath:
    """The text at a path inside a JSON column, or with `number` the number there; null if there is none.

    A step is a key of an object, or an index of an array: from 0, or from -1 backwards. In a predicate the path is a
    value like those it is compared with, and may be a slot.
    """

    column: str
    path: tuple[str, ...]
    number: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A placeholder for the embedding of a text, which replaces it before the read is compiled."""

    text: str


@dataclass(frozen=True, slots=True)
class CosineSimilarity:
    """1 - cosine distance of a vector column to `vector` (reference/aura-data-model.md, 5.1). Range [-1, 1]."""

    column: str
    vector: tuple[float, ...] | Words


class Unit(StrEnum):
    """A unit of the calendar or the clock."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class WeekStart(StrEnum):
    """The first day of a week: Monday (ISO 8601) unless given."""

    MONDAY = "monday"
    SUNDAY = "sunday"
    SATURDAY = "saturday"

    @property
    def before_monday(self) -> int:
        """Days that it precedes the Monday of its week by."""
        return {WeekStart.MONDAY: 0, WeekStart.SUNDAY: 1, WeekStart.SATURDAY: 2}[self]


@dataclass(frozen=True, slots=True)
class Bucket:
    """The first instant of the `unit` that an instant lies in, by the clocks of `time_zone` (an IANA name).

    A day is from midnight to midnight, of 23 or 25 hours where the clocks change. For a date, it is the first date of
    the unit (DAY or longer), whatever the zone. Postgres supports weeks from Monday only.
    """

    column: str
    unit: Unit
    time_zone: str = "UTC"
    week_start: WeekStart = WeekStart.MONDAY


@dataclass(frozen=True, slots=True)
class Masked:
    """The expression in rows whose column `holder` is one of `values`; null in all others.

    The guard of a column replaces every use of it by this: shown, compared, sorted or measured, it is null where it is
    denied.
    """

    expression: "Col | JsonPath | CosineSimilarity | Bucket"
    holder: str
    values: "tuple[Value, ...] | Slot"


@dataclass(frozen=True, slots=True)
class Digest:
    """A short text that is equal in two rows exactly if the values of the columns are, except with a probability of
    2**-64.

    It breaks ties in tables without a key (`loaders/order.py`). Remote tables only.
    """

    columns: tuple[str, ...]


Expression: TypeAlias = Col | JsonPath | CosineSimilarity | Bucket | Masked | Digest
