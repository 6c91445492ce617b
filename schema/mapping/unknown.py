"""Negations that count what SQL calls unknown: a row with a null in a compared column does not match."""

from loaders.read import Among, And, Compare, Exists, Never, Not, Op, Or, Predicate


def not_true(predicate: Predicate) -> Predicate:
    """Holds for the rows that do not match: the predicate is false or unknown for them. Never unknown itself."""
    match predicate:
        case And(terms):
            return Or(tuple(map(not_true, terms)))
        case Or(terms):
            return And(tuple(map(not_true, terms)))
        case Not(term):
            return not_false(term)
        case Compare(expression, op) if op is not Op.IS_NULL:
            return Or((Not(predicate), Compare(expression, Op.IS_NULL, True)))
        case Compare() | Among() | Exists() | Never():
            return Not(predicate)


def not_false(predicate: Predicate) -> Predicate:
    """Holds for the rows the predicate is true or unknown for. Never unknown itself."""
    match predicate:
        case And(terms):
            return And(tuple(map(not_false, terms)))
        case Or(terms):
            return Or(tuple(map(not_false, terms)))
        case Not(term):
            return not_true(term)
        case Compare(expression, op) if op is not Op.IS_NULL:
            return Or((predicate, Compare(expression, Op.IS_NULL, True)))
        case Compare() | Among() | Exists() | Never():
            return predicate
