"""Negations under SQL's three-valued logic: a row for which a predicate is unknown, since a compared column is null,
does not match.
"""

from loaders.read import Among, And, Compare, Exists, Never, Not, Op, Or, Predicate


def not_true(predicate: Predicate) -> Predicate:
    """Holds for the rows for which the predicate is false or unknown. Never unknown itself."""
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
    """Holds for the rows for which the predicate is true or unknown. Never unknown itself."""
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
