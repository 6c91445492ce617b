"""No row of any `Read` escapes its guard: random reads, checked by a walk that knows nothing of their node types."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from hypothesis import given
from hypothesis import strategies as st

from loaders.description import Table
from loaders.read import (
    Aggregate,
    AggregateFunction,
    And,
    Col,
    Compare,
    Computed,
    Connection,
    ConnectionPart,
    EdgePart,
    Edges,
    Exists,
    Field,
    Join,
    Literal,
    Measure,
    Nodes,
    Not,
    Op,
    Or,
    Output,
    Predicate,
    Read,
    Related,
    TotalCount,
)
from resolvers.permissions.apply import Restriction, apply, touched
from tests.resolvers.permissions.tables import FRAME_BATCHES, FRAMES, LICENCES, ORGANIZATIONS, TRACK_LOGS

TABLES = (ORGANIZATIONS, TRACK_LOGS, FRAME_BATCHES, FRAMES, LICENCES)
MARKS: dict[Table, Predicate | None] = {table: Compare(Col("guard"), Op.EQ, table.name) for table in TABLES}

tables = st.sampled_from(TABLES)
joins = st.builds(Join, tables, st.just(("id",)), st.just(("id",)))
leaves = st.builds(Compare, st.just(Col("id")), st.just(Op.EQ), st.integers(0, 3))
predicates: st.SearchStrategy[Predicate] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, max_size=2).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=2).map(tuple)),
        st.builds(Not, inner),
        st.builds(Exists, joins, st.none() | inner),
    ),
    max_leaves=6,
)


def related(reads: st.SearchStrategy[Read]) -> st.SearchStrategy[Output]:
    nested = reads.map(lambda read: Related(Join(read.table, ("id",), ("id",)), read))
    return st.one_of(nested, st.just(Computed(Col("id"))), st.just(Literal("T")))


def field_lists(reads: st.SearchStrategy[Read]) -> st.SearchStrategy[tuple[Field, ...]]:
    return st.lists(st.builds(Field, st.just("f"), related(reads)), max_size=2).map(tuple)


def connections(reads: st.SearchStrategy[Read]) -> st.SearchStrategy[Connection]:
    nodes = st.builds(Nodes, field_lists(reads))
    edge = st.one_of(nodes, st.just(EdgePart.CURSOR), st.just(Literal("E")))
    edges = st.builds(Edges, st.lists(st.tuples(st.just("e"), edge), max_size=2).map(tuple))
    count = Aggregate((), (("n", Measure(AggregateFunction.COUNT)),))
    part: st.SearchStrategy[ConnectionPart] = st.one_of(nodes, edges, st.just(TotalCount()), st.just(count))
    return st.builds(Connection, st.lists(st.tuples(st.just("p"), part), max_size=2).map(tuple))


def plain(reads: st.SearchStrategy[Read]) -> st.SearchStrategy[Read]:
    connection = st.none() | connections(reads)
    return st.builds(Read, tables, fields=field_lists(reads), connection=connection, where=st.none() | predicates)


random_reads = st.recursive(st.builds(Read, tables, where=st.none() | predicates), plain, max_leaves=4)


def parts(value: object) -> Iterator[object]:
    """The value and everything inside it, whatever its types; not into tables, which are names here."""
    yield value
    if isinstance(value, tuple):
        for item in value:
            yield from parts(item)
    elif is_dataclass(value) and not isinstance(value, Table):
        for field in fields(value):
            yield from parts(getattr(value, field.name))


def is_guarded(where: Predicate | None, table: Table) -> bool:
    """The table's mark is one of the terms that must all hold."""
    return where == MARKS[table] or (isinstance(where, And) and MARKS[table] in where.terms)


@given(random_reads)
def test_every_read_and_every_exists_is_guarded(read: Read) -> None:
    guarded = list(parts(apply(read, {table: Restriction(mark) for table, mark in MARKS.items()})))
    for part in guarded:
        if isinstance(part, Read):
            assert is_guarded(part.where, part.table)
        elif isinstance(part, Exists):
            assert is_guarded(part.where, part.join.target)
    marks = [part for part in guarded if part in MARKS.values()]
    assert len(marks) == sum(isinstance(part, Read | Exists) for part in parts(read))


@given(random_reads)
def test_tables_are_all_tables_in_it(read: Read) -> None:
    assert touched(read).keys() == {part for part in parts(read) if isinstance(part, Table)}


@given(random_reads)
def test_admitting_everything_changes_nothing(read: Read) -> None:
    assert apply(read, dict.fromkeys(TABLES, Restriction())) == read
