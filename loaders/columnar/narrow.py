"""Finds out where a page ends before its rows are read, for tables without a key, whose ties are broken by a digest.

A digest covers many columns, so sorting by it reads and digests them in all matching rows. Sorting by the other terms
of the order reads only their columns, and tells which values end the page. Few rows come before these values.
"""

from dataclasses import replace

from loaders.columnar.answer import RowsAnswer, run
from loaders.columnar.compile import compile_read
from loaders.columnar.order import own_expression
from loaders.columnar.source import Source
from loaders.encode.cursor import decoded_terms
from loaders.expression import sortable
from loaders.ledger import Ledger
from loaders.read import Col, Computed, Connection, Digest, Field, Nodes, Read


async def narrowed(read: Read, source: Source, ledger: Ledger) -> Read:
    """The same page with `until` set, at the cost of one more statement; the read itself if that would not help."""
    page, terms = read.page, read.order[:-1]
    if not terms or page.limit is None or not isinstance(read.order[-1].expression, Digest):
        return read
    expressions = [own_expression(term) for term in terms]
    names = tuple(expression.name for expression in expressions if isinstance(expression, Col))
    shown = Nodes(tuple(Field(str(place), Computed(expression)) for place, expression in enumerate(expressions)))
    # Strictly behind the cursor's values: how many of the rows equal to them are left is not known, so all are taken.
    ends = replace(
        read,
        table=replace(read.table, key=names),
        connection=Connection((("nodes", shown),)),
        order=terms,
        page=replace(page, after=None if page.after is None else page.after[:-1], ties=None),
    )
    compiled = compile_read(ends, source.dialect)
    if compiled.rows is None:
        return read
    with ledger.room.lent() as lent:
        answer = RowsAnswer(compiled.rows, await run(source, compiled.rows.statement, ledger, lent))
        if answer.rows <= page.limit:
            return read
        last = [answer.texts_of(expression)[page.limit] for expression in expressions]
    until = decoded_terms(last, [sortable(expression, read.table) for expression in expressions])
    return read if until is None else replace(read, page=replace(page, until=until))
