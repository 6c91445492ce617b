import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.encode.node_id import decode_node_id, encode_node_id, split_key
from loaders.errors import InvalidId


def test_the_format() -> None:
    assert encode_node_id("SenseTrack", ["1", "a?>"]) == "U2Vuc2VUcmFjazoxfGE_Pg"


@given(key=st.lists(st.text(st.characters(exclude_characters="|", exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_what_is_encoded_is_decoded(key: list[str]) -> None:
    if not any(key) and len(key) == 1:
        return
    type_name, text = decode_node_id(encode_node_id("SenseTrack", key))
    assert (type_name, split_key(text, len(key))) == ("SenseTrack", tuple(key))


def test_the_last_part_may_hold_a_bar() -> None:
    assert split_key("1|a|b", 2) == ("1", "a|b")


@pytest.mark.parametrize(
    "node_id",
    [
        "",
        "?",
        "=",
        "U2Vuc2VUcmFjazox=",
        "U2Vuc2VUcmFjazoy\n",
        "é",
        "U2Vuc2U",
        "Og",
        "OjE",
        "VDo",
        "4pyTOjE",
        "_zox",
        "A" * 5000,
    ],
)
def test_anything_else_is_refused(node_id: str) -> None:
    with pytest.raises(InvalidId):
        decode_node_id(node_id)


def test_too_few_parts() -> None:
    with pytest.raises(InvalidId):
        split_key("1", 2)
