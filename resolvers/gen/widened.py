"""Widens conditions on joined columns, so that keys with several distinct joined rows are found whichever
row matches.
"""

from collections.abc import Mapping, Sequence

from loaders.expression import columns_of
from loaders.read import Among, And, Col, Compare, Exists, Joined, Never, Not, Op, Or, Predicate


def widened(predicate: Predicate | None, joined: Sequence[Joined]) -> Predicate | None:
    """The condition, or that a key whose columns it compares has more than one joined row, in which case the answer is
    refused.

    Conditions on the read's own columns are unchanged.
    """
    variants = {name: part.variants for part in joined if part.variants is not None for name, _ in part.columns}
    return predicate if predicate is None or not variants else _widened(predicate, variants)


def _widened(predicate: Predicate, variants: Mapping[str, str]) -> Predicate:
    if isinstance(predicate, And):
        return And(tuple(_widened(term, variants) for term in predicate.terms))
    several = dict.fromkeys(variants[name] for name in compared(predicate) if name in variants)
    return Or((predicate, *(Compare(Col(name), Op.GT, 1) for name in several))) if several else predicate


def compared(predicate: Predicate) -> tuple[str, ...]:
    """The columns that the condition refers to."""
    match predicate:
        case And(terms) | Or(terms):
            return tuple(name for term in terms for name in compared(term))
        case Not(term):
            return compared(term)
        case Compare(expression):
            return columns_of(expression)
        case Among(columns):
            return columns
        case Never() | Exists():
            return ()
