"""Slots of a `Read`: replaces values by slots, and fills them again. Pure.

`fill(*split(read)) == read`, and reads that differ in nothing but values are equal after `split`, so what is compiled
from one serves them all. Nulls stay in place, and so do words that are not values but select another read, such as that
of `IS_NULL`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias, cast

from loaders.read import (
    Aggregate,
    Among,
    And,
    Bucket,
    Col,
    Compare,
    Computed,
    Connection,
    CosineSimilarity,
    CountOf,
    Exists,
    Expression,
    Field,
    Having,
    JsonPath,
    Masked,
    Not,
    Op,
    Or,
    Output,
    Page,
    Predicate,
    Read,
    Related,
    Slot,
    SortKey,
    Through,
    Value,
)

Change: TypeAlias = Callable[[Value], Value]


def fill(read: Read, values: Sequence[Value]) -> Read:
    """The read with each slot's value in its place."""
    return _read(read, lambda value: values[value.index] if isinstance(value, Slot) else value)


def fill_some(read: Read, values: Mapping[int, Value]) -> Read:
    """As `fill`, for the slots of these indexes; the other slots stay."""
    return _read(read, lambda value: values.get(value.index, value) if isinstance(value, Slot) else value)


def limits(read: Read) -> Iterator[int]:
    """The indexes of the slots that are limits of pages, here and below."""
    if isinstance(read.page.limit, Slot):
        yield read.page.limit.index
    for _, fields in read.shown():
        for field in fields:
            if isinstance(field.output, Related):
                yield from limits(field.output.read)


def split(read: Read) -> tuple[Read, tuple[Value, ...]]:
    """The read with a slot for each of its values, and the values. The read must not contain slots yet."""
    taken = _Taken()
    return _read(read, taken), tuple(taken.values)


class Slots:
    """As `split`, for predicates and single values one after the other, with slots numbered from `first`.

    `values` are those of the slots so far. Equal tuples share a slot, so that equal terms stay equal.
    """

    def __init__(self, first: int) -> None:
        self._taken = _Taken(first)

    @property
    def values(self) -> Sequence[Value]:
        return self._taken.values

    def of_predicate(self, predicate: Predicate) -> Predicate:
        return _predicate(predicate, self._taken)

    def of_ids(self, values: tuple[Value, ...] | Slot) -> Slot:
        return cast(Slot, self._taken(values))


def split_rest(read: Read, first: int) -> tuple[Read, tuple[Value, ...]]:
    """As `split`, for a read that has slots already: those of the other values are numbered from `first`."""
    taken = _Taken(first)
    return _read(read, lambda value: value if isinstance(value, Slot) else taken(value)), tuple(taken.values)


class _Taken:
    """A tuple that occurs at several places, such as the ids of a mask, is one value, so that expressions stay
    equal.
    """

    def __init__(self, first: int = 0) -> None:
        self.values: list[Value] = []
        self._first = first
        self._tuples: dict[int, Slot] = {}

    def __call__(self, value: Value) -> Value:
        if value is None:
            return None
        known = self._tuples.get(id(value)) if isinstance(value, tuple) else None
        if known is not None:
            return known
        self.values.append(value)
        slot = Slot(self._first + len(self.values) - 1)
        if isinstance(value, tuple):
            self._tuples[id(value)] = slot
        return slot


def _read(read: Read, change: Change) -> Read:
    shown = read.with_shown(lambda fields, _: _fields(fields, change))
    return replace(
        shown,
        connection=None if shown.connection is None else _connection(shown.connection, change),
        where=None if read.where is None else _predicate(read.where, change),
        order=tuple(replace(term, expression=_sort_key(term.expression, change)) for term in read.order),
        page=_page(read.page, change),
    )


def _page(page: Page, change: Change) -> Page:
    return replace(
        page,
        limit=cast("int | None", change(page.limit)),
        after=None if page.after is None else tuple(map(change, page.after)),
        before=None if page.before is None else tuple(map(change, page.before)),
    )


def _predicate(predicate: Predicate, change: Change) -> Predicate:
    match predicate:
        case Compare(expression, op, value):
            return Compare(_compared(expression, change), op, value if op is Op.IS_NULL else change(value))
        case Among(columns, rows):
            return Among(columns, cast("tuple[tuple[Value, ...], ...]", change(rows)))
        case And(terms):
            return And(tuple(_predicate(term, change) for term in terms))
        case Or(terms):
            return Or(tuple(_predicate(term, change) for term in terms))
        case Not(term):
            return Not(_predicate(term, change))
        case Exists(join, where):
            return predicate if where is None else Exists(join, _predicate(where, change))
        case _:
            return predicate


def _sort_key(key: SortKey, change: Change) -> SortKey:
    match key:
        case Through(join, by, where):
            return Through(join, _sort_key(by, change), where if where is None else _predicate(where, change))
        case CountOf(join, where):
            return key if where is None else CountOf(join, _predicate(where, change))
        case expression:
            return _expression(expression, change)


def _compared(expression: Expression, change: Change) -> Expression:
    """A path inside JSON is a value where it is compared; where it is shown or sorted by, it says which read it is."""
    match expression:
        case JsonPath(path=path):
            return replace(expression, path=cast("tuple[str, ...]", change(path)))
        case Masked(JsonPath(path=path) as at, holder, values):
            inner = replace(at, path=cast("tuple[str, ...]", change(path)))
            return Masked(inner, holder, cast("tuple[Value, ...]", change(values)))
        case _:
            return _expression(expression, change)


def _expression(expression: Expression, change: Change) -> Expression:
    match expression:
        case CosineSimilarity():
            return replace(expression, vector=cast("tuple[float, ...]", change(expression.vector)))
        case Masked(masked, holder, values):
            inner = cast("Col | JsonPath | CosineSimilarity | Bucket", _expression(masked, change))
            return Masked(inner, holder, cast("tuple[Value, ...]", change(values)))
        case _:
            return expression


def _fields(fields: tuple[Field, ...], change: Change) -> tuple[Field, ...]:
    return tuple(Field(field.key, _output(field.output, change)) for field in fields)


def _output(output: Output, change: Change) -> Output:
    match output:
        case Computed(expression):
            return Computed(_expression(expression, change))
        case Related(join, read):
            return Related(join, _read(read, change))
        case _:
            return output


def _connection(connection: Connection, change: Change) -> Connection:
    entries = connection.entries
    return Connection(
        tuple((key, _aggregate(part, change) if isinstance(part, Aggregate) else part) for key, part in entries)
    )


def _aggregate(aggregate: Aggregate, change: Change) -> Aggregate:
    changed = aggregate.mapped(partial(_expression, change=change))
    if changed.having is None:
        return changed
    return replace(changed, having=Having(changed.having.measures, _predicate(changed.having.where, change)))
