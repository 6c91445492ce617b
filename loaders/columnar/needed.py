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
    Nodes,
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
    if read.connection is None:
        needed |= dict.fromkeys(expressions_of(read.fields))
        return tuple(needed)
    for _, part in read.connection.entries:
        for nodes in [part] if isinstance(part, Nodes) else _nodes_of(part) if isinstance(part, Edges) else []:
            needed |= dict.fromkeys(expressions_of(nodes.fields))
    if has_cursors(read) and wants_cursors(read.connection):
        needed |= dict.fromkeys(own_expression(term) for term in order)
    return tuple(needed)


def _nodes_of(edges: Edges) -> list[Nodes]:
    return [entry for _, entry in edges.entries if isinstance(entry, Nodes)]


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
