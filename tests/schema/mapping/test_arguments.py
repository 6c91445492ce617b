"""`where`, `orderBy` and the page arguments as parts of a `Read`, and what is refused with which code."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, parse, validate

from loaders.encode.cursor import encode_cursor
from loaders.encode.node_id import encode_node_id
from loaders.errors import AxionError, BadInput, Code
from loaders.order import cursor_mark
from loaders.read import (
    And,
    Col,
    Compare,
    CountOf,
    Exists,
    JsonPath,
    Nodes,
    Not,
    Op,
    Or,
    OrderBy,
    Page,
    Predicate,
    Related,
    Through,
)
from schema.build import build, graphql_schema
from schema.mapping.object import OBJECTS, join
from schema.mapping.unknown import not_false, not_true
from tests.loaders.columnar.naive import holds
from tests.schema.mapping.building import read_of

build()
ORGANIZATION, HOLD, LOG = OBJECTS["SenseOrganization"], OBJECTS["SenseHold"], OBJECTS["SenseTrackLog"]
HOLDS = join(ORGANIZATION.edge("holds"))
LOGS = join(ORGANIZATION.edge("trackLogs"))
OWNER = join(HOLD.edge("organization"))
A, B = Compare(Col("name"), Op.EQ, "a"), Compare(Col("code"), Op.EQ, "b")
HI = Compare(Col("message"), Op.LIKE, "hi%")
AT = datetime(2026, 1, 31, 11, tzinfo=UTC)


def _where(where: str | Any) -> Predicate | None:
    document = "query($w: SenseOrganizationFilter) { sense { organizations(where: $w) { totalCount } } }"
    inline = f"{{ sense {{ organizations(where: {where}) {{ totalCount }} }} }}"
    return (read_of(inline) if isinstance(where, str) else read_of(document, {"w": where})).where


@pytest.mark.parametrize(
    ("where", "predicate"),
    [
        ("null", None),
        ("{}", None),
        ("{name: {}}", None),
        ('{name: {eq: "a"}}', A),
        ({"name": {"eq": "a"}}, A),
        ('{name: {eq: "a"}, code: {eq: "b"}}', And((A, B))),
        ('{name: {eq: "a", ne: "b"}}', And((A, Compare(Col("name"), Op.NE, "b")))),
        ("{name: {in: []}}", Or(())),
        ("{name: {notIn: []}}", And(())),
        (
            '{name: {in: ["a"], notIn: ["b", "c"]}}',
            And((Compare(Col("name"), Op.IN, ("a",)), Compare(Col("name"), Op.NOT_IN, ("b", "c")))),
        ),
        ("{name: {isNull: true}}", Compare(Col("name"), Op.IS_NULL, True)),
        ("{name: {isNull: false}}", Compare(Col("name"), Op.IS_NULL, False)),
        ('{and: [{name: {eq: "a"}}, {code: {eq: "b"}}]}', And((A, B))),
        ('{or: [{name: {eq: "a"}}, {code: {eq: "b"}}]}', Or((A, B))),
        ('{or: [{name: {eq: "a"}}, {}]}', Or((A, And(())))),
        ("{and: []}", And(())),
        ("{or: []}", Or(())),
        ('{not: {name: {eq: "a"}, code: {eq: "b"}}}', Not(And((A, B)))),
        ("{not: {}}", Not(And(()))),
        ('{not: {not: {or: [{and: [{name: {eq: "a"}}]}]}}}', Not(Not(Or((And((A,)),))))),
        ("{holds: {}}", None),
        ("{holds: {some: {}}}", Exists(HOLDS)),
        ("{holds: {none: {}}}", Not(Exists(HOLDS))),
        ("{holds: {every: {}}}", And(())),
        ('{holds: {some: {message: {like: "hi%"}}}}', Exists(HOLDS, HI)),
        ('{holds: {none: {message: {like: "hi%"}}}}', Not(Exists(HOLDS, HI))),
        ('{holds: {every: {message: {like: "hi%"}}}}', Not(Exists(HOLDS, not_true(HI)))),
        ('{holds: {some: {organization: {name: {eq: "a"}}}}}', Exists(HOLDS, Exists(OWNER, A))),
        ("{holds: {some: {organization: {}}}}", Exists(HOLDS, Exists(OWNER))),
        ({"holds": {"some": {}, "none": {"message": {"like": "hi%"}}}}, And((Exists(HOLDS), Not(Exists(HOLDS, HI))))),
        (
            '{trackLogs: {some: {createdAt: {gte: "2026-01-31T12:00:00+01:00"}}}}',
            Exists(LOGS, Compare(Col("created_at"), Op.GTE, AT)),
        ),
    ],
)
def test_where(where: str | dict[str, Any], predicate: Predicate | None) -> None:
    assert _where(where) == predicate


def _id(key: str, type_name: str = "SenseOrganization") -> str:
    return encode_node_id(type_name, [key])


def test_where_by_id() -> None:
    assert _where({"id": {"eq": _id("7")}}) == Compare(Col("id"), Op.EQ, 7)
    assert _where({"id": {"in": [_id("7"), _id("8")]}}) == Compare(Col("id"), Op.IN, (7, 8))
    assert _where({"id": {"in": []}}) == Compare(Col("id"), Op.IN, ())


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ({"name": None}, Code.BAD_USER_INPUT),
        ({"and": None}, Code.BAD_USER_INPUT),
        ({"name": {"eq": None}}, Code.BAD_USER_INPUT),
        ({"holds": {"some": None}}, Code.BAD_USER_INPUT),
        ({"holds": {"some": {"message": {"eq": None}}}}, Code.BAD_USER_INPUT),
        ({"id": {"eq": "nonsense"}}, Code.INVALID_ID),
        ({"id": {"eq": _id("7", "SenseHold")}}, Code.INVALID_ID),
        ({"id": {"eq": _id("seven")}}, Code.INVALID_ID),
        ({"id": {"in": [_id("7"), ""]}}, Code.INVALID_ID),
    ],
)
def test_what_where_refuses(where: dict[str, Any], code: Code) -> None:
    with pytest.raises(AxionError) as raised:
        _where(where)
    assert raised.value.code is code


@pytest.mark.parametrize(
    ("terms", "order"),
    [
        ("null", ()),
        ("[]", ()),
        ("{name: ASC}", (OrderBy(Col("name")),)),
        ("[{name: DESC}]", (OrderBy(Col("name"), True),)),
        ("[{name: ASC_NULLS_FIRST}]", (OrderBy(Col("name"), False, True),)),
        ("[{name: DESC_NULLS_LAST}, {rowId: ASC}]", (OrderBy(Col("name"), True, False), OrderBy(Col("id")))),
    ],
)
def test_order(terms: str, order: tuple[OrderBy, ...]) -> None:
    assert read_of(f"{{ sense {{ organizations(orderBy: {terms}) {{ totalCount }} }} }}").order == order


TO_TRACK_LOG = join(OBJECTS["SenseFrameBatch"].edge("trackLog"))
TO_ORGANIZATION = join(LOG.edge("organization"))


@pytest.mark.parametrize(
    ("terms", "order"),
    [
        ("{trackLog: {createdAt: DESC}}", (OrderBy(Through(TO_TRACK_LOG, Col("created_at")), True),)),
        (
            "[{trackLog: {organization: {name: ASC_NULLS_FIRST}}}, {createdAt: DESC}]",
            (
                OrderBy(Through(TO_TRACK_LOG, Through(TO_ORGANIZATION, Col("name"))), False, True),
                OrderBy(Col("created_at"), True),
            ),
        ),
        (
            "{trackLog: {organization: {trackLogs: {count: DESC_NULLS_LAST}}}}",
            (OrderBy(Through(TO_TRACK_LOG, Through(TO_ORGANIZATION, CountOf(LOGS))), True, False),),
        ),
        (
            "[{trackLog: {createdAt: DESC}}, {trackLog: {createdAt: ASC}}, {createdAt: ASC}]",
            (OrderBy(Through(TO_TRACK_LOG, Col("created_at")), True), OrderBy(Col("created_at"))),
        ),
    ],
)
@pytest.mark.parametrize("as_variable", [False, True])
def test_order_through_relations(terms: str, order: tuple[OrderBy, ...], as_variable: bool) -> None:
    selection = "sense { trackLogs { nodes { frameBatches(orderBy: ORDER) { totalCount } } } }"
    if as_variable:
        spelled = re.sub(r"(\w+)(?=:)", r'"\1"', re.sub(r"([A-Z_]{3,})", r'"\1"', terms))
        document = "query($o: [SenseFrameBatchOrderBy!]) { " + selection.replace("ORDER", "$o") + " }"
        read = read_of(document, {"o": json.loads(spelled)})
    else:
        read = read_of("{ " + selection.replace("ORDER", terms) + " }")
    nodes = dict(read.connection.entries)["nodes"] if read.connection else None
    assert isinstance(nodes, Nodes)
    related = nodes.fields[0].output
    assert isinstance(related, Related)
    assert related.read.order == order


@pytest.mark.parametrize(
    ("type_", "absent"),
    [("SenseTrackLogOrderBy", {"track", "frames"}), ("SenseTrackOrderBy", {"trackLog", "organization", "frames"})],
)
def test_what_lies_in_another_store_is_not_offered_as_an_order(type_: str, absent: set[str]) -> None:
    declared = graphql_schema(build()).type_map[type_]
    assert isinstance(declared, GraphQLInputObjectType)
    assert not set(declared.fields) & absent
    assert {"createdAt", "startedAt"} & set(declared.fields)


@pytest.mark.parametrize("terms", ["{}", "{name: ASC, code: DESC}", "{name: null}", "[{name: ASC}, {}]"])
def test_a_term_of_an_order_names_one_field(terms: str) -> None:
    document = parse(f"{{ sense {{ organizations(orderBy: {terms}) {{ totalCount }} }} }}")
    (error,) = validate(graphql_schema(build()), document)
    assert "SenseOrganizationOrderBy" in error.message


def _page(arguments: str, *, max_page: int | None = 1000) -> Page:
    return read_of(f"{{ sense {{ organizations({arguments}) {{ totalCount }} }} }}", max_page=max_page).page


BY_NAME = (OrderBy(Col("name")),)
CURSOR = encode_cursor(["7"], cursor_mark((), ORGANIZATION.table))
NAMED = encode_cursor(["a", "7"], cursor_mark(BY_NAME, ORGANIZATION.table))
OF_HOLDS = encode_cursor(["7"], cursor_mark((), HOLD.table))


@pytest.mark.parametrize(
    ("arguments", "page"),
    [
        ("first: null", Page(50)),
        ("first: 0", Page(0)),
        ("first: 1000", Page(1000)),
        ("last: 0", Page(0, backward=True)),
        ("last: 3", Page(3, backward=True)),
        (f'after: "{CURSOR}"', Page(50, after=(7,))),
        (f'first: 2, after: "{CURSOR}", before: null', Page(2, after=(7,))),
        (f'last: 2, before: "{CURSOR}"', Page(2, backward=True, before=(7,))),
        (f'orderBy: {{name: ASC}}, after: "{NAMED}"', Page(50, after=("a", 7))),
        (f'orderBy: [{{name: ASC}}, {{rowId: ASC}}], after: "{NAMED}"', Page(50, after=("a", 7))),
    ],
)
def test_page(arguments: str, page: Page) -> None:
    assert _page(arguments) == page


def test_a_stream_has_no_page_but_the_one_asked_for() -> None:
    assert _page("first: null", max_page=None) == Page(None)
    assert _page("first: 5000", max_page=None) == Page(5000)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("first: 1001", Code.PAGE_TOO_LARGE),
        ("last: 1001", Code.PAGE_TOO_LARGE),
        ("first: -1", Code.BAD_USER_INPUT),
        ("last: -1", Code.BAD_USER_INPUT),
        ("first: 1, last: 1", Code.BAD_USER_INPUT),
        ("first: 0, last: 0", Code.BAD_USER_INPUT),
        ('after: ""', Code.INVALID_CURSOR),
        ('before: "nonsense"', Code.INVALID_CURSOR),
        (f'after: "{NAMED}"', Code.INVALID_CURSOR),
        (f'orderBy: {{name: ASC}}, after: "{CURSOR}"', Code.INVALID_CURSOR),
        (f'orderBy: {{name: DESC}}, after: "{NAMED}"', Code.INVALID_CURSOR),
        (f'orderBy: {{name: ASC_NULLS_FIRST}}, after: "{NAMED}"', Code.INVALID_CURSOR),
        (f'orderBy: {{code: ASC}}, after: "{NAMED}"', Code.INVALID_CURSOR),
        (f'before: "{OF_HOLDS}"', Code.INVALID_CURSOR),
    ],
)
def test_what_a_page_refuses(arguments: str, code: Code) -> None:
    with pytest.raises(AxionError) as raised:
        _page(arguments)
    assert raised.value.code is code


@pytest.mark.parametrize("verdict", [True, False, None])
@pytest.mark.parametrize("shape", ["leaf", "not", "and", "or", "nested"])
def test_what_is_unknown_does_not_match(shape: str, verdict: bool | None) -> None:
    """`not_true` and `not_false` under SQL's logic, over a row whose column compares as `verdict`."""
    leaf, sure = Compare(Col("x"), Op.GT, 0), Compare(Col("y"), Op.GT, 0)
    shapes: dict[str, Predicate] = {
        "leaf": leaf,
        "not": Not(leaf),
        "and": And((leaf, sure)),
        "or": Or((leaf, Not(sure))),
        "nested": Not(Or((And((Not(leaf), sure)), Not(sure)))),
    }
    row = {"x": {True: 1, False: -1, None: None}[verdict], "y": 1}
    predicate = shapes[shape]
    truth = _truth(predicate, row)
    assert _truth(not_true(predicate), row) is (truth is not True)
    assert _truth(not_false(predicate), row) is (truth is not False)


def _truth(predicate: Predicate, row: dict[str, Any]) -> bool | None:
    return holds(predicate, row, lambda value: value)


CHUNKS = join(OBJECTS["AuraWorkspace"].edge("chunks"))


@pytest.mark.parametrize(
    ("where", "predicate"),
    [
        ('{path: {at: ["a", "0"], eq: "x"}}', Compare(JsonPath("metadata", ("a", "0")), Op.EQ, "x")),
        ({"path": [{"at": ["a"], "isNull": True}]}, Compare(JsonPath("metadata", ("a",)), Op.IS_NULL, True)),
        (
            '{path: [{at: ["a"], ilike: "x%"}, {at: [], number: {gt: 1.5, in: [2, "3"]}}]}',
            And(
                (
                    Compare(JsonPath("metadata", ("a",)), Op.ILIKE, "x%"),
                    Compare(JsonPath("metadata", (), number=True), Op.IN, (Decimal(2), Decimal(3))),
                    Compare(JsonPath("metadata", (), number=True), Op.GT, Decimal("1.5")),
                )
            ),
        ),
        (
            {"hasKey": "a", "path": [{"at": ["b"], "in": ["x"], "ne": "y"}]},
            And(
                (
                    Compare(Col("metadata"), Op.HAS_KEY, "a"),
                    Compare(JsonPath("metadata", ("b",)), Op.NE, "y"),
                    Compare(JsonPath("metadata", ("b",)), Op.IN, ("x",)),
                )
            ),
        ),
        ("{path: []}", None),
        ('{path: {at: ["a"]}}', None),
    ],
)
def test_paths_in_json(where: str | dict[str, Any], predicate: Predicate | None) -> None:
    spelled = where if isinstance(where, str) else "$w"
    chunks = f"{{ aura {{ workspaces(where: {{chunks: {{some: {{metadata: {spelled}}}}}}}) {{ totalCount }} }} }}"
    read = read_of(chunks) if isinstance(where, str) else read_of(f"query($w: JSONFilter) {chunks}", {"w": where})
    assert read.where == Exists(CHUNKS, predicate)


@pytest.mark.parametrize(
    "path", ["null", '{at: ["a"], eq: null}', '{at: ["a"], number: null}', '{at: ["a"], number: {lt: null}}']
)
def test_a_null_at_a_path_has_no_meaning(path: str) -> None:
    where = f"{{chunks: {{some: {{metadata: {{path: {path}}}}}}}}}"
    with pytest.raises(BadInput, match="is null"):
        read_of(f"{{ aura {{ workspaces(where: {where}) {{ totalCount }} }} }}")


@pytest.mark.parametrize(
    ("contains", "text"),
    [
        (f"{{a: {'9' * 40}}}", f'{{"a":{"9" * 40}}}'),
        ("[" * 100 + f"{2**64}" + "]" * 100, "[" * 100 + f"{2**64}" + "]" * 100),
        (f"[-{2**63 + 1}, 0.5, null, true]", f"[-{2**63 + 1},0.5,null,true]"),
        ("{a: [0.12345678901234567890, 1E-400, 1.50]}", '{"a":[0.12345678901234567890,1E-400,1.50]}'),
        ('"é\\u2028 😀"', '"é\u2028 😀"'),
    ],
)
def test_json_is_compared_as_it_is(contains: str, text: str) -> None:
    where = f"{{chunks: {{some: {{metadata: {{contains: {contains}}}}}}}}}"
    read = read_of(f"{{ aura {{ workspaces(where: {where}) {{ totalCount }} }} }}")
    assert isinstance(read.where, Exists)
    assert read.where.where == Compare(Col("metadata"), Op.CONTAINS, text)


@pytest.mark.parametrize(
    ("list_", "where", "predicate"),
    [
        (
            "sense { tracks",
            '{h3Indices: {contains: ["891f1d48177ffff"]}}',
            Compare(Col("h3_indices"), Op.CONTAINS, (0x891F1D48177FFFF,)),
        ),
        (
            "gen { datasets",
            '{tableNames: {containedBy: ["a", "b"], isNull: false}}',
            And(
                (
                    Compare(Col("table_names"), Op.CONTAINED_BY, ("a", "b")),
                    Compare(Col("table_names"), Op.IS_NULL, False),
                )
            ),
        ),
        ("gen { datasets", "{tableNames: {contains: []}}", Compare(Col("table_names"), Op.CONTAINS, ())),
    ],
)
def test_items_of_an_array(list_: str, where: str, predicate: Predicate) -> None:
    assert read_of(f"{{ {list_}(where: {where}) {{ totalCount }} }} }}").where == predicate


PLACES = [
    'intersects: {type: "Point", coordinates: ["a", 1]}',
    'within: {type: "Point", coordinates: [0, 1e400]}',
    'intersects: {type: "Polygon", coordinates: [[[0, 0], [1, 1], [0, 2], [0, 3]]]}',
    'dWithin: {geometry: {type: "Point", coordinates: []}, metres: 1}',
    'dWithin: {geometry: {type: "Point", coordinates: [0, 1]}, metres: -1}',
    'dWithin: {geometry: {type: "Point", coordinates: [0, 1]}, metres: 1e400}',
    "bbox: [0, 1, 2]",
    "bbox: [0, 2, 1, 1]",
    "bbox: [0, 0, 1e400, 1]",
]


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_place_is_refused(place: str) -> None:
    """PostGIS takes text for 0, closes rings and knows infinity."""
    with pytest.raises(BadInput):
        read_of(f"{{ sense {{ holds(where: {{location: {{{place}}}}}) {{ totalCount }} }} }}")
