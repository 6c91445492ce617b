"""Compiles a `Read`'s predicate to SQL, with every value bound."""

from decimal import Decimal

from sqlglot import exp

from loaders.columnar.binder import Binder
from loaders.description import ColumnType, Held, Kind, Table
from loaders.errors import BadInput
from loaders.expression import expression_type, sortable
from loaders.pattern import normal_pattern
from loaders.read import Among, And, Compare, Exists, Never, Not, Op, Or, Predicate, Slot, Value

_ORDERED = (Op.LT, Op.LTE, Op.GT, Op.GTE)
_TEXTUAL = (Op.LIKE, Op.ILIKE, Op.STARTS_WITH)
_MAX_DIGITS = 38
_BEYOND = 10**_MAX_DIGITS
_COMPARABLE = frozenset(Kind) - {Kind.JSON, Kind.GEOMETRY, Kind.VECTOR, Kind.ARRAY}


def condition(predicate: Predicate, table: Table, binder: Binder) -> exp.Expr:
    """Raises `UnknownColumn` or `BadInput` if it does not fit the table."""
    match predicate:
        case And(()):
            return exp.true()
        case And(terms):
            return exp.and_(*(condition(term, table, binder) for term in terms), copy=False)
        case Or(()):
            return exp.false()
        case Or(terms):
            return exp.or_(*(condition(term, table, binder) for term in terms), copy=False)
        case Not(term):
            return exp.not_(condition(term, table, binder), copy=False)
        case Never():
            return exp.false()
        case Among(columns, rows):
            return _among(columns, rows, table, binder)
        case Compare():
            return _comparison(predicate, table, binder)
        case Exists():
            raise TypeError("Exists cannot be asked of a columnar store: the plan must cut it before")


def _comparison(compare: Compare, table: Table, binder: Binder) -> exp.Expr:
    column_type = expression_type(compare.expression, table)
    value, op = compare.value, compare.op
    if op is Op.IS_NULL:
        is_null = exp.Is(this=binder.expression(compare.expression), expression=exp.null())
        return is_null if value else exp.not_(is_null)
    if op in (Op.CONTAINS, Op.CONTAINED_BY):
        return _containment(compare, column_type, table, binder)
    if op in _TEXTUAL and column_type.kind is not Kind.TEXT:
        raise _refusal(op, column_type, table)
    if op in _ORDERED:
        sortable(compare.expression, table)
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, (int, Decimal)):
            _check_digits(number)
    if op in (Op.IN, Op.NOT_IN) and column_type.kind in _COMPARABLE:
        one_of = _one_of(compare, column_type, binder)
        return one_of if op is Op.IN else exp.not_(exp.paren(one_of))
    if value is None:
        return exp.null()
    left = binder.expression(compare.expression)
    if op in _TEXTUAL and column_type.held is not Held.AS_SHOWN:
        left = binder.dialect.converted(left, column_type.kind)
    match op:
        case Op.LIKE | Op.ILIKE:
            pattern = binder.bind(normal_pattern(str(value)), column_type)
            return binder.dialect.like(left, pattern, ignore_case=op is Op.ILIKE)
        case Op.STARTS_WITH:
            return binder.dialect.starts_with(left, binder.bind(value, column_type))
        case Op.EQ | Op.NE | Op.LT | Op.LTE | Op.GT | Op.GTE if column_type.kind in _COMPARABLE:
            return binder.dialect.compare(op, left, binder.bind(value, column_type), column_type.kind)
        case _:
            raise _refusal(op, column_type, table)


def _one_of(compare: Compare, column_type: ColumnType, binder: Binder) -> exp.Expr:
    values = compare.value
    if not isinstance(values, tuple):
        raise TypeError("IN and NOT_IN take a tuple")
    rows = [(value,) for value in dict.fromkeys(values) if value is not None]
    found: exp.Expr = exp.false()
    if rows:
        found = binder.dialect.one_of([binder.expression(compare.expression)], [column_type], rows, binder)
    return exp.or_(found, exp.null()) if None in values else found


def _among(
    columns: tuple[str, ...], rows: tuple[tuple[Value, ...], ...] | Slot, table: Table, binder: Binder
) -> exp.Expr:
    if isinstance(rows, Slot):
        raise TypeError("a read is filled before it is compiled for a columnar store")
    types = [table.column(name).type for name in columns]
    different = tuple(dict.fromkeys(rows))
    return (
        binder.dialect.one_of([binder.column(name) for name in columns], types, different, binder)
        if rows
        else exp.false()
    )


def _containment(compare: Compare, column_type: ColumnType, table: Table, binder: Binder) -> exp.Expr:
    if column_type.kind is not Kind.ARRAY or column_type.element is None:
        raise _refusal(compare.op, column_type, table)
    if compare.value is None:
        return exp.null()
    values = compare.value if isinstance(compare.value, tuple) else (compare.value,)
    array, bound = binder.expression(compare.expression), binder.bind(values, column_type)
    whole, part = (array, bound) if compare.op is Op.CONTAINS else (bound, array)
    return binder.dialect.contains_all(whole, part)


def _check_digits(number: int | Decimal) -> None:
    """Refuses more than 38 digits, beyond which engines silently compare as doubles or overflow. A cursor's value is a
    value of the column itself.
    """
    if isinstance(number, int):
        fits = -_BEYOND < number < _BEYOND
    else:
        exponent = number.as_tuple().exponent
        fits = isinstance(exponent, int) and max(number.adjusted() + 1, 0) + max(-exponent, 0) <= _MAX_DIGITS
    if not fits:
        raise BadInput(
            f"A number to compare with has at most {_MAX_DIGITS} digits, before and after the point together."
        )


def _refusal(op: Op, column_type: ColumnType, table: Table) -> BadInput:
    return BadInput(f"The filter {op} does not apply to a {column_type.kind} of table {table.name}.")
