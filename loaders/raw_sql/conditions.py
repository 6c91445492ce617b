"""Finds the conditions that a raw statement's WHERE puts on a table, for tables with required filters.

Engines resolve the names in WHERE by their own rules: in ClickHouse an alias of SELECT or WITH takes precedence over a
column. So WHERE itself is no evidence that a required filter is applied. Instead its comparisons are rewritten as a
condition on the table's own columns, and the table is read through a subquery with that condition (`replace_table`).
WHERE itself stays as written.
"""

from collections.abc import Collection, Iterable
from typing import Final

from sqlglot import exp

from loaders.description import Table
from loaders.read import And, Col, Compare, Op, Or, Predicate

READ_AS: Final = "axion_read"
"""The alias of the table in that subquery. Statements must not use names that begin like it."""

_OPS: Final[dict[type[exp.Expr], Op]] = {
    exp.EQ: Op.EQ,
    exp.NEQ: Op.NE,
    exp.LT: Op.LT,
    exp.LTE: Op.LTE,
    exp.GT: Op.GT,
    exp.GTE: Op.GTE,
    exp.Like: Op.LIKE,
    exp.ILike: Op.ILIKE,
}
_TURNED: Final[dict[type[exp.Expr], type[exp.Binary]]] = {
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
}
_NO_CONSTANTS: Final = (exp.Identifier, exp.Query, exp.Lambda, exp.AggFunc, exp.Window, exp.Star, exp.Explode, exp.UDTF)
_INNER: Final = frozenset({"", "INNER", "CROSS"})


def table_condition(node: exp.Table, table: Table, *, case_sensitive: bool) -> exp.Expr | None:
    """The condition that the WHERE of the surrounding SELECT puts on the table's columns; None when it puts none.

    It consists of comparisons of the table's columns with constants, combined by AND and OR, and names columns of
    `READ_AS`. It never removes a row that WHERE would accept: it is None where an outer join may replace rows by nulls,
    and where a name may refer to something else. `case_sensitive` says that the engine distinguishes `F` from `f` and
    lets an alias take precedence over a column, as ClickHouse does.
    """
    place = node.parent if isinstance(node.parent, exp.Final) else node
    select = node.find_ancestor(exp.Select)
    if select is None or not _is_read_first(select, place):
        return None
    alone = not (select.args.get("joins") or select.args.get("laterals"))
    names = frozenset(each.name for each in table.columns)
    others = _aliases(select) if case_sensitive else frozenset[str]()
    columns = _Columns(node.alias_or_name, names, alone, others, case_sensitive)
    where = [clause.this for name in ("where", "prewhere") if (clause := select.args.get(name)) is not None]
    return _all_of(columns.condition(term) for term in where)


def predicate_of(condition: exp.Expr | None) -> Predicate:
    """Converts such a condition to a predicate of a `Read`, without its values."""
    match condition:
        case None:
            return And(())
        case exp.Paren():
            return predicate_of(condition.this)
        case exp.And():
            return And(tuple(map(predicate_of, condition.flatten())))
        case exp.Or():
            return Or(tuple(map(predicate_of, condition.flatten())))
        case exp.In():
            return Compare(Col(condition.this.name), Op.IN, None)
        case exp.Is():
            return Compare(Col(condition.this.name), Op.IS_NULL, None)
        case _:
            return Compare(Col(condition.this.name), _OPS[type(condition)], None)


class _Columns:
    """The columns of one table, under the name its SELECT gives it."""

    def __init__(
        self, called: str, names: Collection[str], alone: bool, others: frozenset[str], case_sensitive: bool
    ) -> None:
        """`others` are names that refer to something else, whatever else has the same name."""
        self._called = called
        self._names = names
        self._alone = alone
        self._others = others
        self._case_sensitive = case_sensitive

    def condition(self, term: exp.Expr) -> exp.Expr | None:
        match term:
            case exp.Paren():
                return self.condition(term.this)
            case exp.And():
                return _all_of(self.condition(each) for each in term.flatten())
            case exp.Or():
                found = [self.condition(each) for each in term.flatten()]
                return exp.or_(*(each for each in found if each is not None)) if None not in found else None
            case exp.Between() if not term.args.get("symmetric"):
                ends = ((exp.GTE, term.args["low"]), (exp.LTE, term.args["high"]))
                return _all_of(self._compared(of, term.this, end) for of, end in ends)
            case exp.In() if (column := self._column(term.this)) is not None:
                values = term.expressions
                taken = bool(values) and all(map(_is_constant, values))
                return exp.In(this=column, expressions=[value.copy() for value in values]) if taken else None
            case exp.Is(expression=exp.Null()) if self._alone and not term.args.get("negate"):
                column = self._column(term.this)
                return exp.Is(this=column, expression=exp.Null()) if column is not None else None
            case exp.Binary() if type(term) in _OPS and not term.args.get("negate"):
                compared = self._compared(type(term), term.this, term.expression)
                turned = _TURNED.get(type(term))
                if compared is None and turned is not None:
                    return self._compared(turned, term.expression, term.this)
                return compared
            case _:
                return None

    def _compared(self, of: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr | None:
        column = self._column(left)
        return of(this=column, expression=right.copy()) if column is not None and _is_constant(right) else None

    def _column(self, node: exp.Expr) -> exp.Column | None:
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier) or node.args.get("db"):
            return None
        called, name = (
            (node.table, self._called) if self._case_sensitive else (node.table.lower(), self._called.lower())
        )
        if node.name not in self._names or not (called == name if called else self._alone):
            return None
        if not self._others.isdisjoint((node.name, node.table, f"{node.table}.{node.name}")):
            return None
        return exp.column(node.name, table=READ_AS, quoted=True)


def _all_of(terms: Iterable[exp.Expr | None]) -> exp.Expr | None:
    found = [term for term in terms if term is not None]
    return exp.and_(*found) if found else None


def _aliases(select: exp.Select) -> frozenset[str]:
    """The aliases that SELECT, ARRAY JOIN and any WITH define for values, at any depth of an expression."""
    scalars = [each for each in select.root().find_all(exp.CTE) if each.args.get("scalar")]
    inner = (part for part in select.walk(prune=lambda part: isinstance(part, exp.Query) and part is not select))
    within = (part for each in scalars for part in each.walk())
    found = {part.alias for part in (*inner, *within) if isinstance(part, exp.Alias) and not _keeps_its_name(part)}
    found.update(each.alias for each in scalars)
    for join in select.args.get("joins") or ():
        if join.kind.upper() == "ARRAY":
            found.update(part.name for part in join.find_all(exp.Column))
    return frozenset(found)


def _keeps_its_name(alias: exp.Alias) -> bool:
    """Whether an alias renames a column to its own name (`a AS a`). With several tables, the name alone does not show
    it.
    """
    select = alias.find_ancestor(exp.Select)
    alone = select is not None and not (select.args.get("joins") or select.args.get("laterals"))
    return alone and isinstance(alias.this, exp.Column) and alias.this.name == alias.alias


def _is_constant(node: exp.Expr) -> bool:
    """True when it contains no name and no function that returns rows, so that its value is the same in any place."""
    return not any(isinstance(part, _NO_CONSTANTS) for part in node.walk())


def _is_read_first(select: exp.Select, place: exp.Expr) -> bool:
    """Whether removing rows of the table before the joins of the SELECT gives the same result as removing them
    afterwards.
    """
    joins: list[exp.Join] = select.args.get("joins") or []
    if place.parent is select.args.get("from_"):
        return all(_keeps_left(join) for join in joins)
    own = next((index for index, join in enumerate(joins) if join is place.parent and join.this is place), None)
    return own is not None and _is_inner(joins[own]) and all(_keeps_left(join) for join in joins[own + 1 :])


def _keeps_left(join: exp.Join) -> bool:
    """Whether each row on the left is joined independently of the other rows there."""
    if join.side.upper() == "LEFT":
        return True
    return not join.side and join.kind.upper() not in ("ANY", "OUTER")


def _is_inner(join: exp.Join) -> bool:
    return not join.side and join.kind.upper() in _INNER and join.method.upper() != "ASOF"
