"""A user-written statement: parsed, checked, and written anew. The SQL that is sent is always generated
from the tree.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar

from sqlglot import exp
from sqlglot.errors import SqlglotError

from loaders.description import Table
from loaders.raw_sql.conditions import predicate_of, table_condition
from loaders.raw_sql.errors import refuse
from loaders.raw_sql.functions import functions_of
from loaders.raw_sql.grammar import require_allowed, require_query
from loaders.raw_sql.names import TableRef, replace_table, require_written, table_ref, tables_of
from loaders.raw_sql.parser import parse
from loaders.raw_sql.representable import cast_named_numbers, require_representable
from loaders.read import Predicate

T = TypeVar("T")

_TRIES: Final = 3


class RawQuery:
    """One SELECT over tables that are known only by name. Immutable. Creating it and generating its SQL block."""

    __slots__ = ("_dialect", "_tree", "tables")

    def __init__(self, text: str, dialect: str) -> None:
        """`dialect` is sqlglot's name of the engine's SQL. `SqlRefused` says what is not allowed, and where."""
        self._dialect = dialect
        self._tree = _checked(text, dialect)
        self.tables: tuple[TableRef, ...] = tuple(dict.fromkeys(map(table_ref, _tables(self._tree.copy(), dialect))))
        """The tables it reads, each once, in no particular order."""

    def conditions(self, of: TableRef, table: Table) -> tuple[Predicate, ...]:
        """For each place where the table is read, the condition its rows satisfy there when the table is among
        `filtered`.
        """
        return _bounded(
            lambda: tuple(
                predicate_of(self._condition(node, table))
                for node in tables_of(self._tree.copy(), functions_of(self._dialect))
                if table_ref(node) == of
            )
        )

    def to_sql(
        self,
        found: Mapping[TableRef, Table],
        *,
        limit: int | None = None,
        narrowed: Collection[TableRef] = (),
        filtered: Collection[TableRef] = (),
    ) -> str:
        """The SQL to send, with every table of `found` written with its schema, every name quoted, and no comments.

        `limit` bounds the rows unless the statement has a smaller bound. The returned text was parsed and checked again
        and gives the same text again, so the engine cannot read it differently from what was checked. Tables in
        `narrowed` are read through their described columns only, and tables in `filtered` through the rows that satisfy
        their `conditions` only.
        """
        tree = self._tree.copy()
        if self._dialect == "clickhouse":
            require_written(tree, found.values())
        for node in _tables(tree, self._dialect):
            table = found[table_ref(node)]
            if node.db and node.db.lower() != (table.schema or "").lower():
                refuse("A table of another schema", "name the dataset's tables by their names alone.", at=node)
            where = self._condition(node, table) if table_ref(node) in filtered else None
            replace_table(node, table, only=table_ref(node) in narrowed, where=where)
        if limit is not None:
            _limit(tree, limit)
        text = _bounded(lambda: _sql_of(tree, self._dialect))
        for _ in range(_TRIES):
            again = self._reparsed_sql(text)
            if again == text:
                return self._without_variables(text)
            text = again
        refuse("The statement", "it does not read back as it is spelled. Write it more plainly.")

    def _condition(self, node: exp.Table, table: Table) -> exp.Expr | None:
        return table_condition(node, table, case_sensitive=self._dialect == "clickhouse")

    def _reparsed_sql(self, text: str) -> str:
        again = _checked(text, self._dialect)
        return _bounded(lambda: _sql_of(again, self._dialect))

    def _without_variables(self, text: str) -> str:
        """HiveServer2 substitutes variables in the text of a statement before anything else reads it."""
        if "${" in text and self._dialect == "axionimpala":
            refuse("A variable, ${...},", "the server would put something else there. Name the column otherwise.")
        return text

    def columns_of(self, table: Table) -> tuple[str, ...]:
        """The columns of the table that the statement may read, possibly more than it does: all of them where it has a
        star.
        """
        if any(not isinstance(star.parent, exp.Count) for star in self._tree.find_all(exp.Star)):
            return tuple(column.name for column in table.columns)
        named = {node.name.lower() for node in self._tree.find_all(exp.Identifier)}
        return tuple(column.name for column in table.columns if column.name.lower() in named)


def _checked(text: str, dialect: str) -> exp.Query:
    tree = require_query(parse(text, dialect))
    for raw in list(tree.find_all(exp.RawString)):
        raw.replace(exp.Literal.string(raw.name))
    if dialect == "clickhouse":
        cast_named_numbers(tree)
    _bounded(lambda: require_allowed(tree, functions_of(dialect)))
    _bounded(lambda: require_representable(tree, dialect))
    return tree


def _tables(tree: exp.Query, dialect: str) -> list[exp.Table]:
    return _bounded(lambda: tables_of(tree, functions_of(dialect)))


def _sql_of(tree: exp.Query, dialect: str) -> str:
    return tree.sql(dialect=dialect, identify=True, comments=False, copy=True)


def _limit(tree: exp.Query, limit: int) -> None:
    """Limits a plain SELECT only, because engines disagree on what a LIMIT after a set operation applies to."""
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
