"""A statement that somebody wrote: read, judged, and spelled anew. What is sent is always made from the tree."""

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar

from sqlglot import exp
from sqlglot.errors import SqlglotError

from loaders.description import Table
from loaders.raw_sql.carried import numbers_by_name, require_carried
from loaders.raw_sql.conditions import held as held_to
from loaders.raw_sql.conditions import predicate_of
from loaders.raw_sql.errors import refuse
from loaders.raw_sql.functions import functions_of
from loaders.raw_sql.grammar import require_allowed, require_query
from loaders.raw_sql.names import TableRef, placed, ref, require_written, tables_of
from loaders.raw_sql.parser import parse
from loaders.read import Predicate

T = TypeVar("T")

_TRIES: Final = 3


class RawQuery:
    """One SELECT over tables that are known by their names only. Never changed; blocks while it is made or spelled."""

    __slots__ = ("_dialect", "_tree", "tables")

    def __init__(self, text: str, dialect: str) -> None:
        """`dialect` is sqlglot's name of the engine's SQL. `SqlRefused` says what is not taken, and where."""
        self._dialect = dialect
        self._tree = _judged(text, dialect)
        self.tables: tuple[TableRef, ...] = tuple(dict.fromkeys(map(ref, _tables(self._tree.copy(), dialect))))
        """What it reads, each once, in no promised order."""

    def conditions(self, of: TableRef, table: Table) -> tuple[Predicate, ...]:
        """One for each place the table is read at: what its columns are held to there where it is among `held`."""
        return _bounded(
            lambda: tuple(
                predicate_of(self._held(node, table))
                for node in tables_of(self._tree.copy(), functions_of(self._dialect))
                if ref(node) == of
            )
        )

    def spelled(
        self,
        found: Mapping[TableRef, Table],
        *,
        limit: int | None = None,
        narrowed: Collection[TableRef] = (),
        held: Collection[TableRef] = (),
    ) -> str:
        """The SQL to send: every table in `found` by its schema and name, no comments, every name quoted.

        `limit` bounds the rows where the statement has no smaller bound. What is returned reads back as itself: the
        text was read again and judged again, so nothing in it can mean anything but what was judged. Those in
        `narrowed` have no columns but those they are described with; of those in `held` nothing is read but rows that
        match their `conditions`.
        """
        tree = self._tree.copy()
        if self._dialect == "clickhouse":
            require_written(tree, found.values())
        for node in _tables(tree, self._dialect):
            table = found[ref(node)]
            if node.db and node.db.lower() != (table.schema or "").lower():
                refuse("A table of another schema", "name the dataset's tables by their names alone.", at=node)
            where = self._held(node, table) if ref(node) in held else None
            placed(node, table, only=ref(node) in narrowed, where=where)
        if limit is not None:
            _limit(tree, limit)
        text = _bounded(lambda: _spelled(tree, self._dialect))
        for _ in range(_TRIES):
            again = self._respelled(text)
            if again == text:
                return self._without_variables(text)
            text = again
        refuse("The statement", "it does not read back as it is spelled. Write it more plainly.")

    def _held(self, node: exp.Table, table: Table) -> exp.Expr | None:
        return held_to(node, table, by_case=self._dialect == "clickhouse")

    def _respelled(self, text: str) -> str:
        again = _judged(text, self._dialect)
        return _bounded(lambda: _spelled(again, self._dialect))

    def _without_variables(self, text: str) -> str:
        """HiveServer2 puts variables into the text of a statement before anything else reads it."""
        if "${" in text and self._dialect == "axionimpala":
            refuse("A variable, ${...},", "the server would put something else there. Name the column otherwise.")
        return text

    def columns_of(self, table: Table) -> tuple[str, ...]:
        """The columns of the table it may read, and never fewer than it does: all, where it has a star."""
        if any(not isinstance(star.parent, exp.Count) for star in self._tree.find_all(exp.Star)):
            return tuple(column.name for column in table.columns)
        named = {node.name.lower() for node in self._tree.find_all(exp.Identifier)}
        return tuple(column.name for column in table.columns if column.name.lower() in named)


def _judged(text: str, dialect: str) -> exp.Query:
    tree = require_query(parse(text, dialect))
    for raw in list(tree.find_all(exp.RawString)):
        raw.replace(exp.Literal.string(raw.name))
    if dialect == "clickhouse":
        numbers_by_name(tree)
    _bounded(lambda: require_allowed(tree, functions_of(dialect)))
    _bounded(lambda: require_carried(tree, dialect))
    return tree


def _tables(tree: exp.Query, dialect: str) -> list[exp.Table]:
    return _bounded(lambda: tables_of(tree, functions_of(dialect)))


def _spelled(tree: exp.Query, dialect: str) -> str:
    return tree.sql(dialect=dialect, identify=True, comments=False, copy=True)


def _limit(tree: exp.Query, limit: int) -> None:
    """Of a plain SELECT only: what LIMIT after a set operation belongs to, engines do not agree on."""
    if not isinstance(tree, exp.Select):
        return
    own = tree.args.get("limit")
    if own is None:
        tree.set("limit", exp.Limit(expression=exp.Literal.number(limit)))
    elif isinstance(own.expression, exp.Literal) and not own.expressions and own.expression.name.isdecimal():
        own.set("expression", exp.Literal.number(min(limit, int(own.expression.name))))


def _bounded(work: Callable[[], T]) -> T:
    try:
        return work()
    except RecursionError:
        refuse("The statement", "it is nested too deeply. Use WITH instead of nesting.")
    except SqlglotError:
        refuse("The statement", "it cannot be spelled for this engine. Write it more plainly.")
