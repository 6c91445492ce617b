"""Arranges groups over time: fills gaps, and adds to each group the one it is compared with. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from loaders.calendar import Moment, within_years
from loaders.description import ColumnType, Kind
from loaders.encode.value import encode_value
from loaders.errors import PageTooLarge, StoreQueryFailed
from resolvers.gen.group_read import MAX_GROUPS
from resolvers.gen.over import Earlier, Fill, Over

COMPARED = "compared"
"""The name of the earlier group within a group."""

Row = Mapping[str, Any]
_TEXT_NUMBERS = (Kind.BIGINT, Kind.NUMERIC)
_NUMBERS = (Kind.INTEGER, Kind.FLOAT)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the store's rows contain besides the bucket, whose type is `time`: columns of groups, and measures with
    their kinds.
    """

    time: ColumnType
    dimensions: tuple[str, ...]
    measures: Mapping[str, Kind]
    store: str


def series(over: Over, shape: Shape, rows: Sequence[Row], earlier: Sequence[Row] = ()) -> list[dict[str, Any]]:
    """The groups ordered by bucket, and within a bucket by the first appearance of their series. Groups without an
    instant come last, unchanged.

    A fill adds a group of each series to each bucket of the range, or, when the range is open, to those between the
    first and last bucket found. A comparison adds `compared`, which is null where there was nothing, unless filled.
    `PageTooLarge` for too many groups; `StoreQueryFailed` when the store's buckets do not begin where this process's
    time zone data say, so that no row is silently left out.
    """
    back = over.earlier() if over.compare is not None else None
    now, before = _by_series(rows, over, shape), _by_series(earlier, over, shape)
    names = list(dict.fromkeys([*now, *before]))
    if not names and not shape.dimensions and over.fill is not None:
        names = [()]
    moments = _moments(over, now)
    if len(moments) * len(names) > MAX_GROUPS:
        raise PageTooLarge(f"With its gaps filled this is more than {MAX_GROUPS} groups. Narrow it.")
    answers = [_one(name, moments, over, shape, now.get(name, {}), before.get(name, {}), back) for name in names]
    shown = [row for place in range(len(moments)) for answer in answers if (row := answer[place]) is not None]
    timeless = [dict(row) for row in rows if row[over.key] is None]
    return [*shown, *(row | {COMPARED: None} if back else row for row in timeless)]


def _by_series(rows: Sequence[Row], over: Over, shape: Shape) -> dict[tuple[Any, ...], dict[Moment, Row]]:
    found: dict[tuple[Any, ...], dict[Moment, Row]] = {}
    texts = {row[over.key] for row in rows} - {None}
    moments = {text: moment_of(text, shape.time) for text in texts}
    require_starts(over, moments.values(), shape.store)
    for row in rows:
        if row[over.key] is not None:
            name = tuple(row[dimension] for dimension in shape.dimensions)
            found.setdefault(name, {})[moments[row[over.key]]] = row
    return found


def require_starts(over: Over, moments: Iterable[Moment], store: str) -> None:
    """`StoreQueryFailed` for a bucket that does not begin where this process's time zone data say."""
    for moment in moments:
        if over.start(moment) != moment:
            raise StoreQueryFailed(
                store,
                f"It begins a {over.bucket.unit} at {moment} in {over.bucket.time_zone}, where none begins then: its "
                "time zones are of another version. Take UTC, or neither a fill, a comparison nor a sum through time.",
            )


def moment_of(text: str, type_: ColumnType) -> Moment:
    """Parses a bucket's text as the store returns it. `OutsideYears` for a year outside of Python's calendar."""
    with within_years():
        return date.fromisoformat(text) if type_.kind is Kind.DATE else datetime.fromisoformat(text)


def _moments(over: Over, now: Mapping[tuple[Any, ...], Mapping[Moment, Row]]) -> list[Moment]:
    there = sorted({moment for rows in now.values() for moment in rows})
    if over.compare is None and over.fill is None:
        return there
    first, last = over.first, over.last
    if there:
        first, last = there[0] if first is None else first, there[-1] if last is None else last
    return [] if first is None or last is None else over.moments(first, last)


def _one(
    name: tuple[Any, ...],
    moments: Sequence[Moment],
    over: Over,
    shape: Shape,
    now: Mapping[Moment, Row],
    before: Mapping[Moment, Row],
    back: Earlier | None,
) -> list[dict[str, Any] | None]:
    """The group of one series in each bucket; None where there is none."""
    current = _values(moments, now, over.fill, shape)
    compared_with = [back.bucket_of(moment) for moment in moments] if back else []
    compared = _values(compared_with, before, over.fill, shape)
    answer: list[dict[str, Any] | None] = []
    for place, moment in enumerate(moments):
        past = compared[place] if back else None
        values = current[place]
        if values is None and past is None:
            answer.append(None)
            continue
        row = {over.key: encode_value(moment, shape.time), **dict(zip(shape.dimensions, name, strict=True))}
        row |= values if values is not None else dict.fromkeys(shape.measures)
        if back:
            at = compared_with[place]
            shown = past is not None and at is not None
            row[COMPARED] = {over.key: encode_value(at, shape.time), **(past or {})} if shown else None
        answer.append(row)
    return answer


def _values(
    moments: Sequence[Moment | None], rows: Mapping[Moment, Row], fill: Fill | None, shape: Shape
) -> list[dict[str, Any] | None]:
    found: list[dict[str, Any] | None] = []
    last: dict[str, Any] = dict.fromkeys(shape.measures)
    for moment in moments:
        row = None if moment is None else rows.get(moment)
        if row is not None:
            last = {measure: row[measure] for measure in shape.measures}
            found.append(last)
            continue
        match fill:
            case None:
                found.append(None)
            case Fill.NULL:
                found.append(dict.fromkeys(shape.measures))
            case Fill.ZERO:
                found.append({measure: _zero(kind) for measure, kind in shape.measures.items()})
            case Fill.PREVIOUS:
                found.append(dict(last))
    return found


def _zero(kind: Kind) -> int | str | None:
    """Zero as rows return it; null for kinds that are not numbers."""
    return "0" if kind in _TEXT_NUMBERS else 0 if kind in _NUMBERS else None
