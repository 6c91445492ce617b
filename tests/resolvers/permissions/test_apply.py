"""Where the guards' predicates end up in a `Read`."""

import pytest

from loaders.denied import mark
from loaders.description import Table
from loaders.read import (
    Aggregate,
    AggregateFunction,
    And,
    Col,
    Compare,
    Computed,
    Connection,
    CountOf,
    EdgePart,
    Edges,
    Exists,
    Field,
    Figures,
    GroupOrder,
    Having,
    Join,
    Literal,
    Masked,
    Measure,
    Never,
    NodeId,
    Nodes,
    Not,
    Op,
    Or,
    OrderBy,
    PageInfo,
    PageInfoPart,
    Predicate,
    Read,
    Related,
    SortKey,
    Through,
    TotalCount,
)
from resolvers.permissions.apply import Mask, Restriction, apply, touched
from tests.resolvers.permissions.tables import (
    FRAME_BATCHES,
    LICENCES,
    ORGANIZATIONS,
    TO_BATCHES,
    TO_ORGANIZATION,
    TO_TRACK,
    TO_TRACKS,
    TRACK_LOGS,
)

ORG = Compare(Col("id"), Op.IN, (1,))
TRACK = Compare(Col("organization_id"), Op.IN, (1,))
BATCH = Exists(TO_TRACK, TRACK)
RESTRICTIONS = {
    ORGANIZATIONS: Restriction(ORG),
    TRACK_LOGS: Restriction(TRACK),
    FRAME_BATCHES: Restriction(BATCH),
    LICENCES: Restriction(),
}
MINE = Compare(Col("name"), Op.EQ, "a")
PENDING = Compare(Col("status"), Op.EQ, "pending")
ID = Field("id", Computed(Col("id")))


def batches(where: Predicate | None) -> Field:
    return Field("batches", Related(TO_BATCHES, Read(FRAME_BATCHES, connection=nodes(ID), where=where)))


def tracks(where: Predicate | None, inner: Predicate | None) -> Field:
    return Field("tracks", Related(TO_TRACKS, Read(TRACK_LOGS, connection=nodes(ID, batches(inner)), where=where)))


def nodes(*fields: Field) -> Connection:
    return Connection((("nodes", Nodes(fields)),))


def everything(where: Predicate | None, inner: Predicate | None) -> Connection:
    """Every part a connection can have, with a nested read in the nodes and in the edges."""
    return Connection(
        (
            ("nodes", Nodes((ID, batches(inner)))),
            (
                "edges",
                Edges(
                    (("cursor", EdgePart.CURSOR), ("__typename", Literal("Edge")), ("node", Nodes((batches(inner),))))
                ),
            ),
            ("pageInfo", PageInfo((("hasNextPage", PageInfoPart.HAS_NEXT_PAGE),))),
            ("totalCount", TotalCount()),
            ("aggregate", Aggregate((Col("organization_id"),), (("n", Measure(AggregateFunction.COUNT)),))),
            ("__typename", Literal("Connection")),
        )
    )


def wheres(own: Predicate) -> Read:
    return Read(ORGANIZATIONS, (ID,), where=own)


def sorted_by(*keys: SortKey, where: Predicate | None = ORG, table: Table = ORGANIZATIONS) -> Read:
    return Read(table, (ID,), where=where, order=tuple(OrderBy(key, descending=True) for key in keys))


CASES = {
    "root_without_where": (Read(ORGANIZATIONS, (ID,)), Read(ORGANIZATIONS, (ID,), where=ORG)),
    "root_with_where": (wheres(MINE), wheres(And((MINE, ORG)))),
    "root_with_or_is_not_widened": (wheres(Or((MINE, MINE))), wheres(And((Or((MINE, MINE)), ORG)))),
    "unrestricted": (Read(LICENCES, (ID,), where=MINE), Read(LICENCES, (ID,), where=MINE)),
    "three_levels": (
        Read(ORGANIZATIONS, connection=nodes(ID, tracks(None, PENDING))),
        Read(ORGANIZATIONS, connection=nodes(ID, tracks(TRACK, And((PENDING, BATCH)))), where=ORG),
    ),
    "to_one": (
        Read(TRACK_LOGS, (Field("organization", Related(TO_ORGANIZATION, Read(ORGANIZATIONS, (ID,)))),)),
        Read(
            TRACK_LOGS,
            (Field("organization", Related(TO_ORGANIZATION, Read(ORGANIZATIONS, (ID,), where=ORG))),),
            where=TRACK,
        ),
    ),
    "back_to_the_same_table": (
        Read(TRACK_LOGS, (batches(None), Field("again", Related(TO_TRACK, Read(TRACK_LOGS, (ID,)))))),
        Read(
            TRACK_LOGS,
            (batches(BATCH), Field("again", Related(TO_TRACK, Read(TRACK_LOGS, (ID,), where=TRACK)))),
            where=TRACK,
        ),
    ),
    "nodes_edges_and_the_rest": (
        Read(TRACK_LOGS, connection=everything(None, PENDING)),
        Read(TRACK_LOGS, connection=everything(None, And((PENDING, BATCH))), where=TRACK),
    ),
    "aliases_each": (
        Read(TRACK_LOGS, (Field("a", batches(None).output), Field("b", batches(PENDING).output))),
        Read(
            TRACK_LOGS,
            (Field("a", batches(BATCH).output), Field("b", batches(And((PENDING, BATCH))).output)),
            where=TRACK,
        ),
    ),
    "exists": (wheres(Exists(TO_TRACKS)), wheres(And((Exists(TO_TRACKS, TRACK), ORG)))),
    "exists_with_where": (
        wheres(Exists(TO_TRACKS, MINE)),
        wheres(And((Exists(TO_TRACKS, And((MINE, TRACK))), ORG))),
    ),
    "exists_in_not_in_or": (
        wheres(Or((MINE, Not(Exists(TO_TRACKS, Not(MINE)))))),
        wheres(And((Or((MINE, Not(Exists(TO_TRACKS, And((Not(MINE), TRACK)))))), ORG))),
    ),
    "exists_in_exists": (
        wheres(Exists(TO_TRACKS, And((MINE, Exists(TO_BATCHES, PENDING))))),
        wheres(
            And(
                (
                    Exists(TO_TRACKS, And((And((MINE, Exists(TO_BATCHES, And((PENDING, BATCH))))), TRACK))),
                    ORG,
                )
            )
        ),
    ),
    "exists_in_a_nested_read": (
        Read(ORGANIZATIONS, connection=nodes(tracks(Exists(TO_BATCHES, PENDING), None))),
        Read(
            ORGANIZATIONS,
            connection=nodes(tracks(And((Exists(TO_BATCHES, And((PENDING, BATCH))), TRACK)), BATCH)),
            where=ORG,
        ),
    ),
    "exists_of_a_public_table_keeps_its_own": (
        Read(LICENCES, where=Exists(TO_TRACKS, MINE)),
        Read(LICENCES, where=Exists(TO_TRACKS, And((MINE, TRACK)))),
    ),
    "order_counts_visible_rows": (
        sorted_by(Col("name"), CountOf(TO_TRACKS), CountOf(TO_TRACKS, MINE), where=None),
        sorted_by(Col("name"), CountOf(TO_TRACKS, TRACK), CountOf(TO_TRACKS, And((MINE, TRACK)))),
    ),
    "order_through_visible_rows": (
        sorted_by(
            Through(TO_TRACK, Through(TO_ORGANIZATION, Col("name"))),
            Through(TO_TRACK, CountOf(TO_BATCHES), Exists(TO_BATCHES, PENDING)),
            where=None,
            table=FRAME_BATCHES,
        ),
        sorted_by(
            Through(TO_TRACK, Through(TO_ORGANIZATION, Col("name"), ORG), TRACK),
            Through(TO_TRACK, CountOf(TO_BATCHES, BATCH), And((Exists(TO_BATCHES, And((PENDING, BATCH))), TRACK))),
            where=BATCH,
            table=FRAME_BATCHES,
        ),
    ),
    "order_of_a_nested_read": (
        Read(LICENCES, (Field("x", Related(TO_TRACKS, sorted_by(CountOf(TO_BATCHES), where=None, table=TRACK_LOGS))),)),
        Read(
            LICENCES,
            (Field("x", Related(TO_TRACKS, sorted_by(CountOf(TO_BATCHES, BATCH), where=TRACK, table=TRACK_LOGS))),),
        ),
    ),
    "page_and_order_stay": (
        Read(ORGANIZATIONS, (Field("key", NodeId("Organization", ("id",))),)),
        Read(ORGANIZATIONS, (Field("key", NodeId("Organization", ("id",))),), where=ORG),
    ),
}


@pytest.mark.parametrize(("read", "guarded"), CASES.values(), ids=CASES.keys())
def test_apply(read: Read, guarded: Read) -> None:
    assert apply(read, RESTRICTIONS) == guarded


def test_never_replaces_the_callers_predicate() -> None:
    nothing = {**RESTRICTIONS, ORGANIZATIONS: Restriction(Never()), TRACK_LOGS: Restriction(Never())}
    assert apply(wheres(Not(MINE)), nothing) == wheres(Never())
    public = Read(LICENCES, where=Not(Exists(TO_TRACKS, MINE)))
    assert apply(public, nothing) == Read(LICENCES, where=Not(Exists(TO_TRACKS, Never())))


def test_an_order_over_a_table_of_which_nothing_is_visible() -> None:
    nothing = {**RESTRICTIONS, ORGANIZATIONS: Restriction(Never()), FRAME_BATCHES: Restriction(Never())}
    read = sorted_by(Through(TO_ORGANIZATION, Col("name"), MINE), CountOf(TO_BATCHES), where=None, table=TRACK_LOGS)
    keys = (Through(TO_ORGANIZATION, Col("name"), Never()), CountOf(TO_BATCHES, Never()))
    assert apply(read, nothing) == sorted_by(*keys, where=TRACK, table=TRACK_LOGS)


def test_every_table_touched_and_its_columns() -> None:
    assert touched(sorted_by(Through(TO_TRACK, CountOf(TO_BATCHES)), table=LICENCES)).keys() == {
        LICENCES,
        TRACK_LOGS,
        FRAME_BATCHES,
    }
    assert touched(Read(ORGANIZATIONS, connection=nodes(tracks(None, None)))).keys() == {
        ORGANIZATIONS,
        TRACK_LOGS,
        FRAME_BATCHES,
    }
    assert touched(Read(LICENCES, where=Or((MINE, Not(Exists(TO_TRACKS, Exists(TO_BATCHES, PENDING))))))) == {
        LICENCES: {"name"},
        TRACK_LOGS: frozenset(),
        FRAME_BATCHES: {"status"},
    }


def test_a_masked_column_is_masked_wherever_it_is_used() -> None:
    status, id_ = Col("status"), Col("id")
    masked = Masked(status, "track_id", (7,))
    statuses = Measure(AggregateFunction.MAX, status)
    ordered = GroupOrder(statuses)
    having = Having((statuses,), Compare(Col("h0"), Op.EQ, "x"))
    groups = Aggregate((status,), (("s", status), ("m", Figures((("x", statuses),)))), having=having, order=(ordered,))
    read = Read(
        FRAME_BATCHES,
        connection=Connection((("nodes", Nodes((Field("a", Computed(status)), ID))), ("groups", groups))),
        where=Or(
            (Compare(status, Op.EQ, "x"), Not(Compare(id_, Op.EQ, 1)), Exists(TO_TRACK, Exists(TO_BATCHES, PENDING)))
        ),
        order=(OrderBy(status), OrderBy(id_)),
    )
    only = {**RESTRICTIONS, FRAME_BATCHES: Restriction(None, (Mask("status", "track_id", (7,)),))}
    largest = Measure(AggregateFunction.MAX, masked)
    pending = And((Exists(TO_BATCHES, Compare(masked, Op.EQ, "pending")), TRACK))
    assert apply(read, only) == Read(
        FRAME_BATCHES,
        connection=Connection(
            (
                ("nodes", Nodes((Field("a", Computed(masked)), mark("a", masked), ID))),
                (
                    "groups",
                    Aggregate(
                        (masked,),
                        (("s", masked), ("m", Figures((("x", largest),)))),
                        having=Having((largest,), having.where),
                        order=(GroupOrder(largest),),
                    ),
                ),
            )
        ),
        where=Or((Compare(masked, Op.EQ, "x"), Not(Compare(id_, Op.EQ, 1)), Exists(TO_TRACK, pending))),
        order=(OrderBy(masked), OrderBy(id_)),
    )


@pytest.mark.parametrize(
    "read", [CASES["three_levels"][0], CASES["exists_in_exists"][0], CASES["exists_in_a_nested_read"][0]]
)
def test_a_table_without_restriction_is_an_error(read: Read) -> None:
    with pytest.raises(KeyError):
        apply(read, {table: predicate for table, predicate in RESTRICTIONS.items() if table != FRAME_BATCHES})


def test_a_join_must_carry_a_read_of_its_target() -> None:
    wrong = Join(LICENCES, ("id",), ("id",))
    with pytest.raises(ValueError, match="carries a read of track_logs"):
        apply(Read(ORGANIZATIONS, (Field("x", Related(wrong, Read(TRACK_LOGS))),)), RESTRICTIONS)
