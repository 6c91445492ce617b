"""How much memory is kept for a read, for the bounds of caches. Pure."""

from loaders.read import Aggregate, And, CountOf, Exists, Not, Or, Predicate, Read, Related, SortKey, Through


def weight(read: Read) -> int:
    """An estimate of the memory kept for a read, in fields: a field's share of the read, its SQL and SQLAlchemy's
    structures is about 2 kB. A condition or order term counts as one field.
    """
    outputs = [field.output for _, fields in read.shown() for field in fields]
    shown = sum(weight(output.read) if isinstance(output, Related) else 1 for output in outputs)
    parts = () if read.connection is None else read.connection.entries
    grouped = sum(_weight_of(part) for _, part in parts if isinstance(part, Aggregate))
    return 8 + shown + grouped + _terms(read.where) + sum(_depth(term.expression) for term in read.order)


def _weight_of(aggregate: Aggregate) -> int:
    held = 0 if aggregate.having is None else _terms(aggregate.having.where)
    return len(aggregate.figures) + len(aggregate.hidden) + held


def _terms(predicate: Predicate | None) -> int:
    """Conditions, and what holds them."""
    match predicate:
        case None:
            return 0
        case And(terms) | Or(terms):
            return sum(map(_terms, terms))
        case Not(term):
            return 1 + _terms(term)
        case Exists(_, where):
            return 2 + _terms(where)
        case _:
            return 1


def _depth(key: SortKey) -> int:
    match key:
        case Through(_, by, where):
            return 2 + _depth(by) + _terms(where)
        case CountOf(_, where):
            return 2 + _terms(where)
        case _:
            return 1
