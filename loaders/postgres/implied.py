"""Removes conditions from nested reads that their outer rows already satisfy. Pure: the same rows match, with fewer
comparisons.

Guards stand at every level of a read, but below a row that has passed its own, the same guard often adds nothing: a log
joined by `log.organization_id = organization.id` belongs to a visible organization because that organization is
visible. Postgres cannot know this and would search the list of ids for every row. Only terms that are equal, down to
the slot, are removed (docs/adr/0011).
"""

from collections.abc import Iterator
from dataclasses import replace

from loaders.description import Table
from loaders.read import And, Col, Compare, Exists, Field, Join, Op, Predicate, Read, Related


def without_implied(read: Read) -> Read:
    """The same read, for a statement in which every nested read is correlated to the rows of its outer read."""
    terms = tuple(_terms(read.where))
    return read.with_shown(lambda fields, _: _fields(fields, read.table, terms))


def _fields(fields: tuple[Field, ...], table: Table, terms: tuple[Predicate, ...]) -> tuple[Field, ...]:
    return tuple(
        Field(field.key, _related(field.output, table, terms)) if isinstance(field.output, Related) else field
        for field in fields
    )


def _related(related: Related, table: Table, outer: tuple[Predicate, ...]) -> Related:
    """Deeper reads are compared with all terms of this level, including the removed ones, since its rows satisfy
    them.
    """
    join, read = related.join, related.read
    own = tuple(_terms(read.where))
    left = tuple(term for term in own if not _is_implied(term, join, table, outer))
    where = read.where if len(left) == len(own) else None if not left else left[0] if len(left) == 1 else And(left)
    return Related(join, replace(without_implied(read), where=where))


def _is_implied(term: Predicate, join: Join, table: Table, outer: tuple[Predicate, ...]) -> bool:
    """Whether a term holds for every row that `join` reaches from a row of `table` that satisfies all `outer` terms."""
    match term:
        case Compare(Col(column), (Op.EQ | Op.IN) as op, value):
            local = (own for own, far in zip(join.local, join.remote, strict=True) if far == column)
            return any(Compare(Col(own), op, value) in outer for own in local)
        case Exists(back, where) if back.target == table:
            reached = set(zip(join.remote, join.local, strict=True))
            is_outer = set(zip(back.local, back.remote, strict=True)) <= reached
            return is_outer and all(term in outer for term in _terms(where))
        case _:
            return False


def _terms(predicate: Predicate | None) -> Iterator[Predicate]:
    """The terms that must all be true."""
    match predicate:
        case None:
            return
        case And(terms):
            for term in terms:
                yield from _terms(term)
        case _:
            yield predicate
