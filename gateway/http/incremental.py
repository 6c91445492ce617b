"""`@defer` and `@stream` are answered at once: the specification lets a server include what it might send later.

A compiled read is one statement, so nothing of it could come sooner. The directives are validated, and taken off before
anything is built or executed, so that a document is planned and answered as if they were not there.
"""

from typing import Any

from graphql import REMOVE, DirectiveNode, DocumentNode, Visitor, visit

_INCREMENTAL = frozenset({"defer", "stream"})


class _TakenOff(Visitor):
    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return REMOVE if node.name.value in _INCREMENTAL else None


def answered_at_once(document: DocumentNode) -> DocumentNode:
    """The valid document without the two directives."""
    without: DocumentNode = visit(document, _TakenOff())
    return without
