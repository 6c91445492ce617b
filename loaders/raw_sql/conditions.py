"""What a raw statement holds the rows of a table to: for filters that tables demand.

What a name in WHERE means is the engine's affair: to ClickHouse an alias of SELECT or WITH comes before a column. So
what WHERE compares is not counted as it stands there: it is made into a condition on the table's own columns, and the
table is read through that before anything else (`placed`). WHERE stays as it was written.
"""

from collections.abc import Collection, Iterable
from typing import Final

from sqlglot import exp

from loaders.description import Table
from loaders.read import And, Col, Compare, Op, Or, Predicate

READ_AS: Final = "axion_read"
"""What the table is called within; no other name of a statement begins so."""

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


def held(node: exp.Table, table: Table, *, by_case: bool) -> exp.Expr | None:
    """What WHERE, beside which the node stands, holds the columns of the table to; None when that is nothing.

    Comparisons of the table's columns with constants, under AND and OR, as a condition on `READ_AS`. It never refuses a
    row of the table that WHERE would take: where an outer join may put nulls in the place of rows it is nothing, and so
    it is where a name may mean something else. `by_case` tells whether the engine takes `F` and `f` for two names, and
    an alias before a column, as ClickHouse does.
    """
    place = node.parent if isinstance(node.parent, exp.Final) else node
    select = node.find_ancestor(exp.Select)
    if select is None or not _is_read_first(select, place):
        return None
    alone = not (select.args.get("joins") or select.args.get("laterals"))
    names = frozenset(each.name for each in table.columns)
    others = _aliases(select) if by_case else frozenset[str]()
    columns = _Columns(node.alias_or_name, names, alone, others, by_case)
    where = [clause.this for name in ("where", "prewhere") if (clause := select.args.get(name)) is not None]
    return _all_of(columns.held(term) for term in where)


def predicate_of(condition: exp.Expr | None) -> Predicate:
    """A condition of `held` as one of a `Read`, without its values."""
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
    """Those of one table, under the name its SELECT calls it by."""

    def __init__(self, called: str, names: Collection[str], alone: bool, others: frozenset[str], by_case: bool) -> None:
        """`others` are names that stand for something else, whoever else has them."""
        self._called = called
        self._names = names
        self._alone = alone
        self._others = others
        self._by_case = by_case

    def held(self, term: exp.Expr) -> exp.Expr | None:
        match term:
            case exp.Paren():
                return self.held(term.this)
            case exp.And():
                return _all_of(self.held(each) for each in term.flatten())
            case exp.Or():
                found = [self.held(each) for each in term.flatten()]
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
        called, name = (node.table, self._called) if self._by_case else (node.table.lower(), self._called.lower())
        if node.name not in self._names or not (called == name if called else self._alone):
            return None
        if not self._others.isdisjoint((node.name, node.table, f"{node.table}.{node.name}")):
            return None
        return exp.column(node.name, table=READ_AS, quoted=True)


def _all_of(terms: Iterable[exp.Expr | None]) -> exp.Expr | None:
    found = [term for term in terms if term is not None]
    return exp.and_(*found) if found else None


def _aliases(select: exp.Select) -> frozenset[str]:
    """The names that SELECT, ARRAY JOIN, and the scalars of any WITH give, wherever they stand in an expression."""
    scalars = [each for each in select.root().find_all(exp.CTE) if each.args.get("scalar")]
    inner = (part for part in select.walk(prune=lambda part: isinstance(part, exp.Query) and part is not select))
    within = (part for each in scalars for part in each.walk())
    found = {part.alias for part in (*inner, *within) if isinstance(part, exp.Alias) and not _is_itself(part)}
    found.update(each.alias for each in scalars)
    for join in select.args.get("joins") or ():
        if join.kind.upper() == "ARRAY":
            found.update(part.name for part in join.find_all(exp.Column))
    return frozenset(found)


def _is_itself(alias: exp.Alias) -> bool:
    """`a AS a`, which is no other value than the column: where there are several tables, not by the name alone."""
    select = alias.find_ancestor(exp.Select)
    alone = select is not None and not (select.args.get("joins") or select.args.get("laterals"))
    return alone and isinstance(alias.this, exp.Column) and alias.this.name == alias.alias


def _is_constant(node: exp.Expr) -> bool:
    """Nothing in it is a name or makes rows, so that it is the same value wherever it is put."""
    return not any(isinstance(part, _NO_CONSTANTS) for part in node.walk())


def _is_read_first(select: exp.Select, place: exp.Expr) -> bool:
    """Whether it is the same to refuse rows of the table before the joins of the SELECT and after them."""
    joins: list[exp.Join] = select.args.get("joins") or []
    if place.parent is select.args.get("from_"):
        return all(_keeps_left(join) for join in joins)
    own = next((index for index, join in enumerate(joins) if join is place.parent and join.this is place), None)
    return own is not None and _is_inner(joins[own]) and all(_keeps_left(join) for join in joins[own + 1 :])


def _keeps_left(join: exp.Join) -> bool:
    """Each row on its left is joined without regard to the others there."""
    if join.side.upper() == "LEFT":
        return True
    return not join.side and join.kind.upper() not in ("ANY", "OUTER")


def _is_inner(join: exp.Join) -> bool:
    return not join.side and join.kind.upper() in _INNER and join.method.upper() != "ASOF"
