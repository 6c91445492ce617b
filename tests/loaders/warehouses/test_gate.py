"""No connector connects to a denied network, even if the name resolved to another address a moment ago."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

import orjson
import pytest

from loaders.addresses import EVERYWHERE, Networks
from loaders.columnar.statement import Statement
from loaders.errors import StoreTimeout, StoreUnavailable
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring
from loaders.tables.axion_gen.catalog import DataSource
from loaders.warehouses.bounded import bounded
from loaders.warehouses.connectors import Shared, connector
from loaders.warehouses.gate import Gate
from loaders.warehouses.pools import Warehouses
from loaders.warehouses.settings import BigQueryOptions, Server
from tests.conformance.bigquery_front import Front
from tests.waiting import until

THIS_MACHINE = Networks(denied=(IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")))
DENIED = "AXION_DATA_SOURCES__ALLOWED_NETWORKS"


@dataclass(slots=True)
class Listener:
    port: int
    dialed: int = 0


@asynccontextmanager
async def listening(host: str = "127.0.0.1", answer: bytes = b"") -> AsyncIterator[Listener]:
    def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.dialed += 1
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(met, host, 0) as server:
        heard = Listener(server.sockets[0].getsockname()[1])
        yield heard


def settings(name: str, host: str, port: int) -> Mapping[str, object]:
    http = f"http://{host}:{port}"
    match name:
        case "bigquery":
            key = Front("").service_account()
            project = {"project": "a-project", "dataset": "d", "service_account": key}
            return {**project, "endpoint": http, "storage_endpoint": http}
        case "clickhouse":
            return {"url": http}
        case "flight_sql":
            return {"url": f"grpc://{host}:{port}", "dialect": "duckdb", "token": "t"}
        case "impala":
            return {"host": host, "port": port, "authentication": "nosasl"}
        case _:
            return {"endpoint": http, "bucket": "abc", "access_key": "a", "secret_key": "b"}


@pytest.fixture
async def strict(gen: Postgres, keyring: Keyring) -> AsyncIterator[Warehouses]:
    made = Warehouses(gen, keyring, networks=THIS_MACHINE, failure_memory_s=0)
    yield made
    await made.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433"])
@pytest.mark.parametrize("name", ["bigquery", "clickhouse", "flight_sql", "impala", "s3_parquet"])
async def test_no_connector_dials_what_is_denied(
    gen: Postgres, keyring: Keyring, strict: Warehouses, name: str, host: str
) -> None:
    async with listening() as heard:
        options, credentials = connector(name).split({**settings(name, host, heard.port), "timeout_ms": 5_000})
        sealed = keyring.seal(credentials.to_bytes())
        row = DataSource(name="inside", connector_type=name, options=options.model_dump(mode="json"))
        row.encrypted_credentials, row.nonce = sealed.ciphertext, sealed.nonce
        row.tag, row.key_version = sealed.tag, sealed.key_version
        async with gen.transaction() as session:
            session.add(row)
        warehouse = await strict.open(row.id, ledger=Ledger())
        with pytest.raises(StoreUnavailable, match=DENIED):
            await warehouse.ping(ledger=Ledger())
        with pytest.raises(StoreUnavailable, match=DENIED):
            await warehouse.list_tables(ledger=Ledger())
        assert heard.dialed == 0


@pytest.mark.parametrize("name", ["clickhouse", "flight_sql", "impala"])
async def test_a_name_that_leads_elsewhere_a_moment_later_is_not_followed(name: str) -> None:
    """What dials judges for itself, whatever was let through before."""
    async with listening() as heard:
        options, credentials = connector(name).split({**settings(name, "localhost", heard.port), "timeout_ms": 5_000})
        stored = options.model_dump(mode="json"), credentials.to_bytes()
        warehouse = connector(name).warehouse("datasource:inside", *stored, shared=Shared(THIS_MACHINE))
        with pytest.raises(StoreUnavailable, match=DENIED):
            await warehouse.ping(ledger=Ledger())
        await warehouse.close()
        assert heard.dialed == 0
        reached = connector(name).warehouse("datasource:inside", *stored)
        with pytest.raises(StoreUnavailable):
            await reached.ping(ledger=Ledger())
        await reached.close()
        assert heard.dialed > 0


@pytest.mark.parametrize(("name", "told"), [("bigquery", "cannot be reached"), ("clickhouse", DENIED)])
async def test_a_redirect_into_what_is_denied_is_not_followed(name: str, told: str) -> None:
    async with listening("127.0.0.2") as inside:
        location = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.2:{inside.port}/\r\nContent-Length: 0\r\n\r\n"
        async with listening(answer=location.encode()) as heard:
            options, credentials = connector(name).split(settings(name, "127.0.0.1", heard.port))
            warehouse = connector(name).warehouse(
                "datasource:inside",
                options.model_dump(mode="json"),
                credentials.to_bytes(),
                shared=Shared(Networks(denied=(IPv4Network("127.0.0.2/32"),))),
            )
            with pytest.raises(StoreUnavailable, match=told):
                await warehouse.ping(ledger=Ledger())
            await warehouse.close()
            assert (heard.dialed, inside.dialed) == (1, 0)


async def test_a_name_that_leads_nowhere_is_told() -> None:
    gate = Gate("datasource:x", (Server("nobody.invalid", 1),), EVERYWHERE, clock=lambda: 0.0)
    with pytest.raises(StoreUnavailable, match=r"cannot be resolved\. Check"):
        await gate.require()


async def test_a_name_is_judged_anew_after_a_second() -> None:
    now = [0.0]
    networks = [EVERYWHERE]

    class Turning:
        def allows(self, text: str) -> bool:
            return networks[0].allows(text)

    gate = Gate("datasource:x", (Server("localhost", 1),), Turning(), clock=lambda: now[0])
    await gate.require()
    networks[0] = THIS_MACHINE
    await gate.require()
    now[0] = 1.0
    with pytest.raises(StoreUnavailable, match=DENIED):
        await gate.require()


@dataclass(slots=True)
class Waiting:
    """A look-up that takes until it is released."""

    released: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def allows(self, text: str) -> bool:
        self.asked += 1
        self.released.wait()
        return EVERYWHERE.allows(text)


async def test_who_asks_at_once_shares_one_look_up() -> None:
    bounds = Waiting()
    gate = Gate("datasource:x", (Server("127.0.0.1", 1),), bounds, clock=lambda: 0.0)
    asking = [asyncio.create_task(gate.require()) for _ in range(64)]
    try:
        await until(lambda: bounds.asked > 0)
        asking[0].cancel()
        await asyncio.to_thread(int)  # the threads of all others are free
    finally:
        bounds.released.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [None] * 63
    assert bounds.asked == 1


async def test_a_look_up_ends_with_the_time_of_what_it_is_for() -> None:
    bounds = Waiting()
    gate = Gate("datasource:x", (Server("127.0.0.1", 1),), bounds, clock=lambda: 0.0)
    options, credentials = connector("clickhouse").split({"url": "http://127.0.0.1:1"})
    warehouse = bounded(
        connector("clickhouse").warehouse("datasource:x", options.model_dump(mode="json"), credentials.to_bytes()),
        gate=gate,
        limit=1,
        timeout_ms=50,
        memory_s=0,
        clock=lambda: 0.0,
    )
    try:
        with pytest.raises(StoreTimeout, match="was not resolved in time"):
            async with asyncio.timeout(30):
                await anext(warehouse.stream(Statement("SELECT 1", (), ()), ledger=Ledger()))
    finally:
        bounds.released.set()
    await gate.require()
    await warehouse.close()


def test_without_endpoints_bigquery_is_googles() -> None:
    options = BigQueryOptions.model_validate(orjson.loads('{"project": "a-project", "dataset": "d"}'))
    assert [server.host for server in options.servers] == ["bigquery.googleapis.com", "bigquerystorage.googleapis.com"]
