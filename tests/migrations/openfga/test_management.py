"""Stores and models over the SDK: what OpenFGA has afterwards, and how it fails."""

import secrets
import socket
import time
from collections.abc import AsyncIterator

import orjson
import pytest
from openfga_sdk.models import WriteAuthorizationModelRequest

from loaders.errors import PermissionsUnavailable
from loaders.ledger import Ledger
from loaders.openfga.api import Refused, TimedOut
from loaders.openfga.store import find_pin, newest_model
from migrations.openfga.management import Management
from tests.loaders.openfga.server import http, replying
from tests.loaders.openfga.stores import MODEL_JSON, Store, fresh_store
from tests.ports import free_port

TIMEOUT_MS = 400
MODEL = WriteAuthorizationModelRequest(**orjson.loads(MODEL_JSON.read_bytes()))


@pytest.fixture
async def store(openfga_url: str, openfga_token: str) -> AsyncIterator[Store]:
    async with fresh_store(openfga_url, openfga_token) as fresh:
        yield fresh


@pytest.fixture
async def management(openfga_url: str, openfga_token: str) -> AsyncIterator[Management]:
    async with Management.opened(url=openfga_url, token=openfga_token, timeout_ms=5_000, ledger=Ledger()) as opened:
        yield opened


async def ask(url: str, *, token: str = "t", ledger: Ledger | None = None) -> str | None:
    async with Management.opened(url=url, token=token, timeout_ms=TIMEOUT_MS, ledger=ledger or Ledger()) as management:
        return await management.find_store("axion")


async def test_what_it_makes_is_what_the_gateway_finds(management: Management, store: Store) -> None:
    name = f"test-{secrets.token_hex(8)}"
    assert await management.find_store(name) is None
    store_id = await management.create_store(name)
    assert await management.find_store(name) == store_id
    assert await management.newest_model(store_id) is None
    model_ids = [await management.write_model(store_id, MODEL) for _ in range(2)]
    assert await management.newest_model(store_id) == model_ids[-1]
    pin = await find_pin(store.api, name, ledger=Ledger())
    assert (pin.store_id, pin.model_id) == (store_id, model_ids[-1])


async def test_the_model_arrives_whole(management: Management, store: Store) -> None:
    """Compared with the same bytes sent as they are, read back as OpenFGA keeps them."""
    raw = await store.upload(MODEL_JSON.read_bytes())
    written = await management.write_model(store.id, MODEL)
    assert await newest_model(store.api, store.id, ledger=Ledger()) == written != raw
    models = []
    for model_id in (raw, written):
        path = f"/stores/{store.id}/authorization-models/{model_id}"
        models.append((await store.api.request("GET", path, ledger=Ledger()))["authorization_model"])
        del models[-1]["id"]
    assert models[0] == models[1]
    assert len(models[0]["type_definitions"]) > 1


async def test_two_stores_of_one_name_are_an_error(management: Management, store: Store) -> None:
    await management.create_store(store.name)
    with pytest.raises(PermissionsUnavailable, match="2 stores"):
        await management.find_store(store.name)


async def test_each_request_is_recorded(openfga_url: str, openfga_token: str) -> None:
    ledger = Ledger()
    await ask(openfga_url, token=openfga_token, ledger=ledger)
    assert ledger.stores["openfga"].statements == 1
    assert ledger.stores["openfga"].ms > 0


async def test_a_wrong_token_is_refused_without_showing_it(openfga_url: str) -> None:
    with pytest.raises(Refused, match="token is valid") as caught:
        await ask(openfga_url, token="wrong-secret-token")
    assert caught.value.status == 401
    shown = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__cause__}"
    assert "wrong-secret-token" not in shown


async def test_a_model_openfga_does_not_take_is_refused_by_reason(management: Management, store: Store) -> None:
    before = await management.newest_model(store.id)
    twice = WriteAuthorizationModelRequest(schema_version="1.1", type_definitions=[{"type": "a"}, {"type": "a"}])
    with pytest.raises(Refused, match="invalid_authorization_model") as caught:
        await management.write_model(store.id, twice)
    assert caught.value.status == 400
    assert await management.newest_model(store.id) == before


async def test_no_server_is_not_reached() -> None:
    ledger = Ledger()
    with pytest.raises(PermissionsUnavailable, match="reached"):
        await ask(f"http://127.0.0.1:{free_port()}", ledger=ledger)
    assert ledger.stores["openfga"].statements == 1


async def test_no_answer_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel connects, nobody answers
        started = time.monotonic()
        with pytest.raises(TimedOut, match="in time"):
            await ask(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert TIMEOUT_MS / 1000 <= time.monotonic() - started < 10 * TIMEOUT_MS / 1000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff\x00\xff",
        http("200 OK", "<html>ok</html>"),
        http("200 OK", ""),
        http("200 OK", "[]"),
        http("200 OK", "null"),
        http("200 OK", "{}"),
        http("200 OK", '{"stores": {}}'),
        http("200 OK", '{"stores": 1}'),
        http("200 OK", '{"stores": [{"name": "axion"}]}'),
        http("200 OK", '{"stores": [], "continuation_token": ""}', length=500),
        http("204 No Content", ""),
        http("301 Moved\r\nLocation: http://127.0.0.1:1/", ""),
        http("404 Not Found", "[1]"),
        http("500 Oops", '{"stores": []}'),
        http("502 Bad Gateway", "<html>bad gateway</html>"),
        http("503 Busy\r\nRetry-After: 60", "{}"),
    ],
)
async def test_nonsense_is_no_store(answer: bytes) -> None:
    started = time.monotonic()
    async with replying(answer) as url:
        with pytest.raises(PermissionsUnavailable) as caught:
            await ask(url)
    assert url not in str(caught.value)
    assert time.monotonic() - started < 10 * TIMEOUT_MS / 1000
