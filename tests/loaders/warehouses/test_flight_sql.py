"""What only a Flight SQL data source has: three ways in, TLS, and values as Arrow parameters."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pytest

from deploy.local.flight_sql_server.authentication import Credentials
from deploy.local.flight_sql_server.engine import Engine
from deploy.local.flight_sql_server.server import FlightSqlServer
from deploy.local.servers.certificate import keep_certificate
from deploy.local.servers.flight_sql import Address
from loaders.columnar.statement import Parameter, Statement
from loaders.description import ColumnType, Kind
from loaders.errors import BadInput, StoreCredentialsRejected, StoreQueryFailed, StoreTimeout, StoreUnavailable
from loaders.ledger import Ledger
from loaders.warehouses.base import Query, Warehouse
from loaders.warehouses.connectors import connector
from loaders.warehouses.flight_sql_parameters import parameter_row
from tests.ports import free_port

LIST = ColumnType(Kind.ARRAY, element=ColumnType(Kind.BIGINT))


def opened(
    at: Address, credentials: Mapping[str, str], *, trust: Path | None = None, url: str | None = None
) -> Warehouse:
    settings = {"url": url or at.url, "dialect": "duckdb", "root_certificates": (trust or at.certificate).read_text()}
    options, sealed = connector("flight_sql").split(settings | dict(credentials))
    return connector("flight_sql").warehouse("datasource:flight", options.model_dump(), sealed.to_bytes())


async def ping(warehouse: Warehouse) -> None:
    try:
        await warehouse.ping(ledger=Ledger())
    finally:
        await warehouse.close()


async def test_a_user_or_a_token_comes_in(flight_sql: Address) -> None:
    await ping(opened(flight_sql, {"username": flight_sql.user, "password": flight_sql.password}))
    await ping(opened(flight_sql, {"token": flight_sql.token}))


async def test_a_server_is_named_and_its_certificate_is_for_the_name(flight_sql: Address) -> None:
    by_name = flight_sql.url.replace("127.0.0.1", "localhost")
    await ping(opened(flight_sql, {"token": flight_sql.token}, url=by_name))


async def test_nobody_else_does(flight_sql: Address) -> None:
    wrong: list[dict[str, str]] = [
        {},
        {"token": "wrong-Secret-7f3a"},
        {"username": flight_sql.user, "password": "wrong"},
    ]
    for credentials in wrong:
        with pytest.raises(StoreCredentialsRejected, match="rejected the user, the password or the token"):
            await ping(opened(flight_sql, credentials))


async def test_a_certificate_nobody_vouches_for_is_told(flight_sql: Address, tmp_path: Path) -> None:
    other, _ = keep_certificate(tmp_path)
    with pytest.raises(StoreUnavailable, match="its certificate is not trusted"):
        await ping(opened(flight_sql, {"token": flight_sql.token}, trust=other))


async def test_certificates_that_cannot_be_read_are_told(flight_sql: Address, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    credentials = [{"token": flight_sql.token}, {"username": flight_sql.user, "password": flight_sql.password}]
    for each in credentials:
        with pytest.raises(StoreUnavailable, match="Check `root_certificates`"):
            await ping(opened(flight_sql, each, trust=broken))


async def test_a_server_that_wants_tls_is_not_spoken_to_without(flight_sql: Address) -> None:
    plain = flight_sql.url.replace("grpc+tls://", "grpc://")
    with pytest.raises(StoreUnavailable):
        await ping(opened(flight_sql, {"token": flight_sql.token}, url=plain))


async def test_a_session_that_the_server_has_ended_is_begun_again() -> None:
    """With what the password was answered with before, nobody comes in any more."""
    location = f"grpc://127.0.0.1:{free_port()}"
    settings = {"url": location, "dialect": "duckdb", "username": "ann", "password": "p"}
    options, sealed = connector("flight_sql").split(settings)
    warehouse = connector("flight_sql").warehouse("datasource:flight", options.model_dump(), sealed.to_bytes())

    async def answer() -> list[dict[str, object]]:
        batches = warehouse.query(Query("SELECT 1 AS n", ()), ledger=Ledger())
        return [row async for batch in batches for row in batch.to_pylist()]

    with closing(Engine(None)) as engine:
        for token in ("first", "second"):
            with FlightSqlServer(location, engine, Credentials("ann", "p", token)):
                assert await answer() == [{"n": 1}]
        with FlightSqlServer(location, engine, Credentials("ann", "p", "third")):
            await warehouse.ping(ledger=Ledger())
        with FlightSqlServer(location, engine, Credentials("ann", "another", "fourth")):
            with pytest.raises(StoreCredentialsRejected):
                await answer()
            await warehouse.close()


@pytest.mark.parametrize("rows", [1, 200_000])
async def test_a_batch_that_is_too_large_for_a_message_is_told(flight_sql: Address, rows: int) -> None:
    """The first one, or one in the midst of the rows."""
    warehouse = opened(flight_sql, {"token": flight_sql.token})
    sql = f"SELECT repeat('x', CASE WHEN i = {rows - 1} THEN 20000000 ELSE 1 END) AS t FROM range({rows}) t(i)"
    with pytest.raises(StoreQueryFailed, match=r"in one message of more than 16 MiB.*Select fewer columns"):
        async for _ in warehouse.query(Query(sql, ()), ledger=Ledger()):
            pass
    await warehouse.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST('x509: (Unauthenticated; ' AS INT)",
        "SELECT CAST(CASE WHEN i = 500000 THEN 'x509: (Unauthenticated; ' ELSE '1' END AS INT) FROM range(600000) t(i)",
        'SELECT "certificate"',
    ],
)
async def test_words_of_a_statement_are_no_failure_of_the_server(flight_sql: Address, sql: str) -> None:
    """Told as it starts, or in the midst of its rows."""
    warehouse = opened(flight_sql, {"token": flight_sql.token})
    with pytest.raises(StoreQueryFailed):
        async for _ in warehouse.query(Query(sql, ()), ledger=Ledger()):
            pass
    await warehouse.close()


async def test_the_deadline_travels_with_the_call(flight_sql: Address) -> None:
    """Less time than a round trip takes: the driver gives up by itself."""
    warehouse = opened(flight_sql, {"token": flight_sql.token})
    with pytest.raises(StoreTimeout):
        async for _ in warehouse.stream(Statement("SELECT 1 AS c0", (), ()), ledger=Ledger(), timeout_ms=0):
            pass
    await warehouse.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "http://h:1"}, "must be a grpc:// or grpc\\+tls:// address"),
        ({"url": "grpc://h"}, "must name a host and a port"),
        ({"url": "grpc://u:p@h:1"}, "must not hold a user name or password"),
        ({"url": "grpc://h:1/?x=y"}, "must be scheme, host and port only"),
        ({"root_certificates": "-----BEGIN PRIVATE KEY-----"}, "must be certificates in PEM"),
        ({"dialect": "oracle"}, "input should be 'duckdb'"),
        ({"token": "t", "username": "u"}, "not both"),
    ],
)
def test_a_wrong_setting_is_told(change: dict[str, str], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        connector("flight_sql").split({"url": "grpc://h:1", "dialect": "duckdb"} | change)


def test_values_are_one_row_of_arrow() -> None:
    given: list[tuple[object, Kind, pa.DataType]] = [
        (5, Kind.INTEGER, pa.int64()),
        (2**64, Kind.BIGINT, pa.decimal128(38, 0)),
        (0.5, Kind.FLOAT, pa.float64()),
        (Decimal("1.50"), Kind.NUMERIC, pa.decimal128(3, 2)),
        ("é", Kind.TEXT, pa.string()),
        (UUID(int=1), Kind.UUID, pa.string()),
        (True, Kind.BOOLEAN, pa.bool_()),
        (date(2024, 2, 29), Kind.DATE, pa.date32()),
        (datetime(2024, 1, 1), Kind.TIMESTAMP, pa.timestamp("us")),
        (datetime(2024, 1, 1, tzinfo=UTC), Kind.TIMESTAMP, pa.timestamp("us", "UTC")),
        ("2024-01-01T00:00:00.000000001", Kind.TIMESTAMP, pa.string()),
        (b"\0", Kind.BYTES, pa.binary()),
    ]
    row = parameter_row([Parameter(f"p{n}", ColumnType(kind), value) for n, (value, kind, _) in enumerate(given)])
    assert row is not None
    assert row.schema.types == [arrow for _, _, arrow in given]
    lists = parameter_row([Parameter("p0", LIST, [1, 2]), Parameter("p1", LIST, []), Parameter("p2", LIST, [2**64])])
    assert lists is not None
    assert lists.to_pylist() == [{"p0": [1, 2], "p1": [], "p2": [Decimal(2**64)]}]
    assert parameter_row([]) is None
