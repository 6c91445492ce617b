"""Refuses values that would be answered wrongly: their type has no counterpart in the engine's Arrow output, or sqlglot
cannot write them.
"""

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from loaders.raw_sql.errors import refuse

_UNREPRESENTABLE: Final[Mapping[str, frozenset[exp.DType]]] = {
    "duckdb": frozenset({exp.DType.UINT128, exp.DType.TIMETZ, exp.DType.BIT, exp.DType.BIGNUM, exp.DType.VARIANT}),
    "clickhouse": frozenset({exp.DType.VARIANT}),
}
"""By dialect. DuckDB sends UHUGEINT as a signed integer, TIMETZ without its offset, and the others in its internal
storage format.
"""
_BEYOND_HUGEINT: Final = 2**127
_NAMED_NUMBERS: Final = frozenset({"nan", "inf", "infinity"})


def require_representable(tree: exp.Expr, dialect: str) -> None:
    """`SqlRefused` for an expression whose answer would be another value than its own."""
    lost = _UNREPRESENTABLE.get(dialect, frozenset())
    for node in tree.walk() if lost else ():
        match node:
            case exp.DataType() if node.this in lost:
                name = node.this.value
                refuse(f"The type {name}", "an answer does not carry its values. Use another type, or text.", at=node)
            case exp.Literal(is_string=False) if dialect == "duckdb" and _is_beyond(node.name):
                refuse(f"The number {node.name}", "it is beyond HUGEINT. Write it as a text or with e.", at=node)
            case exp.CurrentTime() if dialect == "duckdb":
                refuse("CURRENT_TIME", "an answer does not carry its zone. Use CURRENT_TIMESTAMP.", at=node)


def cast_named_numbers(tree: exp.Expr) -> None:
    """Replaces ClickHouse's `nan` and `inf`, which sqlglot parses as column names, by strings that are cast
    to numbers.
    """
    for column in list(tree.find_all(exp.Column)):
        name = column.this
        if (
            not isinstance(name, exp.Identifier)
            or name.quoted
            or column.table
            or name.name.lower() not in _NAMED_NUMBERS
        ):
            continue
        column.replace(
            exp.cast(exp.Literal.string(name.name.lower()), exp.DataType.build("Float64", dialect="clickhouse"))
        )


def _is_beyond(number: str) -> bool:
    digits = number.lstrip("0")
    return digits.isdecimal() and (len(digits) > len(str(_BEYOND_HUGEINT)) or int(digits) >= _BEYOND_HUGEINT)
