from collections.abc import AsyncIterator

import pytest

from loaders.ledger import Ledger
from loaders.warehouses.base import Warehouse
from tests.conformance.engines import ENGINES, subject_of
from tests.conformance.rows import EVERY_TYPE, LARGE, MIXED, MOMENTS, NO_ROWS, ODD_NAMES
from tests.conformance.subject import Subject
from tests.every_engine import leave_out

_SHORT = {
    "impala": (
        "test_ping",
        "test_tables_are_listed_by_name",
        "test_columns_are_described_in_their_order",
        "test_values_are_the_same_from_every_store",
        "test_a_value_is_never_sql",
        "test_a_page_is_what_was_asked_for",
        "test_wrong_credentials",
        "test_joined_columns",
        "test_raw_sql_is_answered",
        "test_raw_sql_without_rows_has_columns",
        "test_a_raw_literal_is_what_was_written",
        "test_a_profile_is_what_the_rows_say",
        "test_excluded_columns_are_in_no_statement",
    )
}
"""Of an engine that takes minutes for all questions, the ones that every run asks. `--every-engine` asks all of all."""
_LONG = {"bigquery": ("test_every_filter",)}
"""And of one that is quick but for some, those that every run leaves out."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    leave_out(config, items, _is_left_out)


def _is_left_out(item: pytest.Function) -> bool:
    engine = item.callspec.params.get("subject") if hasattr(item, "callspec") else None
    name = item.originalname
    if engine in _SHORT:
        return name not in _SHORT[engine]
    return engine in _LONG and name in _LONG[engine]


@pytest.fixture(scope="session", params=ENGINES)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    """Loaded with the same tables whatever the connector. Fixtures `clickhouse_url`, `clickhouse_password` and `s3`."""
    made = subject_of(request.param, request.getfixturevalue)
    await made.prepare()
    await made.load("every_type", EVERY_TYPE)
    await made.load("no_rows", NO_ROWS)
    await made.load("large", LARGE)
    await made.load("mixed", MIXED)
    await made.load("moments", MOMENTS)
    await made.load(made.odd_name, ODD_NAMES.rename_columns(list(made.odd_columns)))
    await made.load("elsewhere", NO_ROWS, space=made.other_space)
    yield made
    await made.close()


@pytest.fixture
async def warehouse(subject: Subject) -> AsyncIterator[Warehouse]:
    opened = subject.open()
    yield opened
    await opened.close()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()
