"""`@defer` and `@stream` for clients that accept a single answer: the specification lets a server ignore both
directives.

They are validated, and then removed before anything is planned or executed, so that such an operation is handled as if
they were not there. gateway/http/parts.py is for clients that accept several parts.
"""

from typing import Any

from graphql import REMOVE, DirectiveNode, DocumentNode, Visitor, visit

_INCREMENTAL = frozenset({"defer", "stream"})
_MAX_IN_PARTS = 10
"""Each of them is bookkeeping for every object it stands in: documents with more of them are answered at once."""


class _TakenOff(Visitor):
    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return REMOVE if node.name.value in _INCREMENTAL else None


class _Found(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.count += node.name.value in _INCREMENTAL


def incremental(document: DocumentNode) -> int:
    """How many of the two directives the document has."""
    found = _Found()
    visit(document, found)
    return found.count


def comes_in_parts(document: DocumentNode) -> bool:
    """Whether it may be answered in parts: it has few enough of the directives."""
    return incremental(document) <= _MAX_IN_PARTS


def answered_at_once(document: DocumentNode) -> DocumentNode:
    """The valid document without the two directives."""
    without: DocumentNode = visit(document, _TakenOff())
    return without
