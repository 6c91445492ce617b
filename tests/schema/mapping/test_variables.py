"""Variables while an operation is built: handed on or decided by, never looked at."""

from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLInputType, parse_type, type_from_ast

from loaders.read import Slot
from schema.build import build, graphql_schema
from schema.mapping.variables import Opaque, Recorder, Variable, decide, skeleton, take, wrapped


def _types(**types: str) -> dict[str, GraphQLInputType]:
    schema = graphql_schema(build())
    found: dict[str, Any] = {name: type_from_ast(schema, parse_type(text)) for name, text in types.items()}
    return found


def _wrapped(values: dict[str, Any], **types: str) -> tuple[dict[str, Any], Recorder]:
    recorder = Recorder(values)
    return wrapped(values, _types(**types), recorder), recorder


@pytest.mark.parametrize(
    "look",
    [bool, str, repr, len, iter, hash, int, float, list, lambda v: v == 1, lambda v: v < 1, lambda v: f"{v}"],
)
def test_looking_at_a_variable_fails(look: Callable[[Any], Any]) -> None:
    (variable,) = _wrapped({"a": 1}, a="Int")[0].values()
    assert isinstance(variable, Variable)
    with pytest.raises(Opaque):
        look(variable)


def test_dicts_lists_and_nulls_are_themselves_and_leaves_are_not() -> None:
    where = {"and": [{"name": {"in": ["a"]}}, {"code": None}], "id": {"eq": "x"}}
    values, _ = _wrapped({"w": where, "ids": ["a", "b"], "n": None}, w="SenseOrganizationFilter", ids="[ID!]", n="Int")
    assert values["n"] is None
    assert values["w"]["and"][1] == {"code": None}
    assert isinstance(values["w"]["and"][0]["name"]["in"], Variable)
    assert isinstance(values["w"]["id"]["eq"], Variable)
    assert isinstance(values["ids"], Variable)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ({"n": 1}, {"n": 2}, True),
        ({"n": 1}, {"n": None}, False),
        ({"n": 1}, {}, False),
        ({"w": {"code": {"in": ["a"]}}}, {"w": {"code": {"in": []}}}, True),
        ({"w": {"code": {"in": ["a"]}}}, {"w": {"code": {"notIn": ["a"]}}}, False),
        ({"w": {"and": [{}]}}, {"w": {"and": [{}, {}]}}, False),
        ({"o": [{"name": "ASC"}]}, {"o": [{"name": "DESC"}]}, True),
        ({"o": [{"name": "ASC"}]}, {"o": [{"code": "ASC"}]}, False),
    ],
)
def test_skeletons(left: dict[str, Any], right: dict[str, Any], same: bool) -> None:
    types = _types(n="Int", w="SenseOrganizationFilter", o="[SenseOrganizationOrderBy!]")
    assert (skeleton(left, types) == skeleton(right, types)) is same


def test_taken_values_become_slots_and_constants_do_not() -> None:
    values, recorder = _wrapped({"a": "x", "b": "y"}, a="String", b="String")
    assert take("constant", str.upper) == "CONSTANT"
    assert take(values["a"], str.upper) == Slot(0)
    assert take([values["b"], "c", {"d": values["a"]}]) == Slot(1)
    other = {"a": "1", "b": "2"}
    assert [taken.of(other) for taken in recorder.taken] == ["1", ["2", "c", {"d": "1"}]]


def test_decisions_are_kept_with_their_answers() -> None:
    values, recorder = _wrapped({"a": True}, a="Boolean")
    assert decide(values["a"], bool) is True
    assert decide(False, bool) is False
    ((question, answer),) = recorder.decided
    assert answer is True
    assert question.of({"a": False}) is False
