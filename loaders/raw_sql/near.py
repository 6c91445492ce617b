"""How large a statement may make small values, where the engine runs in the gateway's own process.

DuckDB bounds the memory of what it sorts, joins and gathers. It does not bound the values it computes for some two
thousand rows at once, nor what it makes of the statement before it begins, and it can end neither in time. So what
makes a long value of a number, or of many rows, has to stand where it is read row by row or sent as it is, and what
doubles a value may do so a few times only. It is judged by the tree alone: what is counted is more than is made.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import prod
from typing import Final

from sqlglot import exp

from loaders.raw_sql.errors import refuse

MAX_GROWTH: Final = 256
"""How many times as long as what is read the values of a row may get, and how many times as many the columns."""
MAX_ALIASED: Final = 1_000
"""Parts of an expression, when the aliases in it are written out."""
_SHORT: Final = 64
"""Characters of a literal that count as none."""
_LONGER: Final = 4
_GATHERING: Final = (exp.ArrayAgg, exp.ArrayConcatAgg, exp.GroupConcat)
_COMPOSED: Final = (
    *(exp.DPipe, exp.Concat, exp.ConcatWs, exp.ArrayConcat, exp.ArrayAppend, exp.ArrayPrepend, exp.ArrayToString),
    *(exp.Array, exp.Struct, exp.Tuple, exp.Map, exp.VarMap, exp.ToMap, exp.MapFromEntries),
)
_COMPOSED_BY_NAME: Final = frozenset({"row", "struct_pack", "list_value"})
_GROWN_BY_NAME: Final = {"bin": 8, "regexp_escape": 2}
_REPLACED: Final = (exp.Replace, exp.RegexpReplace)
_JOINED: Final = (exp.ArrayToString, exp.ConcatWs)
_AROUND: Final = (exp.Filter, exp.WithinGroup, exp.Alias, exp.Paren)
_SETS: Final = (exp.Union, exp.Intersect, exp.Except)


def require_small(tree: exp.Query) -> None:
    """`SqlRefused` names what may get too large."""
    gathered: dict[exp.Select, dict[str, exp.Expr]] = {}
    for node in tree.walk():
        _require(node)
        if _is_gathering(node):
            select, place = _require_sent(node)
            gathered.setdefault(select, {})[place.alias.lower()] = place
    for select, places in gathered.items():
        _require_untouched(select, places)
    selects = list(tree.find_all(exp.Select))
    growth = prod(map(_growth, selects)) * prod(map(_grown, tree.find_all(exp.Values, exp.Unnest, exp.Lateral)))
    longest = max((len(each.name) for each in tree.find_all(exp.Literal)), default=0)
    if growth > 1 and growth * max(longest // _SHORT, 1) > MAX_GROWTH:
        _refuse_growth("The statement", "values are put together of themselves too many times", tree)
    if prod(map(_widening, selects)) > MAX_GROWTH:
        _refuse_growth("SELECT *", "its columns are doubled too many times", tree)
    for select in selects:
        _require_few_aliases(select)
    _require_no_rows(tree)
    for with_ in tree.find_all(exp.With):
        if with_.args.get("recursive"):
            _require_even(with_)


def _require(node: exp.Expr) -> None:
    match node:
        case exp.GenerateSeries() | exp.GenerateDateArray() if not _is_source(node):
            refuse(f"The function {node.sql_name()} as a value", "put it after FROM: FROM range(n) AS r(i).", at=node)
        case exp.Replace() | exp.RegexpReplace():
            _require_short(node)
        case exp.ArrayToString() | exp.ConcatWs() if len(_separator(node) or "x" * 5) > _LONGER:
            refuse("A separator", f"it has to be a written text of at most {_LONGER} characters.", at=node)
        case exp.Lambda():
            _require_plain(node)
        case exp.Max() | exp.Min() | exp.ArgMax() | exp.ArgMin() if node.expressions or node.args.get("count"):
            refuse(f"{node.sql_name()} of several", "it answers one value. Use ORDER BY and LIMIT.", at=node)
        case exp.JSONExtract() if isinstance(node.expression, exp.Array):
            refuse("A list of JSON paths", "extract them one by one.", at=node)
        case exp.Array() if any(isinstance(each, exp.Query) for each in node.expressions):
            refuse("ARRAY(SELECT ...)", "use a join, or array_agg in the outermost SELECT.", at=node)
        case exp.Anonymous() | exp.AnonymousAggFunc():
            _require_named(node)


def _require_named(node: exp.Expr) -> None:
    match name := node.name.lower():
        case "range" | "generate_series" if not _is_source(node):
            refuse(f"The function {name} as a value", "put it after FROM: FROM range(n) AS r(i).", at=node)
        case "min_by" | "max_by" | "arg_min_null" | "arg_max_null" if len(node.expressions) > 2:
            refuse(f"{name} of several", "it answers one value. Use ORDER BY and LIMIT.", at=node)
        case "list_aggregate" if len(node.expressions) > 2:
            refuse(f"The function {name} with a separator", "use array_to_string.", at=node)
        case "json_extract" | "json_extract_string" if any(isinstance(each, exp.Array) for each in node.expressions):
            refuse("A list of JSON paths", "extract them one by one.", at=node)


def _is_source(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.Table | exp.Lateral) and node.arg_key == "this"


def _require_short(node: exp.Expr) -> None:
    """A text may get some times longer by replacing, not a thousand."""
    found, put = node.args.get("expression"), node.args.get("replacement")
    grows = _LONGER if isinstance(node, exp.RegexpReplace) else _LONGER * max(1, len(_text(found) or ""))
    text = "" if put is None else _text(put)
    if text is None or (isinstance(node, exp.Replace) and _text(found) is None) or len(text) > grows:
        refuse(
            f"The function {'REPLACE' if isinstance(node, exp.Replace) else 'REGEXP_REPLACE'}",
            f"it takes a written text, at most {_LONGER} times as long as what it replaces. Give a shorter one.",
            at=node,
        )


def _require_plain(node: exp.Lambda) -> None:
    """A list of lists, each as long as the first, is what a name from outside of the lambda would make."""
    own = {argument.name for argument in node.expressions}
    for part in node.this.walk():
        if isinstance(part, exp.Lambda) or (isinstance(part, exp.Column) and (part.table or part.name not in own)):
            refuse("A lambda that uses what is outside of it", "use its argument alone, or unnest.", at=part)


def _is_gathering(node: exp.Expr) -> bool:
    by_name = isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) and node.name.lower() == "histogram"
    return by_name or isinstance(node, _GATHERING)


def _require_sent(node: exp.Expr) -> tuple[exp.Select, exp.Expr]:
    """What makes one value of many rows is a column of the answer: the SELECT, and its part that is the column."""
    place = node
    while isinstance(place.parent, _AROUND) and place.arg_key == "this":
        place = place.parent
    select = place.parent
    outermost: exp.Expr | None = select
    while outermost is not None and isinstance(outermost.parent, _SETS):
        outermost = outermost.parent
    if not isinstance(select, exp.Select) or place.arg_key != "expressions" or outermost is not node.root():
        refuse("A value gathered of rows", "it may be a column of the outermost SELECT, and nothing else.", at=node)
    return select, place


def _require_untouched(select: exp.Select, places: Mapping[str, exp.Expr]) -> None:
    """Nothing is computed of gathered values by their names."""
    for column in select.find_all(exp.Column):
        name = column.name.lower()
        place = None if column.table or isinstance(column.parent, exp.Ordered) else places.get(name)
        if place is not None and not _is_within(column, place):
            refuse(f"The name {name}", "nothing may be computed of gathered values. Name it otherwise.", at=column)


def _is_within(node: exp.Expr, place: exp.Expr) -> bool:
    parent = node.parent
    while parent is not None and parent is not place:
        parent = parent.parent
    return parent is place


def _growth(select: exp.Select) -> int:
    return max(sum(grown for each in select.expressions if (grown := _grown(each)) > 1), 1)


def _grown(expression: exp.Expr) -> int:
    """How many times as long as what it reads a value may be."""
    parts = list(_own(expression))
    read = sum(isinstance(part, exp.Column | exp.Query) for part in parts) if any(map(_is_composed, parts)) else 1
    return max(read, 1) * prod(map(_factor, parts))


def _own(expression: exp.Expr) -> Iterator[exp.Expr]:
    return expression.walk(prune=lambda part: isinstance(part, exp.Query))


def _is_composed(node: exp.Expr) -> bool:
    return isinstance(node, _COMPOSED) or (isinstance(node, exp.Anonymous) and node.name.lower() in _COMPOSED_BY_NAME)


def _factor(node: exp.Expr) -> int:
    if isinstance(node, _REPLACED):
        found = 1 if isinstance(node, exp.RegexpReplace) else len(_text(node.args.get("expression")) or "")
        return _LONGER if len(_text(node.args.get("replacement")) or "") > found else 1
    if isinstance(node, _JOINED):
        return max(len(_separator(node) or ""), 1)
    return _GROWN_BY_NAME.get(node.name.lower(), 1) if isinstance(node, exp.Anonymous) else 1


def _widening(select: exp.Select) -> int:
    sources = 1 + len(select.args.get("joins") or ()) + len(select.args.get("laterals") or ())
    stars = (sources if isinstance(each, exp.Star) else int(each.is_star) for each in select.expressions)
    return max(sum(stars), 1)


def _require_few_aliases(select: exp.Select) -> None:
    """An alias that is used in the same SELECT is put there in whole."""
    sizes: Counter[str] = Counter()
    for each in select.expressions:
        size = 1 + sum(sizes[part.name.lower()] for part in _own(each) if isinstance(part, exp.Column))
        if size > MAX_ALIASED:
            _refuse_growth("SELECT", "aliases are made of one another too many times", each)
        if each.alias:
            sizes[each.alias.lower()] = size


def _require_no_rows(tree: exp.Query) -> None:
    """A sub-select's name as a value is a struct of its columns, and one of structs doubles them."""
    defined = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    rows = {each.alias.lower() for each in tree.find_all(exp.Subquery) if each.alias}
    rows |= {each.alias_or_name.lower() for each in tree.find_all(exp.Table) if each.name.lower() in defined}
    for column in tree.find_all(exp.Column):
        if not column.table and column.name.lower() in rows:
            refuse(f"The sub-select {column.name} as a value", "name its columns, or call it otherwise.", at=column)


def _require_even(with_: exp.With) -> None:
    """What each step of a recursion doubles is soon of any length."""
    for select in with_.find_all(exp.Select):
        composed = [each for each in select.expressions if any(map(_is_composed, _own(each)))]
        used = Counter(part.name.lower() for each in composed for part in _own(each) if isinstance(part, exp.Column))
        grown = any(prod(map(_factor, _own(each))) > 1 for each in select.expressions)
        if grown or any(times > 1 for times in used.values()):
            _refuse_growth("WITH RECURSIVE", "each step makes a value of itself more than once", select)


def _refuse_growth(what: str, why: str, at: exp.Expr) -> None:
    refuse(what, f"{why}. Compute less in one statement.", at=at)


def _separator(node: exp.Expr) -> str | None:
    return _text(node.expressions[0] if isinstance(node, exp.ConcatWs) and node.expressions else node.expression)


def _text(node: object) -> str | None:
    return node.name if isinstance(node, exp.Literal) and node.is_string else None
