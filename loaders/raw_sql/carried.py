"""Values that would not come through: of types an engine's Arrow has no place for, or that sqlglot cannot spell."""

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from loaders.raw_sql.errors import refuse

_LOST: Final[Mapping[str, frozenset[exp.DType]]] = {
    "duckdb": frozenset({exp.DType.UINT128, exp.DType.TIMETZ, exp.DType.BIT, exp.DType.BIGNUM, exp.DType.VARIANT}),
    "clickhouse": frozenset({exp.DType.VARIANT}),
}
"""By dialect. DuckDB sends UHUGEINT as signed, TIMETZ without its offset, and its own storage of the others."""
_BEYOND_HUGEINT: Final = 2**127
_NO_NUMBERS: Final = frozenset({"nan", "inf", "infinity"})


def require_carried(tree: exp.Expr, dialect: str) -> None:
    """`SqlRefused` for what would be answered as another value than it is."""
    lost = _LOST.get(dialect, frozenset())
    for node in tree.walk() if lost else ():
        match node:
            case exp.DataType() if node.this in lost:
                name = node.this.value
                refuse(f"The type {name}", "an answer does not carry its values. Use another type, or text.", at=node)
            case exp.Literal(is_string=False) if dialect == "duckdb" and _is_beyond(node.name):
                refuse(f"The number {node.name}", "it is beyond HUGEINT. Write it as a text or with e.", at=node)
            case exp.CurrentTime() if dialect == "duckdb":
                refuse("CURRENT_TIME", "an answer does not carry its zone. Use CURRENT_TIMESTAMP.", at=node)


def numbers_by_name(tree: exp.Expr) -> None:
    """Puts ClickHouse's numbers `nan` and `inf`, which are names to sqlglot, as texts that are cast to numbers."""
    for column in list(tree.find_all(exp.Column)):
        name = column.this
        if not isinstance(name, exp.Identifier) or name.quoted or column.table or name.name.lower() not in _NO_NUMBERS:
            continue
        column.replace(
            exp.cast(exp.Literal.string(name.name.lower()), exp.DataType.build("Float64", dialect="clickhouse"))
        )


def _is_beyond(number: str) -> bool:
    digits = number.lstrip("0")
    return digits.isdecimal() and (len(digits) > len(str(_BEYOND_HUGEINT)) or int(digits) >= _BEYOND_HUGEINT)
