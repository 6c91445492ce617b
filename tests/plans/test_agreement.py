"""An operation with a plan is answered as the executor answers it: values, order of keys, errors."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from loaders.encode import base64url
from loaders.encode.cursor import encode_cursor
from loaders.encode.node_id import encode_node_id
from loaders.order import cursor_mark
from loaders.read import Col, OrderBy
from schema.build import build
from schema.mapping.object import OBJECTS
from tests.plans.documents import Drawn, documents
from tests.plans.ways import SUBJECTS, Variables, Ways

POINT = "query Point($id: ID!) { sense { organization(id: $id) { id name } } }"
BOX = "query($box: [Float!]!) { sense { holds(where: {location: {bbox: $box}}) { nodes { id message location } } } }"
WALK = """
query Walk($first: Int, $after: String, $order: [SenseTrackLogOrderBy!]) {
  sense { trackLogs(first: $first, after: $after, orderBy: $order) {
    edges { cursor node { rowId createdAt } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }
}
"""
ORDERED = """
query Ordered($order: [SenseTrackLogOrderBy!], $is: String) {
  sense {
    trackLogs(first: 9, orderBy: $order) { edges { cursor node { rowId } } pageInfo { hasNextPage endCursor } }
    organizations(where: {name: {startsWith: $is}}, orderBy: [{trackLogs: {count: DESC}}, {holds: {count: ASC}}]) {
      nodes { code trackLogs(last: 2, orderBy: $order) { nodes { rowId } pageInfo { startCursor } } }
    }
  }
}
"""
NESTED = """
query Nested($outer: Int!, $inner: Int, $like: String, $deep: Boolean!, $order: SortOrder!) {
  all: sense { ...Organizations }
  sense { __typename organizations(first: $outer) { totalCount } }
  t: __typename
}
fragment Organizations on SenseQuery {
  list: organizations(first: $outer, where: {or: [{name: {ilike: $like}}, {code: {isNull: $deep}}]}) {
    __typename
    edges { __typename at: cursor node { again: id id ... on Node { id } ...Logs @include(if: $deep) } }
    nodes @skip(if: $deep) { name code }
  }
}
fragment Logs on SenseOrganization {
  trackLogs(last: $inner, orderBy: [{createdAt: $order}]) {
    nodes { rowId organization { name } track { distanceM } frames(first: $inner) { totalCount nodes { rowId } } }
  }
}
"""


build()
BY_TIME = (OrderBy(Col("created_at")),)


def _cursor(*terms: str | None, order: tuple[OrderBy, ...] = ()) -> str:
    return encode_cursor(terms, cursor_mark(order, OBJECTS["SenseTrackLog"].table))


def _organization(key: str, type_name: str = "SenseOrganization") -> dict[str, str]:
    return {"id": encode_node_id(type_name, [key])}


CASES: list[tuple[str, list[Variables]]] = [
    ("{ __typename }", [None]),
    ("{ sense { __typename } gen { t: __typename } }", [None]),
    (
        "query($id: ID!) { node(id: $id) { __typename again: id id ... on SenseOrganization { name }"
        " ... on SenseHold { message } ... on SenseTrackLog { createdAt track { distanceM } } } }",
        [
            *(
                _organization(key, type_)
                for type_ in ("SenseOrganization", "SenseHold")
                for key in ("1", "2", "999", "x")
            ),
            _organization("00000000-0000-0000-0000-000000000001", "SenseTrackLog"),
            _organization("1", "Nothing"),
            {"id": "nonsense"},
        ],
    ),
    ("{ s: sense { a: organizations { totalCount } b: organizations { nodes { id name } } } }", [None]),
    (
        POINT,
        [
            *map(_organization, ("1", "2", "3", "4", "999", "9223372036854775807", "18446744073709551615")),
            _organization("1", "SenseHold"),
            _organization("north"),
            {"id": "x"},
            {"id": ""},
            _organization("2"),
        ],
    ),
    (BOX, [{"box": [5, 45, 7, 47]}, {"box": [170, -10, -170, 60]}, {"box": [-180, -90, 180, 90]}, {"box": [1, 2]}, {}]),
    (
        WALK,
        [
            {},
            {"first": 3},
            {"first": 0},
            {"first": None, "after": None},
            {"first": -1},
            {"first": 1_000_000},
            {"first": 2, "order": [{"createdAt": "DESC"}]},
            {"first": 2, "order": {"createdAt": "ASC_NULLS_FIRST"}},
            {"first": 2, "order": []},
            {"first": 2, "after": "nonsense"},
            {"first": 2, "after": _cursor("00000000-0000-0000-0000-000000000001")},
            {"first": 2, "after": _cursor(None)},
            {"first": 2, "after": _cursor("infinity", None, order=BY_TIME), "order": [{"createdAt": "ASC"}]},
            {
                "first": 2,
                "after": _cursor("2020-01-01T00:00:00+00:00", "00000000-0000-0000-0000-000000000001", order=BY_TIME),
                "order": [{"createdAt": "ASC"}],
            },
            {"first": 2, "after": base64url.encode(b"[1]")},
        ],
    ),
    (
        "query($at: [String!]!, $eq: String, $n: Decimal!, $p: [JSONPathFilter!])"
        " { aura { workspaces(first: 1) { nodes {"
        " a: chunks(first: 3, where: {metadata: {path: {at: $at, eq: $eq}}}) { totalCount nodes { rowId } }"
        " b: chunks(first: 3, where: {metadata: {path: {at: $at, number: {gt: $n}}}}) { totalCount }"
        " c: chunks(where: {metadata: {path: $p}}) { totalCount } } } } }",
        [
            {"at": ["symbol"], "eq": "a", "n": 1, "p": {"at": ["symbol"], "like": "%a%"}},
            {"at": ["start_line"], "eq": "1", "n": "12.5", "p": [{"at": ["x"], "isNull": True}]},
            {"at": [], "eq": None, "n": 0, "p": []},
        ],
    ),
    (
        "query($v: VectorInput!, $n: AuraRagChunkNearest, $t: String!, $x: Float!, $title: String) { aura {"
        " a: ragChunks(nearest: {embedding: $v}, first: 3) { edges { cursor node { rowId score } } }"
        " b: ragChunks(nearest: $n, first: 2, where: {title: {ilike: $title}}) { nodes { rowId score } }"
        " workspaces { nodes { c: chunks(nearest: {embedding: {text: $t}}, first: 2) { nodes { rowId score } } } }"
        " d: ragChunks(nearest: {embedding: {vector: [$x, 1]}}, first: 1) { totalCount } } }",
        [
            {"v": {"text": "sockets"}, "n": {"embedding": {"text": "close"}}, "t": "route", "x": 1, "title": "%a%"},
            {"v": {"vector": [1.0]}, "n": {"embedding": {"text": "close"}}, "t": "route", "x": 1, "title": "%a%"},
            {"v": {"text": " "}, "n": None, "t": "", "x": 1},
        ],
    ),
    (
        "query($v: VectorInput!, $n: AuraRagChunkNearest, $t: String!, $like: String) { aura {"
        " a: ragChunks(nearest: {embedding: $v}, first: 3) { edges { cursor node { rowId score } } }"
        " b: ragChunks(nearest: $n, first: 2, where: {content: {ilike: $like}}) { nodes { rowId score } }"
        " workspaces { nodes { c: chunks(nearest: {embedding: {text: $t}}, first: 2) { nodes { rowId score } } } } } }",
        [
            {"v": {"text": "sockets"}, "n": {"embedding": {"text": "close"}}, "t": "route", "like": "%a%"},
            {"v": {"text": "middleware"}, "n": {"embedding": {"text": "test"}}, "t": "sockets", "like": "%b%"},
            {"v": {"vector": [1.0, *[0.5] * 1535]}, "n": None, "t": "close", "like": "%"},
        ],
    ),
    (
        'query($like: String) { aura { ragChunks(nearest: {embedding: {text: "sockets"}}, first: 3, where: {content: {'
        "ilike: $like}}) { nodes { rowId score } } workspaces { nodes { chunks(nearest: {embedding: {text:"
        ' "a route"}}, first: 2) { nodes { rowId score } } } } } }',
        [{"like": "%a%"}, {"like": "%b%"}, {}],
    ),
    (
        ORDERED,
        [
            {"order": [{"organization": {"name": "ASC"}}, {"frameBatches": {"count": "DESC"}}], "is": "SenseO"},
            {"order": [{"organization": {"name": "ASC"}}, {"frameBatches": {"count": "ASC"}}], "is": "x"},
            {"order": [{"organization": {"trackLogs": {"count": "DESC_NULLS_LAST"}}}], "is": "S"},
            {"order": {"organization": {"holds": {"count": "ASC"}}}, "is": "S"},
            {"order": [{"frameBatches": {}}], "is": "S"},
            {"order": [{"organization": None}], "is": "S"},
        ],
    ),
    (
        NESTED,
        [
            {"outer": 5, "inner": 2, "like": "%o%", "deep": True, "order": "DESC"},
            {"outer": 5, "inner": 2, "like": "%o%", "deep": False, "order": "ASC"},
            {"outer": 1, "inner": 3, "like": "S%", "deep": True, "order": "ASC"},
            {"outer": 1, "like": "\\", "deep": True, "order": "ASC"},
            {"outer": 1, "inner": 9_999, "like": "%", "deep": True, "order": "ASC"},
            {"outer": 1, "inner": 1, "like": None, "deep": True, "order": "ASC"},
            {"outer": 2, "inner": 1, "like": "%", "deep": True},
        ],
    ),
    (
        "query($w: SenseOrganizationFilter!, $ids: [ID!]!) { sense { a: organizations(where: $w) { nodes { name } }"
        " b: organizations(where: {and: [$w, {id: {in: $ids}}]}) { nodes { code } } } }",
        [
            {"w": {"code": {"in": ["north", "south"]}}, "ids": [_organization("1")["id"]]},
            {"w": {"code": {"in": ["south"]}}, "ids": [_organization("1")["id"], _organization("2")["id"]]},
            {"w": {"code": {"in": []}}, "ids": []},
            {"w": {"code": {"notIn": ["north"]}, "name": {"startsWith": "%"}}, "ids": []},
            {"w": {"trackLogs": {"every": {"organization": {"code": {"eq": "north"}}}}}, "ids": []},
            {"w": {"code": {"in": ["a", None]}}, "ids": []},
            {"w": {"code": None}, "ids": []},
            {"w": None, "ids": [_organization("1", "SenseHold")["id"]]},
        ],
    ),
    (
        "query($g: GeoJSON!, $m: Float!, $a: Float!) { sense { holds(where: {location: {dWithin:"
        " {geometry: $g, metres: $m}}}) { totalCount } h: holds(where: {location: {bbox: [$a, -90, 180, 90]}})"
        " { totalCount } } }",
        [
            {"g": {"type": "Point", "coordinates": [6, 46]}, "m": 1e6, "a": 0},
            {"g": {"type": "Point", "coordinates": [6, 46]}, "m": 1, "a": 179},
            {"g": {"type": "Nothing"}, "m": 1, "a": -180},
        ],
    ),
    (
        "query($from: DateTime, $n: Int) { sense { tracks(first: $n, where: {startedAt: {gte: $from}},"
        " orderBy: {startedAt: DESC}) { nodes { rowId startedAt distanceM h3Indices organization { code } } } } }",
        [
            {"from": "2020-01-01T00:00:00Z", "n": 3},
            {"from": "2020-01-01T00:00:00Z", "n": 1},
            {"from": "2100-01-01T00:00:00Z", "n": 3},
            {"n": 2},
            {"from": "yesterday"},
        ],
    ),
    (
        "query($by: SenseTrackLogGroupField!, $unit: TimeUnit, $zone: String, $more: Int!, $first: Int, $p: Float!)"
        " { sense { trackLogs { aggregate(groupBy: [{field: $by, truncate: $unit, timeZone: $zone}], first: $first,"
        " having: {count: {gte: $more}}) { count key { createdAt } } } tracks { aggregate { percentile(p: $p)"
        " { distanceM } } } } }",
        [
            {"by": "CREATED_AT", "unit": "DAY", "zone": "Europe/Berlin", "more": 1, "first": 5, "p": 0.5},
            {"by": "CREATED_AT", "unit": "YEAR", "zone": "UTC", "more": 2, "first": 5, "p": 0.9},
            {"by": "CREATED_AT", "unit": "YEAR", "zone": "UTC", "more": 99, "first": 5, "p": 0.9},
            {"by": "CREATED_AT", "unit": "YEAR", "zone": "Nowhere/At_all", "more": 2, "first": 5, "p": 0.9},
            {"by": "CREATED_AT", "unit": "YEAR", "zone": "UTC", "more": 2, "first": 5, "p": 2},
        ],
    ),
    (
        "query($n: Int = 2) { gen { dataSources(first: $n) { nodes { name datasets { nodes { name } } } } } }",
        [{}, None],
    ),
]


@pytest.mark.parametrize("user", SUBJECTS)
@pytest.mark.parametrize(("document", "asked"), CASES)
async def test_cases(ways: Ways, document: str, asked: list[Variables], user: str) -> None:
    for variables in [*asked, *asked]:
        expected = await ways.executed(document, variables, user)
        if _well_formed(expected):
            assert await ways.planned(document, variables, user) == expected, variables
            assert await ways.planned(document, variables, user) == expected, variables


def _well_formed(answer: str) -> bool:
    """Not refused for what it was asked with: wrong values are the executor's to tell."""
    wrong = ("BAD_USER_INPUT", "INVALID_ID", "INVALID_CURSOR", "PAGE_TOO_LARGE")
    return not any(error["extensions"]["code"] in wrong for error in json.loads(answer).get("errors", ()))


@pytest.mark.parametrize(("document", "asked"), CASES)
async def test_wrong_values_are_told_as_ever(ways: Ways, document: str, asked: list[Variables]) -> None:
    for variables in [*asked, *asked]:
        expected = await ways.executed(document, variables)
        assert await ways.answered(document, variables) == expected, variables


@example_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(drawn=documents(), user=st.sampled_from(["admin", "analyst"]))
async def test_random_documents(ways: Ways, drawn: Drawn, user: str) -> None:
    for variables in (*drawn.variables, drawn.variables[0]):
        assert await ways.answered(drawn.text, variables, user) == await ways.executed(drawn.text, variables, user)


@pytest.mark.parametrize(
    "document",
    [
        "{ viewer { subject } }",
        "{ sense { organizations { nodes { id } } } viewer { subject } }",
        "{ gen { datasets { nodes { tables { name } } } } }",
        "{ __schema { queryType { name } } sense { __typename } }",
        "query($id: ID!) { nodes(ids: [$id]) { id } }",
    ],
)
async def test_the_executor_keeps_what_is_not_only_reads(ways: Ways, document: str) -> None:
    variables: Mapping[str, Any] | None = _organization("1") if "$id" in document else None
    assert not ways.has_plan(document, variables)


async def test_subjects_at_the_same_time_never_share_values(ways: Ways) -> None:
    document = "query($n: Int) { sense { organizations(first: $n) { nodes { code name } } trackLogs { totalCount } } }"
    asked = [(user, n) for n in (1, 2, 5) for user in SUBJECTS] * 4
    expected = {each: await ways.executed(document, {"n": each[1]}, each[0]) for each in set(asked)}
    assert len({expected[user, 5] for user in SUBJECTS}) == len(SUBJECTS)
    answers = await asyncio.gather(*(ways.planned(document, {"n": n}, user) for user, n in asked))
    assert answers == [expected[each] for each in asked]
