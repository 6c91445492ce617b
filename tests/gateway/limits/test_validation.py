"""Validation in two steps, and what large documents do not get: checks of variables, and suggestions."""

import pytest

from gateway.http.documents import Documents
from gateway.http.refusal import Refusal
from gateway.settings import Limits
from tests.gateway.http.toy import SCHEMA

WRONG_VARIABLES = [
    ("{hello(name: $a)}", "Variable '$a' is not defined"),
    ("query q {...f} fragment f on Query {hello(name: $a)}", "Variable '$a' is not defined by operation 'q'"),
    ("query ($a: String) {hello}", "Variable '$a' is never used"),
    ("query ($a: Int) {hello(name: $a)}", "Variable '$a' of type 'Int' used in position expecting type 'String"),
]


def refused(text: str) -> list[str]:
    with pytest.raises(Refusal) as caught:
        Documents(SCHEMA._schema, Limits()).prepare(text, None)
    return [error.message for error, _ in caught.value.errors]


@pytest.mark.parametrize(("text", "message"), WRONG_VARIABLES)
def test_variables_are_validated(text: str, message: str) -> None:
    (found,) = refused(text)
    assert message in found


def test_variables_wait_for_the_rest() -> None:
    assert refused("query ($a: String) {helo}") == ["Cannot query field 'helo' on type 'Query'. Did you mean 'hello'?"]


def test_a_large_document_gets_no_suggestions() -> None:
    assert refused("{helo item {" + " name" * 40 + "}" * 2)[0].endswith("Did you mean 'hello'?")
    assert refused("{helo(a: [" + "1 " * 500 + "])}") == ["Cannot query field 'helo' on type 'Query'."]
