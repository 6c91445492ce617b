"""`nearest` as a part of a `Read`, and what is refused."""

import math
from typing import Any

import pytest

from loaders.errors import AxionError, Code
from loaders.read import (
    Col,
    Compare,
    Computed,
    Connection,
    CosineSimilarity,
    Exists,
    Field,
    Literal,
    Nodes,
    Op,
    OrderBy,
    Page,
    Read,
    Related,
    Words,
)
from schema.build import build
from schema.mapping.object import OBJECTS, join
from tests.schema.mapping.building import read_of

build()
CHUNK, WORKSPACE = OBJECTS["AuraRagChunk"], OBJECTS["AuraWorkspace"]
NEAR = CosineSimilarity("embedding", Words("sockets"))
MOST_SIMILAR = OrderBy(NEAR, descending=True, nulls_first=False)
NEAREST = 'nearest: {embedding: {text: "sockets"}}'
KEY = Field("rowId", Computed(Col("id")))


def _chunks(*fields: Field, order: tuple[OrderBy, ...] = (), where: Any = None) -> Read:
    nodes = Connection((("nodes", Nodes(fields)),))
    return Read(CHUNK.table, connection=nodes, where=where, order=order, page=Page(50))


def test_the_nearest_come_first_and_score_is_their_similarity() -> None:
    read = read_of(f"{{ aura {{ ragChunks({NEAREST}) {{ nodes {{ rowId score near: score }} }} }} }}")
    shown = (KEY, Field("score", Computed(NEAR)), Field("near", Computed(NEAR)))
    assert read == _chunks(*shown, order=(MOST_SIMILAR,))


def test_an_order_breaks_ties_and_a_filter_filters() -> None:
    arguments = f"{NEAREST}, orderBy: [{{title: ASC}}], where: {{chunkIndex: {{eq: 0}}}}"
    read = read_of(f"{{ aura {{ ragChunks({arguments}) {{ nodes {{ rowId }} }} }} }}")
    where = Compare(Col("chunk_index"), Op.EQ, 0)
    assert read == _chunks(KEY, order=(MOST_SIMILAR, OrderBy(Col("title"))), where=where)


def test_each_list_is_searched_by_itself() -> None:
    below = "workspace { chunks { nodes { score } } }"
    read = read_of(f"{{ aura {{ ragChunks({NEAREST}) {{ nodes {{ {below} }} }} }} }}")
    inner = Field("chunks", Related(join(WORKSPACE.edge("chunks")), _chunks(Field("score", Literal(None)))))
    workspace = Field("workspace", Related(join(CHUNK.edge("workspace")), Read(WORKSPACE.table, (inner,))))
    assert read == _chunks(workspace, order=(MOST_SIMILAR,))

    nested = read_of(f"{{ aura {{ workspaces {{ nodes {{ chunks({NEAREST}) {{ nodes {{ score }} }} }} }} }} }}")
    chunks = _chunks(Field("score", Computed(NEAR)), order=(MOST_SIMILAR,))
    nodes = Nodes((Field("chunks", Related(join(WORKSPACE.edge("chunks")), chunks)),))
    assert nested.connection == Connection((("nodes", nodes),))


def test_without_it_there_is_no_score() -> None:
    for arguments in ("", "(nearest: null)"):
        read = read_of(f"{{ aura {{ ragChunks{arguments} {{ nodes {{ score }} }} }} }}")
        assert read == _chunks(Field("score", Literal(None)))


BY_VECTOR = "query V($v: VectorInput!) { aura { ragChunks(nearest: {embedding: $v}) { nodes { rowId } } } }"


@pytest.mark.parametrize("scale", [1, 1e300, 1e-300])
def test_only_the_direction_of_a_vector_counts(scale: float) -> None:
    read = read_of(BY_VECTOR, {"v": {"vector": [3 * scale, -4 * scale, *[0] * 1534]}})
    expression = read.order[0].expression
    assert isinstance(expression, CosineSimilarity)
    assert isinstance(expression.vector, tuple)
    assert expression.vector[:3] == pytest.approx((0.6, -0.8, 0))
    assert math.hypot(*expression.vector) == pytest.approx(1)


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ({"vector": [1.0]}, "1 numbers, and the column's vectors have 1536"),
        ({"vector": []}, "0 numbers"),
        ({"vector": [1.0] * 1537}, "1537 numbers"),
        ({"vector": [0.0] * 1536}, "zeros"),
        ({"text": ""}, "`text` must hold"),
        ({"text": " \n"}, "`text` must hold"),
        ({"text": "a" * 8001}, "`text` must hold"),
    ],
)
def test_what_nothing_can_be_near_to(by: dict[str, Any], message: str) -> None:
    with pytest.raises(AxionError, match=message) as raised:
        read_of(BY_VECTOR, {"v": by})
    assert raised.value.code is Code.BAD_USER_INPUT


def test_a_search_of_a_workspace_is_such_a_list() -> None:
    id_ = "QXVyYVdvcmtzcGFjZTp3MQ"  # AuraWorkspace:w1
    document = f'{{ aura {{ search(workspaceId: "{id_}", text: "sockets", first: 50) {{ nodes {{ rowId }} }} }} }}'
    in_workspace = Exists(join(CHUNK.edge("workspace")), Compare(Col("id"), Op.EQ, "w1"))
    assert read_of(document) == _chunks(KEY, order=(MOST_SIMILAR,), where=in_workspace)
