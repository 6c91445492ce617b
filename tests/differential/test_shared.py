"""A list is answered by the statement of an equal list, whatever document it is in and whoever asked before.

Each random document is asked with its values written into it, and again with other values, by two callers: all by the
statements that the first left behind. The answers are those of statements that nobody shares.
"""

import asyncio
from typing import Any

import pytest
from graphql import GraphQLSchema
from hypothesis import HealthCheck, Phase, given, note, seed
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from gateway.http.refusal import Refusal
from loaders import prepared
from loaders.bounded_cache import BoundedCache
from loaders.prepared import Prepared
from loaders.read import Read
from tests.differential.anew import Anew
from tests.differential.arbitrary import arbitrary
from tests.differential.conftest import DOCUMENTS
from tests.differential.declared import Api
from tests.differential.documents import Drawn, documents
from tests.differential.guards import granted
from tests.differential.oracle.execute import oracle_schema
from tests.differential.rows import random_rows
from tests.differential.ways import Allowed, Ways
from tests.differential.written_out import written_out

PER_LOAD = 50
"""Documents over the same rows."""
_FEWER = 5
"""Than the documents that the oracle judges, which share statements too, are these: each is asked eight times."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        metafunc.parametrize(
            "number", range(-(-metafunc.config.getoption("documents", DOCUMENTS) // PER_LOAD // _FEWER))
        )


@pytest.fixture(scope="module")
def judge(api: Api) -> GraphQLSchema:
    return oracle_schema(api.sdl)


class Counted(BoundedCache[Read, Prepared]):
    """How often what was there was used again."""

    again = 0

    def get(self, key: Read) -> Prepared | None:
        found = super().get(key)
        self.again += found is not None
        return found


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Counted:
    kept = Counted(20_000)
    monkeypatch.setattr(prepared, "_prepared", kept)
    return kept


def test_whose_statement_it_is_makes_no_difference(
    api: Api, ways: Ways, judge: GraphQLSchema, runner: asyncio.Runner, kept: Counted, number: int
) -> None:
    data = random_rows(number)
    runner.run(ways.load(data))
    anyone = st.one_of(granted(), arbitrary(api.schema, judge, api.mappings, data))

    @seed(number)
    @example_settings(
        max_examples=PER_LOAD,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
    )
    @given(drawn=documents(api.schema, api.mappings, data), callers=st.tuples(anyone, anyone))
    def agree(drawn: Drawn, callers: tuple[Allowed, Allowed]) -> None:
        others = Anew(drawn.seed, api.schema, api.mappings, data).variables(drawn.text, drawn.variables, set())
        texts = [written_out(api.schema, drawn.text, values) for values in (drawn.variables, others)]
        note(f"rows of seed {number}, {callers}\n" + "\n".join(map(str, texts)))
        for text in filter(None, texts):
            for allowed in callers:
                runner.run(_agree(text, allowed, ways))

    agree()
    assert kept.again > 0


async def _agree(text: str, allowed: Allowed, ways: Ways) -> None:
    try:
        planned = await ways.planned(text, {}, allowed)
    except Refusal:  # one of the mistakes in random documents, which is one of the document now
        return
    if planned is not None:
        assert _unordered(planned) == _unordered(await ways.executed(text, {}, allowed))


def _unordered(answer: Any) -> Any:
    """The errors of an answer come in no particular order."""
    return {**answer, "errors": sorted(answer.get("errors", ()), key=repr)}
