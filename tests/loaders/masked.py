"""A masked column is the column of a view that shows it in some rows only: reads of both, to be answered alike."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from loaders.denied import take_marks
from loaders.description import Kind, Table
from loaders.encode.cursor import decode_cursor
from loaders.encode.value import SORTABLE
from loaders.order import cursor_form
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Col,
    Compare,
    Computed,
    Connection,
    EdgePart,
    Edges,
    Field,
    GroupOrder,
    Having,
    Measure,
    Nodes,
    Not,
    Op,
    Or,
    OrderBy,
    Page,
    PageInfo,
    PageInfoPart,
    Predicate,
    Read,
    TotalCount,
    figure,
)
from resolvers.permissions.apply import Mask, Restriction, apply

Run = Callable[[Read], Awaitable[Any]]
_PARTS = Connection(
    (
        ("edges", Edges((("cursor", EdgePart.CURSOR),))),
        ("pageInfo", PageInfo((("hasNextPage", PageInfoPart.HAS_NEXT_PAGE), ("endCursor", PageInfoPart.END_CURSOR)))),
    )
)
_LARGEST = AggregateFunction.MAX


def as_view(table: Table, name: str) -> Table:
    """The view over the table: its columns may be null, but for the key."""
    columns = tuple(replace(column, nullable=column.name not in table.key) for column in table.columns)
    return replace(table, name=name, columns=columns)


def reads(table: Table, samples: Mapping[str, Sequence[object]]) -> Iterator[Read]:
    """Everything a column can be used for. `samples`: values of columns to compare with."""
    fields = tuple(Field(column.name, Computed(Col(column.name))) for column in table.columns)
    yield Read(table, connection=Connection((("nodes", Nodes(fields)), ("total", TotalCount()))))
    for column in table.columns:
        if column.type.kind not in SORTABLE or column.name in table.key:
            continue
        col = Col(column.name)
        for descending in (False, True):
            yield Read(table, connection=_PARTS, order=(OrderBy(col, descending),), page=Page(9))
        figures = [("n", Measure(AggregateFunction.COUNT, col)), ("d", Measure(AggregateFunction.COUNT_DISTINCT, col))]
        if column.type.kind is not Kind.UUID:
            figures.append(("max", Measure(_LARGEST, col)))
        grouped = Aggregate(
            (col,),
            (("key", col), ("n", Measure(AggregateFunction.COUNT))),
            having=Having((Measure(AggregateFunction.COUNT, col),), Compare(Col(figure(0)), Op.GTE, 0)),
            order=(GroupOrder(Measure(AggregateFunction.COUNT), descending=True), GroupOrder(col)),
        )
        yield Read(table, connection=Connection((("all", Aggregate((), tuple(figures))), ("groups", grouped))))
        wheres: tuple[Predicate, ...] = (
            Compare(col, Op.IS_NULL, True),
            *(Compare(col, op, value) for op in (Op.EQ, Op.NE, Op.LT) for value in samples.get(column.name, ())),
            *(Not(Or((Compare(col, Op.EQ, value),))) for value in samples.get(column.name, ())),
        )
        for where in wheres:
            yield Read(table, connection=Connection((("total", TotalCount()),)), where=where)


async def assert_masked(table: Table, view: Table, holder: str, values: tuple[int, ...], read: Read, run: Run) -> None:
    """The masked read of the table and the plain read of the view answer alike, on every page."""
    masked = tuple(
        Mask(column.name, holder, values) for column in table.columns if column.name not in (holder, *table.key)
    )
    while True:
        guarded = apply(replace(read, table=table), {table: Restriction(None, masked)})
        answer = await run(guarded)
        denied = take_marks([(answer, ())], [("nodes", "!" + mask.column) for mask in masked] if _shows(read) else [])
        after = _placed(answer, read, table)
        expected = await run(replace(read, table=view))
        assert after == _placed(expected, read, view)
        assert answer == expected, read
        if _shows(read):
            hidden = sum(1 for node in answer["nodes"] if node[holder] not in values)
            assert {failure.nulls for failure in denied} == {hidden}
            assert {failure.path[-1] for failure in denied} == {mask.column for mask in masked}
        if after is None:
            return
        read = replace(read, page=replace(read.page, after=after))


def _placed(answer: Any, read: Read, table: Table) -> tuple[object, ...] | None:
    """Where the next page begins. Cursors, which name their table, are replaced by what they hold."""
    form = cursor_form(read.order, table)
    for edge in answer.get("edges", []):
        edge["cursor"] = decode_cursor(edge["cursor"], form)
    info = answer.get("pageInfo")
    if info is None or info["endCursor"] is None:
        return None
    info["endCursor"] = decode_cursor(info["endCursor"], form)
    return info["endCursor"] if info["hasNextPage"] else None


def _shows(read: Read) -> bool:
    assert read.connection is not None
    return any(isinstance(part, Nodes) for _, part in read.connection.entries)
