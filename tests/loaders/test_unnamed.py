"""Words that are no member of their enum: found in an answer, made null, and told of once for each field."""

from typing import Any

import orjson
import pytest

from loaders.description import Column, ColumnType, Enumeration, Kind, Table
from loaders.errors import Code
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Col,
    Computed,
    Connection,
    Edges,
    Field,
    Figures,
    Join,
    Masked,
    Measure,
    Nodes,
    Read,
    Related,
)
from loaders.unnamed import UNNAMED, enums_of, has_unnamed, readable, take_unnamed

TONE = ColumnType(Kind.TEXT, enumeration=Enumeration("Tone", (("calm", "CALM"),)))
TABLE = Table("axion_gen", None, "items", (Column("id", ColumnType(Kind.INTEGER)), Column("tone", TONE)), key=("id",))
SHOWN = Field("tone", Computed(Col("tone")))
BELOW = Field("parent", Related(Join(TABLE, ("id",), ("id",)), Read(TABLE, fields=(SHOWN,))))
KEY = Figures((("tone", Col("tone")), ("n", Measure(AggregateFunction.COUNT))))
LIST = Connection(
    (
        ("nodes", Nodes((Field("id", Computed(Col("id"))), SHOWN, BELOW))),
        ("edges", Edges((("node", Nodes((Field("masked", Computed(Masked(Col("tone"), "id", (1,)))),))),))),
        ("groups", Aggregate((Col("tone"),), (("key", KEY),))),
    )
)


def test_every_place_of_an_enum_is_known() -> None:
    paths = [path for path, _ in enums_of(Read(TABLE, connection=LIST))]
    assert paths == [
        ("nodes", "tone"),
        ("nodes", "parent", "tone"),
        ("edges", "node", "masked"),
        ("groups", "key", "tone"),
    ]


@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_word_without_a_name_is_null(as_bytes: bool) -> None:
    text: Any = f'{{"nodes":[{{"tone":"CALM"}},{{"tone":{UNNAMED}}},{{"tone":null}},{{"tone":{UNNAMED}}}]}}'
    text = text.encode() if as_bytes else text
    assert has_unnamed(text)
    tree = orjson.loads(readable(text))
    (failure,) = take_unnamed([(tree, ("it",))], ((("nodes", "tone"), "Tone"),), "axion_gen")
    assert [node["tone"] for node in tree["nodes"]] == ["CALM", None, None, None]
    assert (failure.path, failure.nulls) == (("it", "nodes", 1, "tone"), 2)
    assert (failure.error.code, failure.error.extensions["store"]) == (Code.ENUM_VALUE_UNKNOWN, "axion_gen")


def test_a_text_that_holds_the_mark_is_itself() -> None:
    """JSON escapes it, so that it is no mark; beside one, it is not taken for one either."""
    text = orjson.dumps({"name": UNNAMED}).decode()
    assert not has_unnamed(text)
    tree = orjson.loads(readable(f'[{{"tone":{UNNAMED},"name":"\\u001a"}}]'))
    take_unnamed([(tree, ())], ((("tone",), "Tone"),), "axion_gen")
    assert tree == [{"tone": None, "name": UNNAMED}]
