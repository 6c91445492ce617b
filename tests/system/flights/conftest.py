"""The flights of New York on every engine, each as a dataset of a data source that a proxy stands before."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields

import pyarrow as pa
import pytest

from deploy.local.samples.flights import NewYorkFlights, new_york_flights
from tests.conformance.engines import ENGINES, subject_of
from tests.conformance.subject import Subject
from tests.every_engine import leave_out
from tests.system.client import Client
from tests.system.flights.by_hand import ByHand
from tests.system.flights.figures import Figure
from tests.system.flights.questions import Question
from tests.system.flights.series import Series
from tests.system.frail import add_source, remove_sources
from tests.system.proxy import Proxy
from tests.system.stores import Direct

_SLOW = ("bigquery", "impala")
_SOURCE_OF = "query Source($dataset: ID!) { gen { dataset(id: $dataset) { dataSource { id rowId } } } }"
_US = pa.timestamp("us", "UTC")


@dataclass(frozen=True, slots=True)
class Engine:
    """`source` is the name of the data source, `source_id` its global id, `dataset` that of its one dataset.

    `store` is its public name.
    """

    name: str
    subject: Subject
    proxy: Proxy
    source: str
    source_id: str
    dataset: str
    store: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Engines that take a second for a question are asked a third in every run, no figures and no drift."""
    leave_out(config, items, _is_left_out)


def _is_left_out(item: pytest.Function) -> bool:
    asked = item.callspec.params if hasattr(item, "callspec") else {}
    if asked.get("engine") not in _SLOW:
        return False
    if item.originalname == "test_columns_that_come_go_and_change":
        return True
    question = asked.get("question", asked.get("series"))
    return isinstance(asked.get("figure"), Figure) or (isinstance(question, Question | Series) and not question.quick)


@pytest.fixture(scope="session")
async def flights() -> NewYorkFlights:
    return await asyncio.to_thread(new_york_flights)


@pytest.fixture(scope="session")
async def hand(flights: NewYorkFlights) -> AsyncIterator[ByHand]:
    made = await asyncio.to_thread(ByHand, flights)  # takes seconds, in which connections must be heard to close
    yield made
    made.close()


@pytest.fixture(scope="package", params=ENGINES)
async def engine(
    request: pytest.FixtureRequest, flights: NewYorkFlights, client: Client, direct: Direct
) -> AsyncIterator[Engine]:
    subject = subject_of(request.param, request.getfixturevalue)
    subject.space, subject.other_space = "axion_flights", "axion_flights_other"
    await subject.prepare()
    for field in fields(flights):
        await subject.load(field.name, _in_microseconds(getattr(flights, field.name)))
    source = f"system-{request.param}"
    await remove_sources(direct, [source])
    async with Proxy.before(*subject.address) as proxy:
        settings = subject.settings(url=f"http://127.0.0.1:{proxy.port}")
        dataset = await add_source(client, source, subject.connector, settings)
        found = await client.ask(_SOURCE_OF, {"dataset": dataset})
        row = found.data["gen"]["dataset"]["dataSource"]
        yield Engine(request.param, subject, proxy, source, row["id"], dataset, f"datasource:{row['rowId']}")
    await remove_sources(direct, [source])
    await subject.prepare()
    await subject.close()


def _in_microseconds(table: pa.Table) -> pa.Table:
    """As every engine has instants."""
    types = [_US if pa.types.is_timestamp(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema([(name, type_) for name, type_ in zip(table.column_names, types, strict=True)]))
