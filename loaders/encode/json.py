"""Converts Arrow columns to JSON objects, one per row, in the order of the document's fields."""

from binascii import b2a_base64
from collections.abc import Callable, Sequence

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from loaders.description import ColumnType
from loaders.encode.joining import TEXT, joined
from loaders.encode.text import json_text, plain_text
from loaders.read import Col, Computed, Expression, Field, Literal, NodeId

ColumnOf = Callable[[Expression], tuple[pa.Array, ColumnType]]
"""Returns an expression's column and its type."""


def literal_text(literal: Literal) -> str:
    return orjson.dumps(literal.value).decode("utf-8")


def object_text(entries: Sequence[tuple[str, pa.Array | str]], rows: int) -> pa.Array:
    """`rows` JSON objects as a text column. The value of each entry is a column of JSON texts, or one JSON text for all
    rows.
    """
    parts: list[pa.Array | str] = []
    pending = "{"
    for position, (key, value) in enumerate(entries):
        pending += f"{',' if position else ''}{orjson.dumps(key).decode('utf-8')}:"
        if isinstance(value, str):
            pending += value
        else:
            parts += [pending, value]
            pending = ""
    pending += "}"
    return joined([*parts, pending]) if parts else pa.repeat(pa.scalar(pending, TEXT), rows)


def rows_text(fields: Sequence[Field], column_of: ColumnOf, rows: int, *, made: Callable[[int], None]) -> pa.Array:
    """The output object of each row. `Related` fields do not occur: the plan separates them before a columnar store is
    asked.

    `made` is called with the size of each text column in bytes as soon as it exists. What it raises is passed on.
    """
    entries: list[tuple[str, pa.Array | str]] = []
    for field in fields:
        text = _value_text(field, column_of)
        made(rows * len(field.key) + (rows * len(text) if isinstance(text, str) else int(text.nbytes)))
        entries.append((field.key, text))
    return object_text(entries, rows)


def _value_text(field: Field, column_of: ColumnOf) -> pa.Array | str:
    match field.output:
        case Computed(expression):
            return json_text(*column_of(expression))
        case Literal() as literal:
            return literal_text(literal)
        case NodeId() as node_id:
            return joined(['"', node_id_text(node_id, column_of), '"'])
        case output:
            raise TypeError(f"{type(output).__name__} cannot be read from a columnar store")


def node_id_text(node_id: NodeId, column_of: ColumnOf) -> pa.Array:
    """`encode_node_id` for a whole column."""
    parts: list[pa.Array | str] = [f"{node_id.type}:"]
    for name in node_id.columns:
        parts += [plain_text(*column_of(Col(name))), "|"]
    keys = joined(parts[:-1]).cast(pa.large_binary())
    return base64url_text(keys)


def base64url_text(column: pa.Array) -> pa.Array:
    encoded = [None if value is None else b2a_base64(value, newline=False) for value in column.to_pylist()]
    text = pc.ascii_rtrim(pa.array(encoded, pa.large_binary()).cast(TEXT), "=")
    return pc.replace_substring(pc.replace_substring(text, "+", "-"), "/", "_")
