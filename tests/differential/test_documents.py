"""Random documents are answered as the naive interpreter answers them, whoever asks and whichever way they take."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from graphql import GraphQLSchema
from hypothesis import HealthCheck, Phase, given, note, seed
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from tests.differential.anew import Anew
from tests.differential.answers import compare_answers, is_refused
from tests.differential.arbitrary import arbitrary
from tests.differential.conftest import DOCUMENTS
from tests.differential.declared import Api
from tests.differential.documents import CursorUse, Drawn, documents
from tests.differential.guards import granted
from tests.differential.oracle.execute import Asking, answer, oracle_schema
from tests.differential.oracle.shown import Cursor
from tests.differential.rows import Data, random_rows
from tests.differential.ways import Allowed, Ways

PER_LOAD = 50
"""Documents over the same rows."""
PHASES = (Phase.generate, Phase.shrink)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(-(-metafunc.config.getoption("documents", DOCUMENTS) // PER_LOAD)))


@pytest.fixture(scope="module")
def judge(api: Api) -> GraphQLSchema:
    return oracle_schema(api.sdl)


def test_documents(api: Api, ways: Ways, judge: GraphQLSchema, runner: asyncio.Runner, number: int) -> None:
    data = random_rows(number)
    runner.run(ways.load(data))

    @seed(number)
    @example_settings(
        max_examples=PER_LOAD,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=PHASES,
        report_multiple_bugs=False,
    )
    @given(
        drawn=documents(api.schema, api.mappings, data),
        allowed=st.one_of(granted(), arbitrary(api.schema, judge, api.mappings, data)),
    )
    def agree(drawn: Drawn, allowed: Allowed) -> None:
        note(f"rows of seed {number}, {allowed}\n{drawn.text}\n{drawn.variables!r}")
        runner.run(_agree(drawn, allowed, data, ways, judge))

    agree()


async def _agree(drawn: Drawn, allowed: Allowed, data: Data, ways: Ways, judge: GraphQLSchema) -> None:
    world = allowed.world(ways.api.mappings, data)
    cursors: dict[str, Cursor] = {}
    variables = dict(drawn.variables)
    for _ in range(2 if drawn.cursors else 1):
        asking = Asking(world, dict(cursors))
        expected = answer(judge, drawn.text, variables, asking, faulty=drawn.faults > 0)
        found = await ways.executed(drawn.text, variables, allowed)
        compare_answers(found, expected, cursors, faults=drawn.faults)
        if "data" not in found:
            return
        for _ in range(2):  # the plan as it is made, and as it is kept
            planned = await ways.planned(drawn.text, variables, allowed)
            assert (planned is None) == is_refused(found), "operations of reads have plans, unless they are wrong"
            if planned is not None:
                compare_answers(planned, expected, cursors, faults=drawn.faults)
        note(f"the cursors of its answer: {cursors}")
        variables |= {use.variable: _taken(use, found["data"]) for use in drawn.cursors}
    if drawn.variables:
        await _agree_anew(drawn, variables, allowed, Asking(world, dict(cursors)), data, ways, judge)


async def _agree_anew(
    drawn: Drawn,
    variables: Mapping[str, Any],
    allowed: Allowed,
    asking: Asking,
    data: Data,
    ways: Ways,
    judge: GraphQLSchema,
) -> None:
    """What is kept for some values of the variables is right for others."""
    kept = {use.variable for use in drawn.cursors}
    others = Anew(drawn.seed, ways.api.schema, ways.api.mappings, data).variables(drawn.text, variables, kept)
    note(f"anew: {others!r}")
    expected = answer(judge, drawn.text, others, asking, faulty=drawn.faults > 0)
    planned = await ways.planned(drawn.text, others, allowed)
    found = await ways.executed(drawn.text, others, allowed) if planned is None else planned
    assert (planned is None) == is_refused(found), "operations of reads have plans, unless they are wrong"
    faults = drawn.faults + len(kept)  # an order that is another is not the cursor's any more
    compare_answers(found, expected, dict(asking.cursors), faults=faults)


def _taken(use: CursorUse, data: Any) -> str | None:
    found = list(dict.fromkeys(_cursors(data, use.path)))
    return found[use.place % len(found)] if found else None


def _cursors(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    """All that the connections at a path have answered; lists on the way are walked."""
    if isinstance(value, list):
        for each in value:
            yield from _cursors(each, path)
    elif value is not None and path:
        yield from _cursors(value.get(path[0]), path[1:])
    elif value is not None:
        yield from (edge["cursor"] for edge in value.get("cursors", ()))
