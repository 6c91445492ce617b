"""Forty questions about the same flights: every engine, asked by GraphQL, answers as the same SQL by hand."""

from decimal import Decimal
from typing import Any

import pytest

from tests.system.client import Client
from tests.system.flights.by_hand import ByHand
from tests.system.flights.conftest import Engine
from tests.system.flights.questions import QUESTIONS, Question

DOCUMENT = """query Question($dataset: ID!) {{
  gen {{ dataset(id: $dataset) {{ table(name: "{0.table}") {{ answer: {0.field} }} }} }}
}}"""


@pytest.mark.parametrize("question", QUESTIONS, ids=[question.name for question in QUESTIONS])
async def test_answers_are_those_by_hand(engine: Engine, client: Client, hand: ByHand, question: Question) -> None:
    answer = await client.ask(DOCUMENT.format(question), {"dataset": engine.dataset})
    if question.percentile and engine.subject.without:
        (error,) = answer.errors
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "percentile" in error["message"]
        return
    found = answer.data["gen"]["dataset"]["table"]["answer"]
    expected = hand.rows(question.sql)
    assert expected, "a question without an answer shows nothing"
    if "nodes" in question.field:
        same(found, {"nodes": expected})
    else:
        same(found, expected[0] if "totalCount" in question.field else expected)
    assert answer.statements[engine.store] <= 8


def same(found: Any, expected: Any) -> None:
    """Equal; of numbers it does not matter whether they are text, nor how many zeros follow the point."""
    match expected:
        case dict():
            assert list(found) == list(expected)
            for name, value in expected.items():
                same(found[name], value)
        case list():
            assert len(found) == len(expected)
            for each, other in zip(found, expected, strict=True):
                same(each, other)
        case float():
            assert float(found) == pytest.approx(expected, rel=1e-9)
        case int():
            assert not isinstance(found, bool)
            assert Decimal(found) == expected
        case _:
            assert found == expected
