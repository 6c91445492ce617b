"""GraphQL selection -> `Read`, as a table of documents over the real declarations."""

from typing import Any

import pytest

from loaders.read import (
    Col,
    Computed,
    Connection,
    EdgePart,
    Edges,
    Field,
    Literal,
    NodeId,
    Nodes,
    Page,
    PageInfo,
    PageInfoPart,
    Read,
    Related,
    TotalCount,
)
from schema.build import build
from schema.mapping.object import OBJECTS, join
from schema.mapping.splice import Open
from tests.schema.mapping.building import built, read_of

build()
ORGANIZATION, HOLD, LOG = OBJECTS["SenseOrganization"], OBJECTS["SenseHold"], OBJECTS["SenseTrackLog"]
ID = Field("id", NodeId("SenseOrganization", ("id",)))
NAME, CODE = Field("name", Computed(Col("name"))), Field("code", Computed(Col("code")))
DEFAULT = Page(50)


_SWITCHES = {"on": "true", "off": "false"}


def _organizations(selection: str, fragments: str = "") -> str:
    used = ", ".join(f"${name}: Boolean = {value}" for name, value in _SWITCHES.items() if f"${name}" in selection)
    header = f"query({used})" if used else ""
    return f"{header} {{ sense {{ organizations {{ nodes {{ {selection} }} }} }} }} {fragments}"


def _holds(key: str, *fields: Field, page: Page = DEFAULT) -> Field:
    nodes = Connection((("nodes", Nodes(fields)),))
    return Field(key, Related(join(ORGANIZATION.edge("holds")), Read(HOLD.table, connection=nodes, page=page)))


MESSAGE = Field("message", Computed(Col("message")))
CREATED = Field("createdAt", Computed(Col("created_at")))


@pytest.mark.parametrize(
    ("selection", "fragments", "fields"),
    [
        ("id name", "", [ID, NAME]),
        ("rowId", "", [Field("rowId", Computed(Col("id")))]),
        ("name name", "", [NAME]),
        ("a: name b: name name", "", [Field("a", NAME.output), Field("b", NAME.output), NAME]),
        ("code: name name: code", "", [Field("code", NAME.output), Field("name", CODE.output)]),
        ("__typename t: __typename", "", [Field(k, Literal("SenseOrganization")) for k in ("__typename", "t")]),
        ("name ...F code", "fragment F on SenseOrganization { id name }", [NAME, ID, CODE]),
        ("...F ...F", "fragment F on SenseOrganization { name }", [NAME]),
        (
            "...F",
            "fragment F on SenseOrganization { ...G code } fragment G on SenseOrganization { id ... { name } }",
            [ID, NAME, CODE],
        ),
        ("... on SenseOrganization { id } ... { name }", "", [ID, NAME]),
        ("... on Node { id } code", "", [ID, CODE]),
        ("...F", "fragment F on Node { id ... on SenseOrganization { name } }", [ID, NAME]),
        ("...F", "fragment F on Node { ... on SenseHold { message } id }", [ID]),
        ("name @include(if: $on) code @include(if: $off)", "", [NAME]),
        ("name @skip(if: $on) code @skip(if: $off)", "", [CODE]),
        ("name @include(if: true) @skip(if: true) code", "", [CODE]),
        ("id ... @include(if: $off) { name } ...F @skip(if: $on)", "fragment F on SenseOrganization { code }", [ID]),
        ("name @skip(if: $on) ...F", "fragment F on SenseOrganization { name }", [NAME]),
        ("...F @skip(if: $on) ...F", "fragment F on SenseOrganization { name }", [NAME]),
        ("holds { nodes { message } }", "", [_holds("holds", MESSAGE)]),
        (
            "a: holds(first: 1) { nodes { message } } b: holds(last: 2) { nodes { createdAt } }",
            "",
            [_holds("a", MESSAGE, page=Page(1)), _holds("b", CREATED, page=Page(2, backward=True))],
        ),
        (
            "...A ...B",
            "fragment A on SenseOrganization { holds(first: 3) { nodes { message } } }"
            "fragment B on SenseOrganization { name holds(first: 3) { nodes { createdAt message } } }",
            [_holds("holds", MESSAGE, CREATED, page=Page(3)), NAME],
        ),
    ],
)
def test_fields(selection: str, fragments: str, fields: list[Field]) -> None:
    read = read_of(_organizations(selection, fragments))
    assert read == Read(ORGANIZATION.table, connection=Connection((("nodes", Nodes(tuple(fields))),)), page=DEFAULT)


def test_parts_of_a_connection() -> None:
    read = read_of(
        """{ sense { organizations {
            __typename total: totalCount a: nodes { name } b: nodes { code }
            edges { __typename cursor at: cursor node { name } also: node { __typename } } edges { node { code } }
            pageInfo { __typename hasNextPage end: endCursor } pageInfo { startCursor hasPreviousPage }
        } } }"""
    )
    assert read.connection == Connection(
        (
            ("__typename", Literal("SenseOrganizationConnection")),
            ("total", TotalCount()),
            ("a", Nodes((NAME,))),
            ("b", Nodes((CODE,))),
            (
                "edges",
                Edges(
                    (
                        ("__typename", Literal("SenseOrganizationEdge")),
                        ("cursor", EdgePart.CURSOR),
                        ("at", EdgePart.CURSOR),
                        ("node", Nodes((NAME, CODE))),
                        ("also", Nodes((Field("__typename", Literal("SenseOrganization")),))),
                    )
                ),
            ),
            (
                "pageInfo",
                PageInfo(
                    (
                        ("__typename", Literal("PageInfo")),
                        ("hasNextPage", PageInfoPart.HAS_NEXT_PAGE),
                        ("end", PageInfoPart.END_CURSOR),
                        ("startCursor", PageInfoPart.START_CURSOR),
                        ("hasPreviousPage", PageInfoPart.HAS_PREVIOUS_PAGE),
                    )
                ),
            ),
        )
    )


def test_edges_to_one_row_and_into_another_store() -> None:
    read = read_of(
        "{ sense { trackLogs { nodes { organization { name } track { rowId } frames(first: 2) { totalCount } } } } }"
    )
    track, frames = OBJECTS["SenseTrack"], OBJECTS["SenseFrame"]
    total = Connection((("totalCount", TotalCount()),))
    fields = (
        Field("organization", Related(join(LOG.edge("organization")), Read(ORGANIZATION.table, (NAME,)))),
        Field("track", Related(join(LOG.edge("track")), Read(track.table, (Field("rowId", Computed(Col("id"))),)))),
        Field("frames", Related(join(LOG.edge("frames")), Read(frames.table, connection=total, page=Page(2)))),
    )
    assert read.connection == Connection((("nodes", Nodes(fields)),))
    assert join(LOG.edge("organization")).remote == ("id",)


@pytest.mark.parametrize(
    ("variables", "page"),
    [
        ({}, Page(7)),
        ({"n": 9}, Page(9)),
        ({"n": None}, DEFAULT),
        ({"n": 0}, Page(0)),
    ],
)
def test_variables_and_their_defaults(variables: dict[str, Any], page: Page) -> None:
    document = "query($n: Int = 7) { sense { organizations { nodes { holds(first: $n) { nodes { message } } } } } }"
    read = read_of(document, variables)
    assert read.connection == Connection((("nodes", Nodes((_holds("holds", MESSAGE, page=page),))),))


def test_a_variable_that_is_not_given_leaves_the_argument_out() -> None:
    document = """query($n: Int, $w: SenseOrganizationFilter, $o: [SenseOrganizationOrderBy!]) {
        sense { organizations(first: $n, where: $w, orderBy: $o) { totalCount } } }"""
    assert read_of(document) == read_of("{ sense { organizations { totalCount } } }")


def test_a_field_with_its_own_resolver_leaves_the_way_to_it_open() -> None:
    document = """{ gen { dataSources { nodes { name datasets { totalCount edges { node { name } other: node {
        t: table(name: "x") { __typename } name } } } } } } }"""
    found = built(document)
    edge = Open("GenDatasetEdge", {"other": Open("GenDataset")})
    datasets = Open("GenDatasetConnection", {"edges": edge})
    source = Open("GenDataSource", {"datasets": datasets})
    assert found.open == Open("GenDataSourceConnection", {"nodes": source})
    nodes = dict(found.read.connection.entries)["nodes"] if found.read.connection else None
    assert isinstance(nodes, Nodes)
    related = nodes.fields[1].output
    assert isinstance(related, Related)
    assert related.read.connection is not None
    edges = dict(related.read.connection.entries)["edges"]
    assert isinstance(edges, Edges)
    assert edges.entries[1] == ("other", Nodes((NAME, Field("$id", Computed(Col("id"))))))


def test_without_such_a_field_nothing_is_open() -> None:
    assert built("{ gen { dataSources { nodes { datasets { nodes { name } } } } } }").open is None
