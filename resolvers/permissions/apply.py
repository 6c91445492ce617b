"""Adds the guard of each table to a `Read`, at every level where rows of that table are shown or influence the answer.

Pure. Conditions of the caller cannot reveal hidden rows: inside `Exists`, hidden rows do not exist, so neither `some`,
`every`, `none` nor counts depend on them. Nor does an order over a join, where hidden rows sort like absent ones and
are not counted. The `Exists` that belong to guards (via) see all rows, as they must.

A masked column is masked wherever it is used: in denied rows it is null when it is shown, compared, sorted, grouped,
measured or put into a cursor. A masked field that is shown has a mark beside it (loaders/denied.py), from which the
`FORBIDDEN` errors are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias, assert_never

from loaders.denied import mark
from loaders.description import Table
from loaders.read import (
    Aggregate,
    Among,
    And,
    Bucket,
    Col,
    Compare,
    Computed,
    Connection,
    ConnectionPart,
    CosineSimilarity,
    CountOf,
    Digest,
    EdgePart,
    Edges,
    Exists,
    Expression,
    Field,
    Join,
    Joined,
    JsonPath,
    Literal,
    Masked,
    Measure,
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
    Slot,
    SortKey,
    Through,
    TotalCount,
    Value,
    conjunction,
)


@dataclass(frozen=True, slots=True)
class Mask:
    """`column` is shown only in rows whose `holder` column is one of `values`."""

    column: str
    holder: str
    values: tuple[Value, ...] | Slot


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a subject may see of a table: `rows` admits its visible rows (None: all, Never: none); each mask restricts a
    column.
    """

    rows: Predicate | None = None
    masks: tuple[Mask, ...] = ()

    def mask_of(self, column: str) -> Mask | None:
        return next((mask for mask in self.masks if mask.column == column), None)


Restrictions: TypeAlias = Mapping[Table, Restriction]
"""A missing table is a KeyError."""


def touched(read: Read) -> dict[Table, frozenset[str]]:
    """The tables that the read uses (its own, those of nested reads, and those inside `Exists`), each with the columns
    that are used.
    """
    recorder = _Recorder()
    apply(read, recorder)
    return {table: frozenset(noting.columns) for table, noting in recorder.items()}


def apply(read: Read, restrictions: Restrictions) -> Read:
    """The same read over visible rows and columns only."""
    restriction = restrictions[read.table]
    where = None if read.where is None else _predicate(read.where, read.table, restrictions)
    return replace(
        read,
        where=_both(where, restriction.rows),
        order=tuple(
            replace(term, expression=_sort_key(term.expression, read.table, restrictions)) for term in read.order
        ),
        fields=_fields(read.fields, read.table, restrictions),
        connection=None if read.connection is None else _connection(read.connection, read.table, restrictions),
        joined=tuple(_joined(joined, restrictions) for joined in read.joined),
    )


@dataclass(frozen=True, slots=True)
class _Noting(Restriction):
    """Admits everything and records what was asked for, so that the same walk collects the tables and applies the
    guards.
    """

    columns: set[str] = field(default_factory=set)

    def mask_of(self, column: str) -> Mask | None:
        self.columns.add(column)
        return None


class _Recorder(dict[Table, _Noting]):
    def __missing__(self, table: Table) -> _Noting:
        self[table] = noting = _Noting()
        return noting


def _both(own: Predicate | None, guard: Predicate | None) -> Predicate | None:
    return guard if isinstance(guard, Never) else conjunction((own, guard))


def _predicate(predicate: Predicate, table: Table, restrictions: Restrictions) -> Predicate:
    match predicate:
        case Compare(expression, op, value):
            return Compare(_expression(expression, restrictions[table]), op, value)
        case Never() | Among():  # a key's columns are not masked
            return predicate
        case And(terms):
            return And(tuple(_predicate(term, table, restrictions) for term in terms))
        case Or(terms):
            return Or(tuple(_predicate(term, table, restrictions) for term in terms))
        case Not(term):
            return Not(_predicate(term, table, restrictions))
        case Exists(join, where):
            return Exists(join, _visible(join, where, restrictions))
        case _:
            assert_never(predicate)


def _visible(join: Join, where: Predicate | None, restrictions: Restrictions) -> Predicate | None:
    """`where`, restricted to the visible rows of the join's target."""
    inner = None if where is None else _predicate(where, join.target, restrictions)
    return _both(inner, restrictions[join.target].rows)


def _joined(joined: Joined, restrictions: Restrictions) -> Joined:
    """Restricts a join to visible rows and columns of its table, so that nothing is joined to hidden rows."""
    restriction = restrictions[joined.table]
    where = None if joined.where is None else _predicate(joined.where, joined.table, restrictions)
    columns = tuple((name, _shown(shown, restriction)) for name, shown in joined.columns)
    for _, column in joined.on:
        if restriction.mask_of(column) is not None:
            raise ValueError(f"a masked column of {joined.table.name} is not joined by")
    return replace(joined, columns=columns, where=_both(where, restriction.rows))


def _shown(shown: Expression | Measure, restriction: Restriction) -> Expression | Measure:
    if not isinstance(shown, Measure):
        return _expression(shown, restriction)
    return shown if shown.expression is None else replace(shown, expression=_expression(shown.expression, restriction))


def _sort_key(key: SortKey, table: Table, restrictions: Restrictions) -> SortKey:
    match key:
        case Through(join, by, where):
            return Through(join, _sort_key(by, join.target, restrictions), _visible(join, where, restrictions))
        case CountOf(join, where):
            return CountOf(join, _visible(join, where, restrictions))
        case expression:
            return _expression(expression, restrictions[table])


def _expression(expression: Expression, restriction: Restriction) -> Expression:
    match expression:
        case Col(column) | JsonPath(column) | CosineSimilarity(column) | Bucket(column):
            mask = restriction.mask_of(column)
            return expression if mask is None else Masked(expression, mask.holder, mask.values)
        case Digest(columns):
            if any(restriction.mask_of(column) for column in columns):
                raise ValueError("a digest of masked columns would tell of what they hide")
            return expression
        case Masked():
            raise ValueError("a guarded read is not guarded again")
        case _:
            assert_never(expression)


def _fields(fields: tuple[Field, ...], table: Table, restrictions: Restrictions) -> tuple[Field, ...]:
    outputs: list[Field] = []
    for shown in fields:
        output = _output(shown.output, table, restrictions)
        outputs.append(Field(shown.key, output))
        if isinstance(output, Computed) and isinstance(output.expression, Masked):
            outputs.append(mark(shown.key, output.expression))
    return tuple(outputs)


def _output(output: Output, table: Table, restrictions: Restrictions) -> Output:
    match output:
        case Literal() | NodeId():
            return output
        case Computed(expression):
            return Computed(_expression(expression, restrictions[table]))
        case Related(join, read):
            _same_table(join, read)
            return Related(join, apply(read, restrictions))
        case _:
            assert_never(output)


def _connection(connection: Connection, table: Table, restrictions: Restrictions) -> Connection:
    return Connection(tuple((key, _part(part, table, restrictions)) for key, part in connection.entries))


def _part(part: ConnectionPart, table: Table, restrictions: Restrictions) -> ConnectionPart:
    match part:
        case PageInfo() | TotalCount() | Literal():
            return part  # they speak of the rows that match the read's `where`, which is guarded
        case Aggregate():
            return part.mapped(partial(_expression, restriction=restrictions[table]))
        case Nodes(fields):
            return Nodes(_fields(fields, table, restrictions))
        case Edges(entries):
            return Edges(tuple((key, _edge(entry, table, restrictions)) for key, entry in entries))
        case _:
            assert_never(part)


def _edge(entry: EdgePart | Literal | Nodes, table: Table, restrictions: Restrictions) -> EdgePart | Literal | Nodes:
    match entry:
        case EdgePart() | Literal():
            return entry
        case Nodes(fields):
            return Nodes(_fields(fields, table, restrictions))
        case _:
            assert_never(entry)


def _same_table(join: Join, read: Read) -> None:
    if join.target != read.table:
        raise ValueError(f"a join to {join.target.name} carries a read of {read.table.name}")
