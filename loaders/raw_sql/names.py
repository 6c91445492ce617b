"""Which names of a statement are tables, and which its own WITH defines. Nothing of it is left to the engine.

Each name that WITH defines gets another, which no table has, wherever it is meant; what is left are tables, and those
are told with their schema. So the engine cannot take for a table what was judged to be none, whatever its own rules of
scope: at worst it finds no `axion_with_1`.
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
    """A table as the statement names it; `schema=None` where it does not say."""

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
            _called(node, node.name)
            node.set("this", exp.to_identifier(name, quoted=True))
            return
        if not node.name:
            refuse("A table without a name of its own", "name one of the dataset's tables.", at=node)
        self.tables.append(node)


def tables_of(tree: exp.Query, functions: Functions) -> list[exp.Table]:
    """Gives what WITH defines names of its own, and returns the nodes that are tables.

    `SqlRefused` for functions, and for names that are kept for what is put into a statement.
    """
    for name in tree.find_all(exp.Identifier):
        if name.name.lower().startswith(_OWN):
            refuse(f"The name {name.name}", "such names are the gateway's own. Take another one.", at=name)
    scopes = _Scopes(functions)
    scopes.visit(tree, {})
    return scopes.tables


def require_written(tree: exp.Query, tables: Iterable[Table]) -> None:
    """`SqlRefused` for columns that ClickHouse adds to each table, such as `_part`: they tell how it keeps them."""
    known = {column.name for table in tables for column in table.columns}
    for name in tree.find_all(exp.Identifier):
        if name.name.startswith("_") and name.name not in known and isinstance(name.parent, exp.Column | exp.Join):
            refuse(
                f"The name {name.name}", "no table has such a column, and ClickHouse has its own. Rename it.", at=name
            )


def ref(node: exp.Table) -> TableRef:
    return TableRef(node.db or None, node.name)


def placed(node: exp.Table, table: Table, *, only: bool, where: exp.Expr | None = None) -> None:
    """The node becomes the table as the engine has it, under the name the statement calls it by.

    With `only` or `where`, a select of the columns the table is described with: there are no others then, and no rows
    but those that match `where`, which names columns of `READ_AS`.
    """
    _called(node, node.name)
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
    """ClickHouse takes it of tables alone. It is a WHERE that is looked at first."""
    before = select.args.get("prewhere")
    if before is not None:
        select.set("prewhere", None)
        select.where(before.this, copy=False)


def _called(node: exp.Table, name: str) -> None:
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
