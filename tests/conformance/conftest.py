from collections.abc import AsyncIterator

import pytest

from loaders.ledger import Ledger
from loaders.warehouses.base import Warehouse
from tests.conformance.rows import EVERY_TYPE, LARGE, MIXED, MOMENTS, NO_ROWS, ODD_NAMES
from tests.conformance.subject import (
    BigQuerySubject,
    ClickHouseSubject,
    FlightSqlSubject,
    ImpalaSubject,
    S3ParquetSubject,
    Subject,
)


@pytest.fixture(scope="session", params=["bigquery", "clickhouse", "flight_sql", "impala", "s3_parquet"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    """Loaded with the same tables whatever the connector. Fixtures `clickhouse_url`, `clickhouse_password` and `s3`."""
    made: Subject
    if request.param == "bigquery":
        made = BigQuerySubject(request.getfixturevalue("bigquery"))
    elif request.param == "clickhouse":
        url = request.getfixturevalue("clickhouse_url")
        made = ClickHouseSubject(url, request.getfixturevalue("clickhouse_password"))
    elif request.param == "flight_sql":
        made = FlightSqlSubject(request.getfixturevalue("flight_sql"))
    elif request.param == "impala":
        made = ImpalaSubject(request.getfixturevalue("impala"))
    else:
        made = S3ParquetSubject(request.getfixturevalue("s3"))
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
