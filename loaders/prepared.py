"""A `Read` made ready to run: planned at once and compiled when it first runs, once for all values of its slots."""

from collections.abc import Sequence

from loaders.bounded_cache import BoundedCache
from loaders.denied import marks_of
from loaders.encode.decoded import shows_json
from loaders.parameters import fill, split
from loaders.plan import Graft, plan
from loaders.postgres.statements import Statements
from loaders.read import Join, Read, Value
from loaders.unnamed import enums_of
from loaders.weight import weight

_CACHED = 20_000
"""Bound of the cache, in fields (loaders/weight.py)."""


class Prepared:
    """The part of a read that one store answers, and the grafts below it. `join` is for a keyed read."""

    __slots__ = ("__weakref__", "_grafts", "_plan", "_statements", "enums", "join", "marks", "read", "shows_json")

    def __init__(self, read: Read, join: Join | None = None) -> None:
        self._plan = plan(read)
        self.read = self._plan.read
        self.join = join
        self.shows_json = shows_json(self.read)
        self.marks = marks_of(self.read)
        self.enums = enums_of(self.read)
        self._statements = Statements(self.read, join)
        self._grafts: tuple[tuple[Graft, Prepared], ...] | None = None

    @property
    def grafts(self) -> "tuple[tuple[Graft, Prepared], ...]":
        if self._grafts is None:
            self._grafts = tuple((graft, Prepared(graft.read, graft.join)) for graft in self._plan.grafts)
        return self._grafts

    def filled(self, values: Sequence[Value]) -> Read:
        """The part of the store with its values, for stores whose statements are compiled each time."""
        return fill(self.read, values)

    def compiled(self, values: Sequence[Value]) -> tuple[str, tuple[object, ...]] | None:
        """As `statement`, or None where that has to compile one (loaders/postgres/statements.py)."""
        return self._statements.ready(values)

    def statement(self, values: Sequence[Value]) -> tuple[str, tuple[object, ...]]:
        """SQL and parameters; for a keyed read the last value is the tuple of keys. Raises `BadInput`."""
        return self._statements.made(values)


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
