"""What a raw statement holds the rows of a table to, as a condition of a `Read`: for filters that tables demand."""

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from loaders.raw_sql.names import TableRef, ref
from loaders.read import And, Col, Compare, Op, Or, Predicate

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
_TURNED: Final = {Op.LT: Op.GT, Op.LTE: Op.GTE, Op.GT: Op.LT, Op.GTE: Op.LTE, Op.EQ: Op.EQ, Op.NE: Op.NE}
_NOTHING: Final = Or(())
"""Of a condition that holds no column to a constant, or is not understood."""


def conditions_of(tree: exp.Query, table: TableRef) -> Iterator[Predicate]:
    """One for each place the table is read at: what WHERE holds its columns to. Values are left out."""
    for node in tree.find_all(exp.Table):
        if isinstance(node.this, exp.Identifier) and ref(node) == table:
            select = node.find_ancestor(exp.Select)
            yield _NOTHING if select is None else _of_select(select, node)


def _of_select(select: exp.Select, node: exp.Table) -> Predicate:
    alone = not (select.args.get("joins") or select.args.get("laterals")) and node.parent is select.args.get("from_")
    where = [clause.this for name in ("where", "prewhere") if (clause := select.args.get(name)) is not None]
    return And(tuple(_predicate(term, node.alias_or_name.lower(), alone) for term in where))


def _predicate(term: exp.Expr, called: str, alone: bool) -> Predicate:
    match term:
        case exp.Paren():
            return _predicate(term.this, called, alone)
        case exp.And():
            return And((_predicate(term.this, called, alone), _predicate(term.expression, called, alone)))
        case exp.Or():
            return Or((_predicate(term.this, called, alone), _predicate(term.expression, called, alone)))
        case exp.Between() if (name := _column(term.this, called, alone)) is not None:
            bounds = ((Op.GTE, term.args["low"]), (Op.LTE, term.args["high"]))
            return And(tuple(Compare(Col(name), op, None) for op, bound in bounds if _is_constant(bound)))
        case exp.In() if (name := _column(term.this, called, alone)) is not None:
            values = term.expressions
            return Compare(Col(name), Op.IN, None) if values and all(map(_is_constant, values)) else _NOTHING
        case exp.Is(expression=exp.Null()) if (name := _column(term.this, called, alone)) is not None:
            return Compare(Col(name), Op.IS_NULL, None)
        case exp.Binary() if (op := _OPS.get(type(term))) is not None:
            return _comparison(term, op, called, alone)
        case _:
            return _NOTHING


def _comparison(term: exp.Binary, op: Op, called: str, alone: bool) -> Predicate:
    left, right = _column(term.this, called, alone), _column(term.expression, called, alone)
    if left is not None and _is_constant(term.expression):
        return Compare(Col(left), op, None)
    if right is not None and _is_constant(term.this) and op in _TURNED:
        return Compare(Col(right), _TURNED[op], None)
    return _NOTHING


def _column(node: exp.Expr, called: str, alone: bool) -> str | None:
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        return None
    return node.name if (node.table.lower() == called if node.table else alone) else None


def _is_constant(node: exp.Expr) -> bool:
    return not any(isinstance(part, exp.Column | exp.Query) for part in node.walk())
