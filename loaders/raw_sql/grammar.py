"""The allowlist of syntax for raw statements: a statement with any other node in its tree is refused."""

import re
from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from loaders.raw_sql.errors import refuse
from loaders.raw_sql.functions import Functions

_QUERIES: Final = (exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery)
_CLAUSES: Final = (
    *(exp.With, exp.CTE, exp.From, exp.Table, exp.TableAlias, exp.Join, exp.Where, exp.PreWhere, exp.Group),
    *(exp.Rollup, exp.Cube, exp.GroupingSets, exp.Having, exp.Qualify, exp.Order, exp.Ordered, exp.Limit, exp.Offset),
    *(exp.Distinct, exp.Values, exp.Tuple, exp.Window, exp.WindowSpec, exp.Final, exp.Lateral, exp.Star, exp.Alias),
)
_VALUES: Final = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Bracket, exp.Slice, exp.Dot),
    *(exp.PropertyEQ, exp.Lambda, exp.Interval, exp.Var, exp.DataType, exp.DataTypeParam, exp.AtTimeZone, exp.Filter),
    *(exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls, exp.HavingMax, exp.JSONPath, exp.JSONPathRoot),
    *(exp.JSONPathKey, exp.JSONPathSubscript, exp.JSONPathWildcard, exp.ColumnDef, exp.IntervalSpan, exp.Kwarg),
)
_OPERATORS: Final = (
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.DPipe, exp.BitwiseAnd, exp.BitwiseOr),
    *(exp.BitwiseXor, exp.BitwiseNot, exp.BitwiseLeftShift, exp.BitwiseRightShift, exp.And, exp.Or, exp.Xor, exp.Not),
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.In, exp.Between),
    *(exp.Like, exp.ILike, exp.SimilarTo, exp.Glob, exp.Escape, exp.Exists),
)
NODES: Final = frozenset((*_QUERIES, *_CLAUSES, *_VALUES, *_OPERATORS))

_OF_SETS: Final = {"with_", "this", "expression", "distinct", "by_name", "order", "limit", "offset"}
_CHECKED_PARTS: Final[Mapping[type, set[str]]] = {
    exp.Select: {
        *("with_", "expressions", "distinct", "from_", "joins", "laterals", "where", "prewhere", "group", "having"),
        *("qualify", "windows", "order", "limit", "offset"),
    },
    exp.Union: _OF_SETS,
    exp.Intersect: _OF_SETS,
    exp.Except: _OF_SETS,
    exp.Subquery: {"this", "alias", "with_", "joins", "laterals", "order", "limit", "offset"},
    exp.Table: {"this", "db", "catalog", "alias", "joins", "laterals"},
    exp.Join: {"this", "on", "using", "kind", "side", "method"},
    exp.Lateral: {"this", "view", "outer", "alias"},
    exp.CTE: {"this", "alias", "scalar"},
    exp.With: {"expressions", "recursive"},
    exp.In: {"this", "expressions", "query", "unnest", "is_global"},
    exp.Star: {"except_", "replace"},
}
"""For nodes with arguments that are text or booleans instead of nodes: which of those arguments may be set."""

_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PHRASE = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*", re.ASCII)
_TEXTS: Final = (
    exp.Literal,
    exp.Identifier,
    exp.JSONPathKey,
    exp.Anonymous,
    exp.ParameterizedAgg,
    exp.AnonymousAggFunc,
)
"""Nodes that contain free text: values, names, and functions by name, which are checked elsewhere."""
_JOINS: Final = frozenset({"", "INNER", "OUTER", "CROSS", "SEMI", "ANTI", "ARRAY", "ANY", "ALL", "ASOF"})
_SIDES: Final = frozenset({"", "LEFT", "RIGHT", "FULL"})
_METHODS: Final = frozenset({"", "NATURAL", "ASOF"})
_NO_TYPES: Final = frozenset({exp.DType.USERDEFINED, exp.DType.AGGREGATEFUNCTION, exp.DType.SIMPLEAGGREGATEFUNCTION})
_KEYWORDS: Final[Mapping[type, str]] = {
    exp.Into: "INTO",
    exp.Lock: "FOR UPDATE",
    exp.Hint: "A hint",
    exp.Placeholder: "A parameter",
    exp.Parameter: "A parameter or variable",
    exp.SessionParameter: "A variable",
    exp.TableSample: "TABLESAMPLE",
    exp.Pivot: "PIVOT",
    exp.Version: "Time travel",
    exp.HexString: "A hexadecimal literal",
    exp.BitString: "A binary literal",
    exp.ByteString: "A literal of bytes",
    exp.QueryTransform: "TRANSFORM ... USING",
    exp.Fetch: "FETCH",
}
_INSTEAD = "A raw statement is one SELECT over tables of the dataset. Leave it out."


def require_query(tree: exp.Expr) -> exp.Query:
    """The statement itself, which must be a SELECT, a WITH, or a set operation of such."""
    if not isinstance(tree, exp.Query) or not isinstance(tree, _QUERIES):
        word = tree.name if isinstance(tree, exp.Command) else type(tree).__name__
        refuse(word.upper() or "The statement", "only SELECT, WITH and UNION are run. Write one SELECT.", at=tree)
    return tree


def require_allowed(tree: exp.Expr, functions: Functions) -> None:
    """Checks every node, and each of its arguments that is not a node. `SqlRefused` names the first one not in the
    list.
    """
    for node in tree.walk():
        if isinstance(node, exp.Func) and type(node) not in NODES:
            functions.require(node)
        elif type(node) not in NODES:
            refuse(_KEYWORDS.get(type(node), type(node).__name__), _INSTEAD, at=node)
        _require_parts(node)
        if not isinstance(node, _TEXTS):
            _require_words(node)
        match node:
            case exp.Literal(is_string=False):
                _require_text(node, node.name, _NUMBER, "A number")
            case exp.Var():
                _require_text(node, node.name, _WORD, "A word")
            case exp.DataType():
                _require_type(node)
            case exp.In():
                _require_in(node)
            case exp.Exists():
                if not isinstance(node.this, exp.Query):
                    refuse("EXISTS", "it must be of a query: EXISTS (SELECT ...).", at=node)
            case exp.Join():
                _require_join(node)
            case exp.Lateral():
                _require_lateral(node, functions)
            case exp.Values():
                functions.require_values(node)
            case exp.Select() if not node.expressions:
                refuse("SELECT", "it selects nothing. Name what it shall answer.", at=node)
            case exp.Column() if node.args.get("join_mark"):
                refuse("The mark (+)", "write LEFT JOIN.", at=node)


def _require_parts(node: exp.Expr) -> None:
    allowed = _CHECKED_PARTS.get(type(node))
    for name, value in node.args.items() if allowed is not None else ():
        if allowed is not None and name not in allowed and value:
            first = value[0] if isinstance(value, list) else value
            word = _KEYWORDS.get(type(first), name.strip("_").upper())
            refuse(word, _INSTEAD, at=first if isinstance(first, exp.Expr) else node)


def _require_words(node: exp.Expr) -> None:
    """Checks nodes whose text is a keyword: it must be one word or phrase."""
    for value in node.args.values():
        if isinstance(value, str) and not _PHRASE.fullmatch(value):
            refuse(type(node).__name__, _INSTEAD, at=node)


def _require_text(node: exp.Expr, text: str, form: re.Pattern[str], what: str) -> None:
    if not form.fullmatch(text):
        refuse(f"{what} written {text!r}", "it is not written plainly. Write it in ASCII, without a prefix.", at=node)


def _require_type(node: exp.DataType) -> None:
    if not isinstance(node.this, exp.DType) or node.this in _NO_TYPES or node.args.get("kind"):
        refuse("A type", "only types of the engine itself are known. Name one of them.", at=node)


def _require_in(node: exp.In) -> None:
    """In ClickHouse a bare name after IN is a table, even within parentheses. Only values and queries are allowed
    there.
    """
    query = node.args.get("query")
    if query is not None and not isinstance(query, exp.Query):
        refuse("IN", "after it may stand a list of values or (SELECT ...).", at=node)
    for value in node.expressions:
        if any(isinstance(part, exp.Column) for part in value.walk(prune=lambda part: isinstance(part, exp.Query))):
            refuse("A name after IN", "write the values, or IN (SELECT ...).", at=value)


def _require_join(node: exp.Join) -> None:
    for part, known in (("kind", _JOINS), ("side", _SIDES), ("method", _METHODS)):
        if str(node.args.get(part) or "").upper() not in known:
            refuse(f"JOIN {part}", "the joins are INNER, LEFT, RIGHT, FULL, CROSS, SEMI and ANTI.", at=node)


def _require_lateral(node: exp.Lateral, functions: Functions) -> None:
    """LATERAL must be followed by a query, or by a function that makes rows from values."""
    if isinstance(node.this, exp.Query):
        return
    if not functions.makes_rows(node.this):
        refuse("LATERAL", "it may be of a query or of EXPLODE and UNNEST.", at=node)
