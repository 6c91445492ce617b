"""`@defer` and `@stream` for clients that take one answer: the specification lets a server include what could be later.

The directives are validated, and taken off before anything is built or executed, so that such an operation is planned
and answered as if they were not there. For clients that take several parts see gateway/http/parts.py.
"""

from typing import Any

from graphql import BREAK, REMOVE, DirectiveNode, DocumentNode, Visitor, visit

_INCREMENTAL = frozenset({"defer", "stream"})


class _TakenOff(Visitor):
    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return REMOVE if node.name.value in _INCREMENTAL else None


class _Found(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.any = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        self.any = node.name.value in _INCREMENTAL
        return BREAK if self.any else None


def incremental(document: DocumentNode) -> bool:
    """Whether the document has one of the two directives anywhere."""
    found = _Found()
    visit(document, found)
    return found.any


def answered_at_once(document: DocumentNode) -> DocumentNode:
    """The valid document without the two directives."""
    without: DocumentNode = visit(document, _TakenOff())
    return without
