"""Metrics with joins, asked by GraphQL on every engine: the figures are those of the same SQL by hand."""

import pytest

from tests.system.client import Client
from tests.system.flights.by_hand import ByHand
from tests.system.flights.conftest import Engine
from tests.system.flights.figures import FIGURES, METRICS, Figure
from tests.system.flights.test_questions import same
from tests.system.mutations import created

DOCUMENT = """query Figure($dataset: ID!) {{
  gen {{ dataset(id: $dataset) {{ metric(name: "{0.metric}") {{ answer: {0.field} }} }} }}
}}"""


@pytest.fixture(scope="module")
async def metrics(engine: Engine, client: Client) -> Engine:
    for name, given in METRICS.items():
        await created(client, "GenSemanticMetric", datasetId=engine.dataset, name=name, title=name, **given)
    return engine


@pytest.mark.parametrize("figure", FIGURES, ids=[figure.name for figure in FIGURES])
async def test_figures_are_those_by_hand(metrics: Engine, client: Client, hand: ByHand, figure: Figure) -> None:
    answer = await client.ask(DOCUMENT.format(figure), {"dataset": metrics.dataset})
    expected = hand.rows(figure.sql)
    assert expected, "a figure without groups shows nothing"
    if figure.refused is not None:
        (error,) = answer.errors
        assert (error["extensions"]["code"], error["extensions"]["join"]) == ("METRIC_FANOUT", figure.refused)
        assert int(expected[0]["n"]) > 3_322, "the join multiplies"
        return
    same(answer.data["gen"]["dataset"]["metric"]["answer"], expected)
    assert answer.statements[metrics.store] <= 24
