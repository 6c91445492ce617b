"""ClickHouse's type names as column types, given what its Arrow output carries.

Text is read with `toString` (loaders/clickhouse/compile.py), so what Arrow would carry wrongly (enums and IPv4 as bare
numbers, IPv6 and unsigned 128-bit integers as bytes) or not at all (Variant, Dynamic, QBit and types that do not exist
yet) is text. A composite is JSON or an array when Arrow carries each of its parts as it is, else text too. Of these,
ClickHouse compares only `_COMPARABLE` with a text. An interval is the number of its units.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from loaders.description import ColumnType, Held, Kind

_SCALARS: dict[str, Kind] = {
    "Bool": Kind.BOOLEAN,
    "Int8": Kind.INTEGER,
    "Int16": Kind.INTEGER,
    "Int32": Kind.INTEGER,
    "UInt8": Kind.INTEGER,
    "UInt16": Kind.INTEGER,
    "UInt32": Kind.BIGINT,
    "Int64": Kind.BIGINT,
    "UInt64": Kind.BIGINT,
    "Int128": Kind.NUMERIC,
    "Int256": Kind.NUMERIC,
    "Float32": Kind.FLOAT,
    "Float64": Kind.FLOAT,
    "BFloat16": Kind.FLOAT,
    "Decimal": Kind.NUMERIC,
    "Decimal32": Kind.NUMERIC,
    "Decimal64": Kind.NUMERIC,
    "Decimal128": Kind.NUMERIC,
    "Decimal256": Kind.NUMERIC,
    "String": Kind.TEXT,
    "UUID": Kind.UUID,
    "Date": Kind.DATE,
    "Date32": Kind.DATE,
    "DateTime": Kind.TIMESTAMP,
    "DateTime32": Kind.TIMESTAMP,
    "DateTime64": Kind.TIMESTAMP,
}
_IN_JSON = frozenset(_SCALARS.values()) - {Kind.TIMESTAMP}
"""What an Arrow struct or map holds as it is. A `DateTime` is a bare number there, and `_BYTES_IN_ARROW` are bytes."""
_BYTES_IN_ARROW = frozenset({"Int128", "Int256", "BFloat16"})
_SINGLE = frozenset({"Float32", "BFloat16"})
_COMPARABLE = frozenset({"Enum8", "Enum16", "FixedString", "IPv4", "IPv6", "Time", "Time64", "UInt128", "UInt256"})
_COMPOSITES = frozenset({"Map", "Tuple", "Nested"})
_GEO = frozenset({"Point", "Ring", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})
_WRAPPERS = frozenset({"Nullable", "LowCardinality"})
_ALWAYS_NULLABLE = frozenset({"Variant", "Dynamic"})
_NAMED = re.compile(r"(?:`(?:[^`\\]|\\.|``)*`|[A-Za-z_][A-Za-z0-9_.]*) +(?=[A-Za-z])")


@dataclass(frozen=True, slots=True)
class TypeName:
    """`Map(String, Array(Int8))` as a tree. `arguments` keep what is no type (numbers, zones, enum values) as text."""

    name: str
    arguments: tuple["Argument", ...] = ()


Argument: TypeAlias = TypeName | str


def column_type(text: str) -> tuple[ColumnType, bool] | None:
    """The column type and whether it may be null; None for aggregation states, which have no value to show."""
    tree = parse(text)
    nullable = False
    while tree.name in _WRAPPERS or tree.name == "SimpleAggregateFunction":
        nullable = nullable or tree.name == "Nullable"
        tree = _last_type(tree)
    if tree.name == "AggregateFunction":
        return None
    return _unwrapped(tree), nullable or tree.name in _ALWAYS_NULLABLE


def parse(text: str) -> TypeName:
    """Never fails: what does not look like a type is a type of that name, which no table knows."""
    text = text.strip()
    name, opened, rest = text.partition("(")
    if not opened or not rest.endswith(")"):
        return TypeName(text)
    return TypeName(name.strip(), tuple(_argument(part) for part in _split(rest[:-1])))


def _unwrapped(tree: TypeName) -> ColumnType:
    if tree.name in _SCALARS:
        return ColumnType(_SCALARS[tree.name], single=tree.name in _SINGLE)
    if tree.name == "JSON" or tree.name in _GEO:
        return ColumnType(Kind.JSON)
    if tree.name == "Array":
        return _array(_last_type(tree))
    if tree.name in _COMPOSITES and all(_in_json(part) for part in tree.arguments):
        return ColumnType(Kind.JSON)
    if tree.name.startswith("Interval"):
        return ColumnType(Kind.BIGINT, held=Held.CONVERTED)
    return ColumnType(Kind.TEXT, held=Held.COMPARABLE if tree.name in _COMPARABLE else Held.CONVERTED)


def _array(element: TypeName) -> ColumnType:
    while element.name in _WRAPPERS:
        element = _last_type(element)
    if element.name in _SCALARS and element.name not in _BYTES_IN_ARROW:
        return ColumnType(Kind.ARRAY, element=ColumnType(_SCALARS[element.name]))
    inner = _unwrapped(element)
    if inner.kind is Kind.ARRAY:
        return ColumnType(Kind.ARRAY, element=inner)
    return ColumnType(Kind.JSON) if _in_json(element) else ColumnType(Kind.TEXT, held=Held.CONVERTED)


def _in_json(part: Argument) -> bool:
    if isinstance(part, str):
        return False
    if part.name in _WRAPPERS or part.name in _COMPOSITES or part.name == "Array":
        return all(_in_json(inner) for inner in part.arguments)
    scalar = _SCALARS.get(part.name)
    return part.name in _GEO or (scalar in _IN_JSON and part.name not in _BYTES_IN_ARROW)


def _last_type(tree: TypeName) -> TypeName:
    last = tree.arguments[-1] if tree.arguments else ""
    return last if isinstance(last, TypeName) else TypeName(last)


def _argument(part: str) -> Argument:
    part = part.strip()
    named = _NAMED.match(part)
    if named is not None:  # `name Type` of a tuple
        part = part[named.end() :]
    return parse(part) if part[:1].isalpha() else part


def _split(text: str) -> list[str]:
    """At the commas outside of parentheses and quotes."""
    parts, start, depth, quote, position = [], 0, 0, "", 0
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                position += 1
            elif character == quote:
                quote = ""
        elif character in "'`\"":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]] if text.strip() else []
