"""Builds reads of groups of remote tables' rows, with their measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from loaders.description import Kind, Table
from loaders.errors import BadInput
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Bucket,
    Col,
    Connection,
    Expression,
    Figures,
    GroupOrder,
    Literal,
    Measure,
    Predicate,
    Read,
)
from resolvers.gen.rows import Term, column_of

E = TypeVar("E")

MAX_GROUPS = 10_000


@dataclass(frozen=True, slots=True)
class MeasureOf:
    """One aggregated value. `column=None` is for the count of rows only. `key` is its name in the answer."""

    function: AggregateFunction
    column: str | None
    key: str
    fraction: float | None = None


def aggregate_read(
    table: Table,
    *,
    group_by: Sequence[str],
    measures: Sequence[MeasureOf],
    where: Predicate | None,
    limit: int | None,
    buckets: Mapping[str, Bucket] = MappingProxyType({}),
    order_by: Sequence[Term] = (),
) -> Read:
    """Groups by buckets of time and then columns, with their measures. The answer's only entry is `rows`.

    `buckets` are keyed by their names in the answer, by which `order_by` refers to values; ties are ordered by the
    group's values. Without a `limit`, more than `MAX_GROUPS` groups raise `PageTooLarge` when they are read.
    """
    if not (measures or group_by or buckets):
        raise BadInput("Nothing is aggregated. Give `measures`, `groupBy` or both.")
    if limit is not None and not 0 <= limit <= MAX_GROUPS:
        raise BadInput(f"`first` is {limit}; groups are answered from 0 to {MAX_GROUPS}.")
    keys: dict[str, Expression] = {name: _bucket(bucket, table) for name, bucket in buckets.items()}
    for name in dict.fromkeys(group_by):
        _add(keys, name, Col(column_of(table, name).name))
    entries: dict[str, Expression | Measure | Literal | Figures] = {**keys}
    for measure in measures:
        _add(entries, measure.key, _measure(measure, table))
    terms = tuple(_group_order(term, entries) for term in order_by)
    bound = MAX_GROUPS if limit is None and keys else None
    part = Aggregate(tuple(keys.values()), tuple(entries.items()), limit, bound=bound, order=terms)
    return Read(table, connection=Connection((("rows", part),)), where=where)


def _add(entries: dict[str, E], name: str, entry: E) -> None:
    if name in entries:
        raise BadInput(f"Two values of the answer are named {name!r}. Set `as` to tell them apart.")
    entries[name] = entry


def _bucket(bucket: Bucket, table: Table) -> Bucket:
    kind = column_of(table, bucket.column).type.kind
    if kind not in (Kind.TIMESTAMP, Kind.DATE):
        raise BadInput(f"Column {bucket.column!r} is {kind}, and only instants and dates follow one another in time.")
    return bucket


def _group_order(term: Term, entries: Mapping[str, object]) -> GroupOrder:
    match entries.get(term.name):
        case Measure() | Col() | Bucket() as by:
            return GroupOrder(by, term.descending, term.nulls_first)
        case _:
            raise BadInput(f"`orderBy` names {term.name!r}. Groups have {', '.join(entries)}.")


def _measure(measure: MeasureOf, table: Table) -> Measure:
    if measure.column is None:
        if measure.function is not AggregateFunction.COUNT:
            raise BadInput(f"`{measure.function}` needs a column; only `COUNT` goes without.")
        return Measure(AggregateFunction.COUNT)
    return Measure(measure.function, Col(column_of(table, measure.column).name), measure.fraction)
