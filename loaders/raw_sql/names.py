"""Decides which names of a statement are tables and which are defined by its own WITH, so that the engine's scoping
rules do not matter.

Each name that WITH defines is replaced, wherever it is used, by one that no table has. All other names are tables and
are written with their schema. So the engine cannot resolve a name of WITH to a table that was not checked: at worst it
finds no `axion_with_1`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from loaders.description import Table
from loaders.raw_sql.conditions import READ_AS
from loaders.raw_sql.errors import refuse
from loaders.raw_sql.functions import Functions

_PREFIX: Final = "axion_with_"
_OWN: Final = (_PREFIX, READ_AS)


@dataclass(frozen=True, slots=True)
class TableRef:
    """A table as the statement names it; `schema=None` where the statement gives no schema."""

    schema: str | None
    name: str


@dataclass(slots=True)
class _Scopes:
    functions: Functions
    tables: list[exp.Table] = field(default_factory=list)
    named: int = 0

    def visit(self, node: exp.Expr, scope: Mapping[str, str]) -> None:
        with_ = node.args.get("with_")
        if isinstance(with_, exp.With):
            scope = self._defined(with_, scope)
        if isinstance(node, exp.Table):
            self._table(node, scope)
        for key, child in _children(node):
            if key != "with_":
                self.visit(child, scope)

    def _defined(self, with_: exp.With, scope: Mapping[str, str]) -> Mapping[str, str]:
        known = dict(scope)
        for cte in with_.expressions:
            if cte.args.get("scalar"):
                self.visit(cte.this, known)
                continue
            self.named += 1
            key, name = cte.alias.lower(), f"{_PREFIX}{self.named}"
            self.visit(cte.this, {**known, key: name} if with_.args.get("recursive") else known)
            cte.args["alias"].set("this", exp.to_identifier(name, quoted=True))
            known[key] = name
        return known

    def _table(self, node: exp.Table, scope: Mapping[str, str]) -> None:
        if not isinstance(node.this, exp.Identifier):
            if node.args.get("db") is not None:
                refuse("A function of a schema", "raw SQL reads tables of the dataset. Name one of them.", at=node)
            self.functions.require_table(node.this)
            return
        if node.args.get("catalog") is not None:
            refuse("A table of another catalog", "name the dataset's tables by their names alone.", at=node)
        if node.args.get("db") is None and (name := scope.get(node.name.lower())) is not None:
            _keep_alias(node, node.name)
            node.set("this", exp.to_identifier(name, quoted=True))
            return
        if not node.name:
            refuse("A table without a name of its own", "name one of the dataset's tables.", at=node)
        self.tables.append(node)


def tables_of(tree: exp.Query, functions: Functions) -> list[exp.Table]:
    """Renames what WITH defines, and returns the nodes that are tables.

    `SqlRefused` for table functions that are not allowed, and for names reserved for what the gateway adds to
    statements.
    """
    for name in tree.find_all(exp.Identifier):
        if name.name.lower().startswith(_OWN):
            refuse(f"The name {name.name}", "such names are the gateway's own. Take another one.", at=name)
    scopes = _Scopes(functions)
    scopes.visit(tree, {})
    return scopes.tables


def require_written(tree: exp.Query, tables: Iterable[Table]) -> None:
    """`SqlRefused` for the virtual columns that ClickHouse adds to each table, such as `_part`: they reveal how it is
    stored.
    """
    known = {column.name for table in tables for column in table.columns}
    for name in tree.find_all(exp.Identifier):
        if name.name.startswith("_") and name.name not in known and isinstance(name.parent, exp.Column | exp.Join):
            refuse(
                f"The name {name.name}", "no table has such a column, and ClickHouse has its own. Rename it.", at=name
            )


def table_ref(node: exp.Table) -> TableRef:
    return TableRef(node.db or None, node.name)


def replace_table(node: exp.Table, table: Table, *, only: bool, where: exp.Expr | None = None) -> None:
    """Replaces the node by the table as the engine knows it, under the alias that the statement uses.

    With `only` or `where` the replacement is a subquery over the described columns, so that no others can be read, and
    with `where` over the matching rows alone. `where` names columns of `READ_AS`.
    """
    _keep_alias(node, node.name)
    node.set("this", exp.to_identifier(table.name, quoted=True))
    node.set("db", None if table.schema is None else exp.to_identifier(table.schema, quoted=True))
    if only or where is not None:
        place = node.parent if isinstance(node.parent, exp.Final) else node
        alias, joins, select = node.args["alias"].copy(), node.args.get("joins"), node.find_ancestor(exp.Select)
        node.set("joins", None)
        node.set("alias", exp.TableAlias(this=exp.to_identifier(READ_AS, quoted=True)))
        columns = (
            exp.alias_(exp.column(each.name, table=READ_AS, quoted=True), each.name, quoted=True)
            for each in table.columns
        )
        narrowed = exp.select(*columns).from_(place.copy())
        if where is not None:
            narrowed.set("where", exp.Where(this=where))
        place.replace(exp.Subquery(this=narrowed, alias=alias, joins=joins))
        if select is not None:
            _without_prewhere(select)


def _without_prewhere(select: exp.Select) -> None:
    """Merges PREWHERE into WHERE: ClickHouse accepts PREWHERE on tables only, and it means a WHERE that is evaluated
    first.
    """
    before = select.args.get("prewhere")
    if before is not None:
        select.set("prewhere", None)
        select.where(before.this, copy=False)


def _keep_alias(node: exp.Table, name: str) -> None:
    alias = node.args.get("alias")
    if alias is None:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    elif alias.this is None:
        alias.set("this", exp.to_identifier(name, quoted=True))


def _children(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    for key, value in node.args.items():
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, exp.Expr):
                yield key, child
