"""Collects the expressions over the row that a read needs: only these are selected."""

from collections.abc import Sequence

from loaders.columnar.order import own_expression
from loaders.read import (
    Col,
    Computed,
    Connection,
    EdgePart,
    Edges,
    Expression,
    Field,
    Literal,
    NodeId,
    OrderBy,
    PageInfo,
    PageInfoPart,
    Read,
)


def wants_cursors(connection: Connection) -> bool:
    for _, part in connection.entries:
        if isinstance(part, Edges) and any(entry is EdgePart.CURSOR for _, entry in part.entries):
            return True
        cursors = (PageInfoPart.START_CURSOR, PageInfoPart.END_CURSOR)
        if isinstance(part, PageInfo) and any(entry in cursors for _, entry in part.entries):
            return True
    return False


def has_cursors(read: Read) -> bool:
    """Whether rows have cursors: by the key of the table, or by counting ties."""
    return bool(read.table.key) or read.page.ties is not None


def needed_expressions(read: Read, order: tuple[OrderBy, ...], first: Sequence[Expression]) -> tuple[Expression, ...]:
    """`first`, then what fields and cursors need; each once."""
    needed = dict.fromkeys(first)
    for _, fields in read.shown():
        needed |= dict.fromkeys(expressions_of(fields))
    if read.connection is not None and has_cursors(read) and wants_cursors(read.connection):
        needed |= dict.fromkeys(own_expression(term) for term in order)
    return tuple(needed)


def expressions_of(fields: Sequence[Field]) -> tuple[Expression, ...]:
    expressions: dict[Expression, None] = {}
    for field in fields:
        match field.output:
            case Computed(expression):
                expressions[expression] = None
            case NodeId(columns=columns):
                expressions |= dict.fromkeys(Col(name) for name in columns)
            case Literal():
                pass
            case output:
                raise TypeError(f"{type(output).__name__} cannot be read from a columnar store: the plan must cut it")
    return tuple(expressions)
