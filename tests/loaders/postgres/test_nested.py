"""Rows within rows: each level has its own join, filter, order, page and counts, correlated to its own outer row."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.encode.cursor import decode_cursor
from loaders.ledger import Ledger
from loaders.order import cursor_form
from loaders.postgres.client import Postgres
from loaders.postgres.compile import compile_keyed
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Col,
    Compare,
    Connection,
    ConnectionPart,
    CountOf,
    EdgePart,
    Edges,
    Exists,
    Field,
    Join,
    Literal,
    Measure,
    Never,
    NodeId,
    Nodes,
    Not,
    Op,
    OrderBy,
    Page,
    PageInfo,
    PageInfoPart,
    Predicate,
    Read,
    Related,
    SortKey,
    Through,
    TotalCount,
)
from tests.loaders.postgres.naive import answer
from tests.loaders.postgres.reading import columns, listed, run
from tests.loaders.postgres.rows import (
    DATA,
    KID_ROW,
    KID_TOYS,
    KIDS,
    ROW_CHILDREN,
    ROW_KIDS,
    ROW_PARENT,
    ROWS,
    TOY_KID,
    TOY_OWNER,
    TOYS,
    row_id,
)

COUNTS = Aggregate((Col("rank"),), (("rank", Col("rank")), ("n", Measure(AggregateFunction.COUNT))))
HAS_MORE = PageInfo((("next", PageInfoPart.HAS_NEXT_PAGE), ("previous", PageInfoPart.HAS_PREVIOUS_PAGE)))


def _children(join: Join, read: Read) -> Field:
    return Field(f"{join.target.name} by {join.remote[0]}", Related(join, read))


async def test_three_levels_with_a_page_of_their_own_each(postgres: Postgres) -> None:
    toys = listed(TOYS, columns("name", "kid_id"), order=(OrderBy(Col("name"), True),), page=Page(2))
    kids = listed(KIDS, (*columns("id"), _children(KID_TOYS, toys)), page=Page(3, backward=True))
    read = listed(ROWS, (*columns("id"), _children(ROW_KIDS, kids)), page=Page(20))
    assert await run(read, postgres) == answer(read, DATA)


async def test_children_are_those_of_their_own_parent(postgres: Postgres) -> None:
    """A nested subquery once was not correlated to its outer row: every parent had the same children."""
    read = listed(ROWS, (*columns("id"), _children(ROW_KIDS, listed(KIDS, columns("row_id")))))
    nodes = (await run(read, postgres))["nodes"]
    shown = [(node["id"], {kid["row_id"] for kid in node["kids by row_id"]["nodes"]}) for node in nodes]
    assert sum(1 for _, parents in shown if parents) == 13
    assert all(parents <= {key} for key, parents in shown)


async def test_a_table_within_itself(postgres: Postgres) -> None:
    deep = Read(ROWS, columns("id", "name"))
    for _ in range(3):
        deep = Read(ROWS, (*columns("id"), Field("parent", Related(ROW_PARENT, deep))))
    grandchildren = listed(ROWS, columns("id", "parent_id"), where=Compare(Col("n"), Op.GTE, 0))
    below = listed(ROWS, (*columns("id"), _children(ROW_CHILDREN, grandchildren)), page=Page(2))
    read = listed(ROWS, (*deep.fields, _children(ROW_CHILDREN, below)))
    assert await run(read, postgres) == answer(read, DATA)


async def test_an_edge_to_nothing_is_null_and_a_list_of_nothing_is_empty(postgres: Postgres) -> None:
    parent = Field("parent", Related(ROW_PARENT, Read(ROWS, columns("id"))))
    hidden = Field("hidden", Related(ROW_PARENT, Read(ROWS, columns("id"), where=Never())))
    none = Field("none", Related(ROW_KIDS, listed(KIDS, columns("id"), where=Never())))
    read = Read(ROWS, (parent, hidden, none), where=Compare(Col("id"), Op.EQ, row_id(0)))
    assert await run(read, postgres) == {"parent": None, "hidden": None, "none": {"nodes": []}}


async def test_counts_groups_and_pages_at_depth(postgres: Postgres) -> None:
    where = Not(Exists(KID_TOYS, Compare(Col("name"), Op.EQ, "a")))
    kids = Connection((("total", TotalCount()), ("groups", COUNTS), ("info", HAS_MORE), ("kind", Literal("Kids"))))
    read = listed(ROWS, (*columns("id"), _children(ROW_KIDS, Read(KIDS, connection=kids, where=where, page=Page(1)))))
    assert await run(read, postgres) == answer(read, DATA)


async def test_parts_twice_under_other_names(postgres: Postgres) -> None:
    nodes, edges = Nodes(columns("id")), Edges((("node", Nodes(columns("rank"))), ("also", Nodes(columns("id")))))
    parts = (("a", nodes), ("b", Nodes(columns("rank", "mood"))), ("c", edges), ("d", edges), ("e", HAS_MORE))
    twice = Connection((*parts, ("f", HAS_MORE), ("g", TotalCount()), ("h", TotalCount()), ("i", COUNTS)))
    kids = Read(KIDS, connection=twice, page=Page(2))
    read = listed(ROWS, (_children(ROW_KIDS, kids), Field("again", Related(ROW_KIDS, replace(kids, page=Page(1))))))
    assert await run(read, postgres) == answer(read, DATA)


async def test_a_cursor_holds_within_every_parent(postgres: Postgres) -> None:
    order = (OrderBy(Col("mood")),)
    edges = Connection((("edges", Edges((("cursor", EdgePart.CURSOR), ("node", Nodes(columns("id")))))),))
    read = Read(ROWS, (_children(ROW_KIDS, Read(KIDS, connection=edges, order=order)),))
    read = replace(read, where=Compare(Col("id"), Op.EQ, row_id(1)))
    shown = (await run(read, postgres))["kids by row_id"]["edges"]
    for position, edge in enumerate(shown):
        after = decode_cursor(edge["cursor"], cursor_form(order, KIDS))
        kids = Read(KIDS, connection=edges, order=order, page=Page(after=after))
        rest = await run(replace(read, fields=(_children(ROW_KIDS, kids),)), postgres)
        assert rest["kids by row_id"]["edges"] == shown[position + 1 :]


async def test_more_fields_than_a_function_takes_arguments(postgres: Postgres) -> None:
    for count in (51, 101, 1700):
        names = [column.name for column in ROWS.columns if column.name not in ("doc", "raw")]
        fields = tuple(
            Field(f"f{n}", output) for n in range(count) for output in [columns(names[n % len(names)])[0].output]
        )
        read = listed(ROWS, fields, page=Page(2))
        assert await run(read, postgres) == answer(read, DATA)


async def test_constants_are_no_templates(postgres: Postgres) -> None:
    fields = (*columns("id", "row_id", "rank"), Field("said", Literal("100 %s of 100%, %1$s %% %I")))
    read = listed(KIDS, fields)
    assert await run(read, postgres) == answer(read, DATA)


async def test_response_keys_longer_than_a_name_in_postgres(postgres: Postgres) -> None:
    long, longer = "k" * 64, "k" * 64 + "_"
    kids = Read(KIDS, connection=Connection(((long, TotalCount()), (longer, Nodes(columns("id"))))))
    fields = (Field(long, columns("id")[0].output), Field(longer, Related(ROW_KIDS, kids)))
    read = listed(ROWS, fields)
    assert await run(read, postgres) == answer(read, DATA)


# --- keyed reads ------------------------------------------------------------------------------------------------------


async def _keyed(postgres: Postgres, read: Read, join: Join, keys: list[object]) -> list[Any]:
    statement = compile_keyed(read, join, tuple(keys))
    rows = await postgres.fetch(statement.sql, *statement.parameters, ledger=Ledger())
    found = {row[0]: None if row[1] is None else json.loads(row[1]) for row in rows}
    assert sorted(found) == list(range(len(keys)))
    return [found[place] for place in range(len(keys))]


async def test_keyed_lists(postgres: Postgres) -> None:
    toys = listed(TOYS, columns("name"), page=Page(2))
    parts = (("nodes", Nodes((*columns("id"), _children(KID_TOYS, toys)))), ("total", TotalCount()), ("by", COUNTS))
    read = Read(KIDS, connection=Connection(parts), page=Page(2, backward=True), order=(OrderBy(Col("rank")),))
    keys: list[object] = [row_id(1), row_id(40), None, row_id(2)]
    expected = [answer(read, DATA, ROW_KIDS, {"id": key}) for key in keys]
    assert await _keyed(postgres, read, ROW_KIDS, keys) == expected
    assert expected[1] == expected[2] == {"nodes": [], "total": 0, "by": []}


async def test_keyed_objects(postgres: Postgres) -> None:
    read = Read(KIDS, (Field("id", NodeId("Kid", ("id",))), *columns("rank")))
    keys: list[object] = [1, 10**6, None, 2**60, 2**63, -1]
    expected = [answer(read, DATA, TOY_KID, {"kid_id": key}) for key in keys]
    assert await _keyed(postgres, read, TOY_KID, keys) == expected
    assert [bool(found) for found in expected] == [True, False, False, True, False, False]


async def test_keyed_without_keys(postgres: Postgres) -> None:
    assert await _keyed(postgres, Read(KIDS, columns("id")), TOY_KID, []) == []


# --- any nesting ------------------------------------------------------------------------------------------------------

EDGES_OF = {ROWS: (ROW_KIDS, ROW_CHILDREN, ROW_PARENT), KIDS: (KID_ROW, KID_TOYS), TOYS: (TOY_KID, TOY_OWNER)}
FILTERS: dict[str, list[Predicate | None]] = {
    "the rows": [None, Compare(Col("n"), Op.GT, 0), Exists(ROW_KIDS), Not(Exists(ROW_PARENT)), Never()],
    "kids": [None, Compare(Col("mood"), Op.GT, 0.0), Exists(KID_TOYS), Exists(KID_ROW, Exists(ROW_CHILDREN))],
    "toys": [None, Compare(Col("name"), Op.LIKE, "a%"), Exists(TOY_OWNER, Compare(Col("flag"), Op.EQ, True))],
}
ORDERS: dict[str, list[SortKey]] = {
    "the rows": [*map(Col, ("n", "ratio", "seen", "name")), CountOf(ROW_KIDS), Through(ROW_PARENT, Col("name"))],
    "kids": [Col("rank"), Col("mood"), Through(KID_ROW, CountOf(ROW_KIDS)), CountOf(KID_TOYS)],
    "toys": [Col("name"), Col("owner_id"), Through(TOY_KID, Through(KID_ROW, Col("n"))), Through(TOY_OWNER, Col("n"))],
}


@st.composite
def reads(draw: st.DrawFn, table: Any, many: bool, depth: int) -> Read:
    fields = list(
        columns(*draw(st.lists(st.sampled_from(table.columns), max_size=3).map(lambda c: [x.name for x in c])))
    )
    fields = [Field(f"{n} {field.key}", field.output) for n, field in enumerate(fields)]
    for number, join in enumerate(draw(st.lists(st.sampled_from(EDGES_OF[table]), max_size=2 if depth else 0))):
        to_many = join.remote not in (("id",),) and draw(st.booleans())
        below = draw(reads(join.target, to_many or join.remote != ("id",), depth - 1))
        fields.append(Field(f"{number} {join.target.name}", Related(join, below)))
    where = draw(st.sampled_from(FILTERS[table.name]))
    if not many:
        return Read(table, tuple(fields), where=where)
    order = draw(st.lists(st.builds(OrderBy, st.sampled_from(ORDERS[table.name]), st.booleans()), max_size=2))
    nodes = Nodes(tuple(fields))
    parts: list[ConnectionPart] = draw(
        st.lists(
            st.sampled_from([nodes, Edges((("node", nodes),)), HAS_MORE, TotalCount(), Literal(1)]),
            min_size=1,
            max_size=3,
        )
    )
    page = Page(draw(st.sampled_from([None, 0, 1, 2, 5])), draw(st.booleans()))
    named = tuple((f"p{number}", part) for number, part in enumerate(parts))
    return Read(table, connection=Connection(named), where=where, order=tuple(order), page=page)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(read=st.sampled_from([ROWS, KIDS, TOYS]).flatmap(lambda table: reads(table, many=True, depth=3)))
async def test_any_nesting(postgres: Postgres, read: Read) -> None:
    assert await run(read, postgres) == answer(read, DATA)


async def test_one_row_of_a_key_that_is_not_unique(postgres: Postgres) -> None:
    """As of partitioned tables, whose primary keys carry the partition's column too."""
    join = Join(replace(KIDS, key=("rank",), apart=("id",)), ("rank",), ("rank",))
    direct = Compare(Col("rank"), Op.EQ, 1)
    found = await run(listed(KIDS, columns("id"), Exists(join, direct)), postgres)
    assert len(found["nodes"]) > 1
    assert found == await run(listed(KIDS, columns("id"), direct), postgres)
