"""Puts the predicate of each table's guard into a `Read`, at every level a row of that table can be seen or felt.

Pure. A predicate of the caller cannot feel hidden rows either: inside `Exists`, hidden rows do not exist, so neither
`some`, `every`, `none` nor counts tell of them. Nor does an order over a join: hidden rows
sort as absent ones and are not counted. The guards' own `Exists` (via) see all rows, as they must.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias, assert_never

from loaders.description import Table
from loaders.read import (
    Aggregate,
    And,
    Bucket,
    Col,
    Compare,
    Computed,
    Connection,
    ConnectionPart,
    CosineSimilarity,
    CountOf,
    EdgePart,
    Edges,
    Exists,
    Field,
    Join,
    JsonPath,
    Literal,
    Never,
    NodeId,
    Nodes,
    Not,
    Or,
    Output,
    PageInfo,
    Predicate,
    Read,
    Related,
    SortKey,
    Through,
    TotalCount,
)

Restrictions: TypeAlias = Mapping[Table, Predicate | None]
"""Per table the predicate that admits its visible rows; None admits all, Never none. A missing table is a KeyError."""


def tables_of(read: Read) -> frozenset[Table]:
    """Every table the read touches: its own, those of nested reads and those inside `Exists`."""
    tables: set[Table] = set()
    apply(read, _Recorder(tables))
    return frozenset(tables)


def apply(read: Read, restrictions: Restrictions) -> Read:
    """The same read over visible rows only."""
    where = None if read.where is None else _predicate(read.where, restrictions)
    return replace(
        read,
        where=_both(where, restrictions[read.table]),
        order=tuple(replace(term, expression=_sort_key(term.expression, restrictions)) for term in read.order),
        fields=_fields(read.fields, restrictions),
        connection=None if read.connection is None else _connection(read.connection, restrictions),
    )


class _Recorder(dict[Table, Predicate | None]):
    """Admits everything and notes what was asked for, so that the walk that guards is the walk that collects."""

    def __init__(self, tables: set[Table]) -> None:
        super().__init__()
        self._tables = tables

    def __missing__(self, table: Table) -> None:
        self._tables.add(table)


def _both(own: Predicate | None, guard: Predicate | None) -> Predicate | None:
    if own is None or isinstance(guard, Never):
        return guard
    return own if guard is None else And((own, guard))


def _predicate(predicate: Predicate, restrictions: Restrictions) -> Predicate:
    match predicate:
        case Compare() | Never():
            return predicate
        case And(terms):
            return And(tuple(_predicate(term, restrictions) for term in terms))
        case Or(terms):
            return Or(tuple(_predicate(term, restrictions) for term in terms))
        case Not(term):
            return Not(_predicate(term, restrictions))
        case Exists(join, where):
            return Exists(join, _visible(join, where, restrictions))
        case _:
            assert_never(predicate)


def _visible(join: Join, where: Predicate | None, restrictions: Restrictions) -> Predicate | None:
    """`where` over the visible rows of the join's target."""
    return _both(None if where is None else _predicate(where, restrictions), restrictions[join.target])


def _sort_key(key: SortKey, restrictions: Restrictions) -> SortKey:
    match key:
        case Col() | JsonPath() | CosineSimilarity() | Bucket():
            return key
        case Through(join, by, where):
            return Through(join, _sort_key(by, restrictions), _visible(join, where, restrictions))
        case CountOf(join, where):
            return CountOf(join, _visible(join, where, restrictions))
        case _:
            assert_never(key)


def _fields(fields: tuple[Field, ...], restrictions: Restrictions) -> tuple[Field, ...]:
    return tuple(Field(field.key, _output(field.output, restrictions)) for field in fields)


def _output(output: Output, restrictions: Restrictions) -> Output:
    match output:
        case Computed() | Literal() | NodeId():
            return output
        case Related(join, read):
            _same_table(join, read)
            return Related(join, apply(read, restrictions))
        case _:
            assert_never(output)


def _connection(connection: Connection, restrictions: Restrictions) -> Connection:
    return Connection(tuple((key, _part(part, restrictions)) for key, part in connection.entries))


def _part(part: ConnectionPart, restrictions: Restrictions) -> ConnectionPart:
    match part:
        case PageInfo() | TotalCount() | Aggregate() | Literal():
            return part  # they speak of the rows that match the read's `where`, which is guarded
        case Nodes(fields):
            return Nodes(_fields(fields, restrictions))
        case Edges(entries):
            return Edges(tuple((key, _edge(entry, restrictions)) for key, entry in entries))
        case _:
            assert_never(part)


def _edge(entry: EdgePart | Literal | Nodes, restrictions: Restrictions) -> EdgePart | Literal | Nodes:
    match entry:
        case EdgePart() | Literal():
            return entry
        case Nodes(fields):
            return Nodes(_fields(fields, restrictions))
        case _:
            assert_never(entry)


def _same_table(join: Join, read: Read) -> None:
    if join.target != read.table:
        raise ValueError(f"a join to {join.target.name} carries a read of {read.table.name}")
