"""Refusals of raw statements: the construct, its place in the text, and what to write instead."""

from typing import NoReturn

from sqlglot import exp

from loaders.errors import SqlRefused

_LONGEST = 60


def refuse(construct: str, why: str, *, at: exp.Expr | None = None) -> NoReturn:
    """Raises `SqlRefused`. `construct` may quote the caller's text, shortened; `why` ends with the next step."""
    raise SqlRefused(f"{shortened(construct)}{_place(at)} is not allowed: {why}")


def shortened(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def _place(node: exp.Expr | None) -> str:
    """The line and column of the node, or of its first part that has a position."""
    for part in node.walk() if node is not None else ():
        found = [value for name in ("line", "col", "start", "end") if isinstance(value := part.meta.get(name), int)]
        if len(found) == 4:
            line, column, start, end = found
            return f" (line {line}, column {column - end + start})"
    return ""
