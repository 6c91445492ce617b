"""Where a read is cut: at every place a nested read of another store can stand. Pure."""

from dataclasses import replace

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.plan import Graft, joins, plan
from loaders.read import (
    Col,
    Compare,
    Computed,
    Connection,
    ConnectionPart,
    EdgePart,
    Edges,
    Field,
    Join,
    Literal,
    Nodes,
    Op,
    Page,
    PageInfo,
    PageInfoPart,
    Read,
    Related,
    TotalCount,
)

_COLUMNS = (Column("id", ColumnType(Kind.UUID), nullable=False), Column("other_id", ColumnType(Kind.UUID)))
HERE = Table("axion_gen", "public", "here", _COLUMNS, ("id",))
NEAR = Table("axion_gen", "public", "near", _COLUMNS, ("id",))
FAR = Table("clickhouse", None, "far", _COLUMNS, ("id",))
FURTHER = Table("clickhouse", None, "further", _COLUMNS, ("id",))
REMOTE = Table("datasource:flights", None, "remote", _COLUMNS, ("id",))

ID = Field("id", Computed(Col("id")))
TO_FAR = Join(FAR, ("other_id",), ("id",))
TO_NEAR = Join(NEAR, ("other_id",), ("id",))
FAR_READ = Read(FAR, (ID,), where=Compare(Col("id"), Op.NE, None), page=Page(3))
CUT = Field("far", Related(TO_FAR, FAR_READ))
KEY = Field("far", Computed(Col("other_id")))


def _connection(part: ConnectionPart) -> Read:
    others: tuple[tuple[str, ConnectionPart], ...] = (
        ("totalCount", TotalCount()),
        ("pageInfo", PageInfo((("hasNextPage", PageInfoPart.HAS_NEXT_PAGE),))),
    )
    return Read(HERE, connection=Connection((("part", part), *others)), page=Page(2))


def _near(field: Field) -> Field:
    return Field("near", Related(TO_NEAR, Read(NEAR, (ID, field))))


def _nears(field: Field) -> Field:
    return Field("nears", Related(TO_NEAR, Read(NEAR, connection=Connection((("nodes", Nodes((field,))),)))))


@pytest.mark.parametrize(
    ("whole", "cut", "path"),
    [
        (Read(HERE, (ID, CUT)), Read(HERE, (ID, KEY)), ("far",)),
        (_connection(Nodes((ID, CUT))), _connection(Nodes((ID, KEY))), ("part", "far")),
        (
            _connection(Edges((("cursor", EdgePart.CURSOR), ("t", Literal("Edge")), ("node", Nodes((CUT,)))))),
            _connection(Edges((("cursor", EdgePart.CURSOR), ("t", Literal("Edge")), ("node", Nodes((KEY,)))))),
            ("part", "node", "far"),
        ),
        (Read(HERE, (_near(CUT),)), Read(HERE, (_near(KEY),)), ("near", "far")),
        (Read(HERE, (_near(_near(CUT)),)), Read(HERE, (_near(_near(KEY)),)), ("near", "near", "far")),
        (
            _connection(Nodes((_nears(_near(CUT)),))),
            _connection(Nodes((_nears(_near(KEY)),))),
            ("part", "nears", "nodes", "near", "far"),
        ),
    ],
)
def test_a_nested_read_of_another_store_becomes_its_key(whole: Read, cut: Read, path: tuple[str, ...]) -> None:
    planned = plan(whole)
    assert planned.read == cut
    assert planned.grafts == (Graft(path, TO_FAR, FAR_READ),)


def test_what_lies_below_a_cut_is_planned_when_it_is_fetched() -> None:
    below = Field("back", Related(Join(HERE, ("other_id",), ("id",)), Read(HERE, (ID,))))
    read = replace(FAR_READ, fields=(below,))
    assert plan(Read(HERE, (Field("far", Related(TO_FAR, read)),))).grafts == (Graft(("far",), TO_FAR, read),)


def test_each_cut_is_a_graft_of_its_own_in_document_order() -> None:
    again = Field("again", Related(TO_FAR, replace(FAR_READ, page=Page(9))))
    planned = plan(_connection(Nodes((CUT, again, _near(CUT)))))
    assert [graft.path for graft in planned.grafts] == [("part", "far"), ("part", "again"), ("part", "near", "far")]
    assert planned.grafts[1].read.page == Page(9)


@pytest.mark.parametrize("table", [FAR, REMOTE])
def test_a_columnar_store_joins_nothing_even_in_itself(table: Table) -> None:
    join = Join(replace(FURTHER, store=table.store), ("id",), ("other_id",))
    nested = Read(join.target, (ID,))
    planned = plan(Read(table, (ID, Field("more", Related(join, nested)))))
    assert planned.read == Read(table, (ID, Field("more", Computed(Col("id")))))
    assert planned.grafts == (Graft(("more",), join, nested),)


@pytest.mark.parametrize("read", [Read(HERE, (_near(ID),)), _connection(Nodes((_nears(ID),))), FAR_READ])
def test_a_read_of_one_store_is_left_as_it_is(read: Read) -> None:
    planned = plan(read)
    assert planned.read is read or planned.read == read
    assert planned.grafts == ()


def test_an_edge_to_another_store_over_two_columns_is_a_mistake() -> None:
    join = Join(FAR, ("id", "other_id"), ("id", "other_id"))
    with pytest.raises(ValueError, match="keyed by one column"):
        plan(Read(HERE, (Field("far", Related(join, FAR_READ)),)))


@pytest.mark.parametrize(("store", "joined"), [("axion_gen", True), ("clickhouse", False), ("datasource:x", False)])
def test_stores_that_join(store: str, joined: bool) -> None:
    assert joins(store) is joined
