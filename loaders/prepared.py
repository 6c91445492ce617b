"""A `Read` made ready to run: planned at once and compiled when it first runs, once for all values of its slots."""

from collections.abc import Iterator, Sequence

from loaders.bounded_cache import BoundedCache
from loaders.denied import marks_of
from loaders.parameters import fill, split
from loaders.plan import Graft, plan, shows_json
from loaders.postgres.compile import compile_keyed, compile_read
from loaders.postgres.parameter import Unfit
from loaders.postgres.statement import Statement
from loaders.read import (
    Aggregate,
    And,
    CountOf,
    Edges,
    Exists,
    Field,
    Join,
    Nodes,
    Not,
    Or,
    Predicate,
    Read,
    Related,
    Slot,
    SortKey,
    Through,
    Value,
)
from loaders.unnamed import enums_of

_CACHED = 20_000
"""Bound of the cache, in fields (`weight`)."""
_KEYS = Slot(-1)
"""The keys of a keyed read are the last of its values."""


class Prepared:
    """The part of a read that one store answers, and the grafts below it. `join` is for a keyed read."""

    __slots__ = ("__weakref__", "_grafts", "_plan", "_statement", "enums", "join", "marks", "read", "shows_json")

    def __init__(self, read: Read, join: Join | None = None) -> None:
        self._plan = plan(read)
        self.read = self._plan.read
        self.join = join
        self.shows_json = shows_json(self.read)
        self.marks = marks_of(self.read)
        self.enums = enums_of(self.read)
        self._statement: Statement | None = None
        self._grafts: tuple[tuple[Graft, Prepared], ...] | None = None

    @property
    def grafts(self) -> "tuple[tuple[Graft, Prepared], ...]":
        if self._grafts is None:
            self._grafts = tuple((graft, Prepared(graft.read, graft.join)) for graft in self._plan.grafts)
        return self._grafts

    @property
    def is_compiled(self) -> bool:
        return self._statement is not None

    def filled(self, values: Sequence[Value]) -> Read:
        """The part of the store with its values, for stores whose statements are compiled each time."""
        return fill(self.read, values)

    def statement(self, values: Sequence[Value]) -> tuple[str, tuple[object, ...]]:
        """SQL and parameters; for a keyed read the last value is the tuple of keys. Raises `BadInput`.

        The SQL is the same for all values except odd ones, which the common statement cannot express.
        """
        if self._statement is None:
            self._statement = _compile(self.read, self.join, _KEYS)
        try:
            return self._statement.sql, self._statement.bound(values)
        except Unfit:
            keys = values[-1]
            assert self.join is None or isinstance(keys, tuple)
            statement = _compile(self.filled(values), self.join, keys if isinstance(keys, tuple) else ())
            return statement.sql, statement.parameters


def _compile(read: Read, join: Join | None, keys: tuple[Value, ...] | Slot) -> Statement:
    return compile_read(read) if join is None else compile_keyed(read, join, keys)


_prepared: BoundedCache[Read, Prepared] = BoundedCache(_CACHED)


def prepare(read: Read) -> tuple[Prepared, tuple[Value, ...]]:
    """The prepared read and the values to run it with. Reads that differ only in values share one."""
    shape, values = split(read)
    return shared(shape), values


def shared(read: Read) -> Prepared:
    """The one of all equal reads, whichever documents they are from."""
    prepared = _prepared.get(read)
    if prepared is None:
        prepared = Prepared(read)
        _prepared.keep(read, prepared, weight(read))
    return prepared


def weight(read: Read) -> int:
    """An estimate of the memory kept for a read, in fields: a field's share of the read, its SQL and SQLAlchemy's
    structures is about 2 kB. A condition or order term counts as one field.
    """
    shown = sum(1 if not isinstance(each.output, Related) else weight(each.output.read) for each in _selected(read))
    parts = () if read.connection is None else read.connection.entries
    grouped = sum(_weight_of(part) for _, part in parts if isinstance(part, Aggregate))
    return 8 + shown + grouped + _terms(read.where) + sum(_depth(term.expression) for term in read.order)


def _weight_of(aggregate: Aggregate) -> int:
    held = 0 if aggregate.having is None else _terms(aggregate.having.where)
    return len(aggregate.figures) + len(aggregate.hidden) + held


def _terms(predicate: Predicate | None) -> int:
    """Conditions, and what holds them."""
    match predicate:
        case None:
            return 0
        case And(terms) | Or(terms):
            return sum(map(_terms, terms))
        case Not(term):
            return 1 + _terms(term)
        case Exists(_, where):
            return 2 + _terms(where)
        case _:
            return 1


def _depth(key: SortKey) -> int:
    match key:
        case Through(_, by, where):
            return 2 + _depth(by) + _terms(where)
        case CountOf(_, where):
            return 2 + _terms(where)
        case _:
            return 1


def _selected(read: Read) -> Iterator[Field]:
    yield from read.fields
    for _, part in read.connection.entries if read.connection is not None else ():
        match part:
            case Nodes(fields):
                yield from fields
            case Edges(entries):
                for _, entry in entries:
                    yield from entry.fields if isinstance(entry, Nodes) else ()
