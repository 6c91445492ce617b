"""`aggregate` over rows in memory: groups, conditions on them, their order, their figures."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from loaders.description import ColumnType, Kind
from loaders.read import Bucket, Unit
from tests.differential.oracle.filters import compared, every, negated, some
from tests.differential.oracle.orders import in_order
from tests.differential.oracle.shown import Estimate, shown
from tests.differential.oracle.world import World
from tests.differential.oracle.wrong import wrong
from tests.differential.rows import Row
from tests.loaders.buckets import bucket_of

_EXACT = Context(prec=500)
_FIGURES = {
    "COUNT_DISTINCT": "countDistinct",
    "SUM": "sum",
    "AVG": "avg",
    "STDDEV": "stddev",
    "MIN": "min",
    "MAX": "max",
}


@dataclass(frozen=True, slots=True)
class Group:
    """`key` by the field that shows it; empty without `groupBy`."""

    type: str
    key: Mapping[str, Any]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Figure:
    """One function's figures of a group."""

    group: Group
    function: str
    fraction: float | None = None


def groups(rows: Sequence[Row], type_: str, arguments: Mapping[str, Any], world: World) -> list[Group]:
    by = arguments.get("groupBy") or []
    if not by:
        if arguments.get("having") is not None or arguments.get("orderBy"):
            raise wrong("conditions on groups that are not")
        return [Group(type_, {}, rows)]
    fields = [_field(term["field"], type_, world) for term in by]
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(_key(row, term, type_, world) for term in by), []).append(row)
    made = [Group(type_, dict(zip(fields, key, strict=True)), members) for key, members in found.items()]
    having = arguments.get("having")
    if having is not None:
        made = [group for group in made if _holds(having, group, world) is True]
    for term in reversed([*(arguments.get("orderBy") or []), *({"figure": "KEY", "field": t["field"]} for t in by)]):
        made = in_order(made, partial(_comparable, term, world), term.get("direction") or "ASC")
    return made[: arguments.get("first")]


def figure(asked: Figure, field: str, world: World) -> Any:
    """As the API shows it."""
    column = world.column(asked.group.type, field)
    assert column is not None
    value = _measured(asked.function, column, asked.group.rows, asked.fraction, asked.group.type, world)
    return shown(value, _type_of(asked.function, column[1]))


def key(group: Group, field: str, world: World) -> Any:
    column = world.column(group.type, field)
    assert column is not None
    return shown(group.key[field], column[1])


def _field(spelled: str, type_: str, world: World) -> str:
    """The field that a value of `GroupField` stands for: it is named after the column."""
    if spelled == "ROW_ID":
        return "rowId"
    fields = world.mappings[type_].fields
    return next(
        name
        for name in fields
        if name != "rowId" and (column := world.column(type_, name)) is not None and column[0] == spelled.lower()
    )


def _key(row: Row, term: Mapping[str, Any], type_: str, world: World) -> Any:
    column = world.column(type_, _field(term["field"], type_, world))
    assert column is not None
    value = row[column[0]]
    if term.get("truncate") is None:
        return value
    return bucket_of(value, Bucket(column[0], Unit[term["truncate"]], term.get("timeZone") or "UTC"))


def _comparable(term: Mapping[str, Any], world: World, group: Group) -> Any:
    if term["figure"] == "COUNT":
        return len(group.rows)
    field = _field(term["field"], group.type, world)
    if term["figure"] == "KEY":
        value = group.key[field]
    else:
        column = world.column(group.type, field)
        assert column is not None
        value = _measured(_FIGURES[term["figure"]], column, group.rows, None, group.type, world)
    return None if value is None else world.sort_key(group.type, value)


def _holds(having: Mapping[str, Any], group: Group, world: World) -> bool | None:
    verdicts = []
    for name, value in having.items():
        match name:
            case "and":
                verdicts.append(every(_holds(each, group, world) for each in value))
            case "or":
                verdicts.append(some(_holds(each, group, world) for each in value))
            case "not":
                verdicts.append(negated(_holds(value, group, world)))
            case "count":
                verdicts += [compared(op, len(group.rows), right, int) for op, right in value.items()]
            case _:
                verdicts += [_figure_holds(name, field, below, group, world) for field, below in value.items()]
    return every(verdicts)


def _figure_holds(function: str, field: str, operands: Mapping[str, Any], group: Group, world: World) -> bool | None:
    column = world.column(group.type, field)
    assert column is not None
    value = _measured(function, column, group.rows, None, group.type, world)
    return every(compared(op, value, right, partial(world.sort_key, group.type)) for op, right in operands.items())


def _type_of(function: str, type_: ColumnType) -> ColumnType:
    match function:
        case "countDistinct":
            return ColumnType(Kind.INTEGER)
        case "avg" | "stddev" | "percentile":
            return ColumnType(Kind.FLOAT)
        case "sum" if type_.kind is Kind.INTEGER:
            return ColumnType(Kind.BIGINT)
        case "sum" if type_.kind is Kind.BIGINT:
            return ColumnType(Kind.NUMERIC)
        case _:
            return type_


def _measured(
    function: str,
    column: tuple[str, ColumnType],
    rows: Sequence[Row],
    fraction: float | None,
    type_: str,
    world: World,
) -> Any:
    given = [row[column[0]] for row in rows if row[column[0]] is not None]
    if function == "countDistinct":
        return len(set(given))
    if not given:
        return None
    match function:
        case "min":
            return min(given, key=lambda value: world.sort_key(type_, value))
        case "max":
            return max(given, key=lambda value: world.sort_key(type_, value))
        case "sum":
            return _sum(given)
        case "avg":
            return Estimate(sum(map(Fraction, given)) / len(given))
        case "stddev":
            return Estimate(statistics.stdev(map(Fraction, given))) if len(given) > 1 else None
        case _:
            assert fraction is not None
            return Estimate(_percentile(sorted(map(float, given)), fraction))


def _sum(given: list[Any]) -> Any:
    if not isinstance(given[0], Decimal):
        return sum(given)
    total = Decimal(0)
    for value in given:
        total = _EXACT.add(total, value)
    return total


def _percentile(values: list[float], fraction: float) -> float:
    """Between the two values that the place `fraction * (n - 1)` lies between."""
    place = fraction * (len(values) - 1)
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return low if low == high else low + (high - low) * (place - math.floor(place))
