"""Truncates instants and dates to a calendar unit, in ClickHouse's SQL.

`toStartOfWeek` and its relatives return `Date` and `DateTime`, which begin in 1970 and saturate silently. So calendar
units are computed in `Date32` (from 1900) and clock units in microseconds.
"""

from sqlglot import exp

from loaders.read import Unit

_MICROSECONDS = {Unit.SECOND: 1_000_000, Unit.MINUTE: 60_000_000, Unit.HOUR: 3_600_000_000}


def instant_bucket(instant: exp.Expr, unit: Unit, time_zone: exp.Expr, before: int) -> exp.Expr:
    local = _call("toDateTime64", instant, _number(6), time_zone)
    if unit not in _MICROSECONDS:
        return _call("toDateTime64", first_date(_call("toDate32", local), unit, before), _number(6), time_zone.copy())
    micros = _call("toUnixTimestamp64Micro", local)
    offset = exp.Mul(this=_call("timeZoneOffset", local.copy()), expression=_number(1_000_000))
    clock = exp.Add(this=micros.copy(), expression=offset)
    past = _call("positiveModulo", clock, _number(_MICROSECONDS[unit]))
    return _call("fromUnixTimestamp64Micro", exp.Sub(this=micros, expression=past), exp.Literal.string("UTC"))


def first_date(date: exp.Expr, unit: Unit, before: int = 0) -> exp.Expr:
    """The first date of the unit that the `Date32` lies in. Weeks begin `before` days before Monday."""
    year = _call("toYear", date.copy())
    match unit:
        case Unit.WEEK:
            past: exp.Expr = exp.Sub(this=_call("toDayOfWeek", date.copy()), expression=_number(1))
            if before:
                past = _call("modulo", exp.Add(this=past, expression=_number(before)), _number(7))
            return _call("subtractDays", date, past)
        case Unit.MONTH:
            return _call("makeDate32", year, _call("toMonth", date), _number(1))
        case Unit.QUARTER:
            quarter = exp.Mul(this=_call("toQuarter", date), expression=_number(3))
            return _call("makeDate32", year, exp.Sub(this=quarter, expression=_number(2)), _number(1))
        case Unit.YEAR:
            return _call("makeDate32", year, _number(1), _number(1))
        case _:
            return date


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))
