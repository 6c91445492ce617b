"""The statements of one read, by which of its values they have as constants.

Postgres plans a prepared statement again for every execution if it estimates that the values matter, and it does for
two kinds of them (docs/adr/0015): the size of a page, and a long list of ids, which takes longer to plan than the page
to read. As constants they are planned for once, with what is known of them, and a constant list is hashed instead of
searched for every row.

Such a statement is worth compiling and planning if the same values come again: the same sizes, and the same list, which
is the same object as long as the ids that a caller may see are (resolvers/permissions/restrict.py). Until then, all
values share the statement that has them as parameters.
"""

from collections.abc import Sequence
from itertools import count
from typing import Final, TypeAlias
from uuid import UUID

from loaders.bounded_cache import BoundedCache
from loaders.parameters import fill_some, limits
from loaders.postgres.compile import compile_keyed, compile_read
from loaders.postgres.parameter import Unfit
from loaders.postgres.statement import KEPT_CHARACTERS, Statement
from loaders.read import Constants, Join, Read, Slot, Value

_Sizes: TypeAlias = tuple[Value, ...]
_Lists: TypeAlias = dict[int, tuple[Value, ...]]
"""By the index of their slots."""
_Key: TypeAlias = tuple[int, _Sizes, tuple[tuple[int, int], ...]]
"""A read, the sizes of its pages, and slots with the identity of their lists, which are kept beside the key."""

_KEYS: Final = Slot(-1)
"""The keys of a keyed read are the last of its values."""
_SIZES: Final = 4
"""Statements of a read for different sizes of its pages."""
_RECENT: Final = 8
"""Sizes of a read that have no statement and get one if they are asked again."""
_LONG: Final = 9
"""Ids of a list from which Postgres hashes a constant one (`MIN_ARRAY_SIZE_FOR_HASHED_SAOP`)."""
_STATEMENTS_OF_LISTS: Final = 32
"""In the process: a connection keeps 100 prepared, and most of them should serve everybody."""
_RECENT_LISTS: Final = 64
"""In the process, as `_RECENT`: where more callers take turns, each with lists of their own, none gets a statement."""


class Statements:
    """`join` is for a keyed read. Nothing is compiled before it is asked for."""

    __slots__ = ("_common", "_join", "_number", "_of_sizes", "_places", "_read", "_recent")

    def __init__(self, read: Read, join: Join | None) -> None:
        self._read = read
        self._join = join
        self._number = next(_numbers)
        self._places = tuple(dict.fromkeys(limits(read)))
        self._common: Statement | None = None
        self._of_sizes: BoundedCache[_Sizes, Statement] = BoundedCache(_SIZES)
        self._recent: BoundedCache[_Sizes, bool] = BoundedCache(_RECENT)

    def ready(self, values: Sequence[Value]) -> tuple[str, tuple[object, ...]] | None:
        """SQL and parameters; `None` if a statement is to be compiled for these values. Raises `BadInput`."""
        sizes = self._sizes(values)
        statement = self._with_sizes(sizes)
        if statement is None:
            return None
        lists = self._lists(statement, values)
        if lists:
            statement = self._with_lists(statement, sizes, lists)
        return None if statement is None else self._bound(statement, sizes, lists, values)

    def made(self, values: Sequence[Value]) -> tuple[str, tuple[object, ...]]:
        """As `ready`, compiled where that is `None`. Values that no common statement can express have one for this
        time.
        """
        sizes = self._sizes(values)
        statement = self._with_sizes(sizes)
        if statement is None:
            statement = self._make_with_sizes(sizes)
            lists = self._lists(statement, values)
        elif lists := self._lists(statement, values):
            statement = self._make_with_lists(statement, sizes, lists)
        bound = self._bound(statement, sizes, lists, values)
        if bound is not None:
            return bound
        keys = values[-1] if self._join is not None else ()
        assert isinstance(keys, tuple)
        statement = self._compiled(dict(enumerate(values)), keys)
        return statement.sql, statement.parameters

    def _bound(
        self, statement: Statement, sizes: _Sizes, lists: _Lists, values: Sequence[Value]
    ) -> tuple[str, tuple[object, ...]] | None:
        """`None` for odd values. What the statement does not have as a constant is remembered."""
        try:
            bound = statement.sql, statement.bound(values)
        except Unfit:
            return None
        if sizes and statement is self._common:
            self._recent.keep(sizes, True)
        if lists and _of_lists.get(key := self._key(sizes, lists)) is None:
            _recent_lists.keep(key, lists)
        return bound

    def _with_sizes(self, sizes: _Sizes) -> Statement | None:
        found = self._of_sizes.get(sizes)
        return found or (None if self._recent.get(sizes) else self._common)

    def _make_with_sizes(self, sizes: _Sizes) -> Statement:
        if self._common is None:
            self._common = self._compiled({})
            return self._common
        made = self._compiled(dict(zip(self._places, sizes, strict=True)))
        self._of_sizes.keep(sizes, made)
        self._recent.drop(sizes)
        return made

    def _with_lists(self, usual: Statement, sizes: _Sizes, lists: _Lists) -> Statement | None:
        """The statement that has the lists as constants; the usual one the first time, and `None` the second."""
        key = self._key(sizes, lists)
        kept = _of_lists.get(key)
        if kept is not None:
            return kept[0]
        return usual if _recent_lists.get(key) is None else None

    def _make_with_lists(self, usual: Statement, sizes: _Sizes, lists: _Lists) -> Statement:
        key = self._key(sizes, lists)
        kept = _of_lists.get(key)
        if kept is not None:
            return kept[0]
        constants: dict[int, Value] = dict(zip(self._places, sizes, strict=True))
        constants |= {place: Constants(ids) for place, ids in lists.items()}
        try:
            made = self._compiled(constants)
        except Unfit:
            made = usual
        if len(made.sql) > KEPT_CHARACTERS:
            made = usual
        _of_lists.keep(key, (made, lists))
        _recent_lists.drop(key)
        return made

    def _compiled(self, constants: dict[int, Value], keys: tuple[Value, ...] | Slot = _KEYS) -> Statement:
        read = fill_some(self._read, constants)
        return compile_read(read) if self._join is None else compile_keyed(read, self._join, keys)

    def _sizes(self, values: Sequence[Value]) -> _Sizes:
        return tuple(values[place] for place in self._places)

    def _lists(self, usual: Statement, values: Sequence[Value]) -> _Lists:
        """The long lists of ids among the parameters. An object has none that matter: its key is given."""
        if self._read.connection is None:
            return {}
        given = ((place, values[place]) for place in usual.places if place != _KEYS.index)
        return {place: ids for place, ids in given if isinstance(ids, tuple) and _is_long(ids)}

    def _key(self, sizes: _Sizes, lists: _Lists) -> _Key:
        return self._number, sizes, tuple((place, id(ids)) for place, ids in lists.items())


def _is_long(ids: tuple[Value, ...]) -> bool:
    return len(ids) >= _LONG and type(ids[0]) in (int, UUID)


_numbers: Final = count()
_of_lists: Final[BoundedCache[_Key, tuple[Statement, _Lists]]] = BoundedCache(_STATEMENTS_OF_LISTS)
_recent_lists: Final[BoundedCache[_Key, _Lists]] = BoundedCache(_RECENT_LISTS)
