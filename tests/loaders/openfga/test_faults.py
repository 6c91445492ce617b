"""OpenFGA down, frozen, restarted or answering garbage: access is denied in bounded time, and recovers without a
restart.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from loaders.errors import PermissionsUnavailable
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.api import Api
from loaders.openfga.client import MAX_CHECKS, Checked, Listed, OpenFga
from loaders.openfga.store import Pin
from loaders.openfga.tuples import Check, RelationTuple
from tests.loaders.openfga.server import Server, http, own_server, replying
from tests.loaders.openfga.stores import fresh_store

TIMEOUT_MS = 400
CHECK = Check("can_view", "organization:1")
GRANT = RelationTuple(names.user("ann"), "member", "organization:1")


@pytest.fixture
async def server(openfga_binary: Path) -> AsyncIterator[Server]:
    async with own_server(openfga_binary) as started:
        yield started


async def ask(fga: OpenFga) -> Checked:
    return await fga.batch_check("ann", [CHECK], ledger=Ledger())


@asynccontextmanager
async def granted(server: Server) -> AsyncIterator[OpenFga]:
    """A client with a short time-out, of a store in which the check is granted."""
    async with fresh_store(server.url, server.token, name="axion") as store:
        await store.client().write([GRANT], ledger=Ledger())
        fga = await OpenFga.open(url=server.url, token=server.token, store="axion", timeout_ms=TIMEOUT_MS)
        try:
            assert (await ask(fga)).granted == {CHECK}
            yield fga
        finally:
            await fga.close()


async def test_frozen_is_denied_in_time_and_thawed_is_well_again(server: Server) -> None:
    async with granted(server) as fga:
        await server.freeze()
        started = time.monotonic()
        ledger = Ledger()
        many = [Check("can_view", f"organization:{i}") for i in range(3 * MAX_CHECKS)]
        answers = await asyncio.gather(
            *(fga.batch_check("ann", many, ledger=ledger) for _ in range(20)), return_exceptions=True
        )
        seconds = time.monotonic() - started
        assert all(isinstance(answer, PermissionsUnavailable) for answer in answers)
        assert "in time" in str(answers[0])
        assert seconds < 10 * TIMEOUT_MS / 1000
        assert ledger.stores["openfga"].statements == 60  # a call without an answer is a call
        server.thaw()
        assert (await ask(fga)).granted == {CHECK}


async def test_frozen_list_is_incomplete_not_empty(server: Server) -> None:
    async with granted(server) as fga:
        await server.freeze()
        listed = await fga.list_objects("ann", "can_view", "organization", ledger=Ledger())
        assert listed == Listed(frozenset(), complete=False)
        server.thaw()
        listed = await fga.list_objects("ann", "can_view", "organization", ledger=Ledger())
        assert listed == Listed(frozenset({"1"}), complete=True)


async def test_killed_is_denied_and_a_new_one_is_found(server: Server) -> None:
    async with granted(server) as fga:
        await server.kill()
        for _ in range(3):
            with pytest.raises(PermissionsUnavailable, match="reached"):
                await ask(fga)
        await server.start()  # in memory: it has forgotten store and model
        with pytest.raises(PermissionsUnavailable):
            await ask(fga)
        with pytest.raises(PermissionsUnavailable, match="axion migrate openfga"):
            await ask(fga)
        async with fresh_store(server.url, server.token, name="axion") as store:
            assert (await ask(fga)).granted == frozenset()
            await store.client().write([GRANT], ledger=Ledger())
            assert (await ask(fga)).granted == {CHECK}


async def test_down_at_start_is_denied_until_it_is_up(server: Server) -> None:
    await server.kill()
    fga = await OpenFga.open(url=server.url, token=server.token, store="axion", timeout_ms=TIMEOUT_MS)
    with pytest.raises(PermissionsUnavailable, match="reached"):
        await ask(fga)
    with pytest.raises(PermissionsUnavailable, match="reached"):
        await fga.ping(ledger=Ledger())
    await server.start()
    async with fresh_store(server.url, server.token, name="axion") as store:
        await store.client().write([GRANT], ledger=Ledger())
        assert (await ask(fga)).granted == {CHECK}
    await fga.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff\x00\xff",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        http("200 OK", "<html>ok</html>"),
        http("200 OK", ""),
        http("200 OK", "[]"),
        http("200 OK", "true"),
        http("200 OK", '{"allowed": true}'),
        http("200 OK", '{"result": []}'),
        http("200 OK", '{"result": {"0": {"allowed": true}}}', length=500),
        http("204 No Content", ""),
        http("301 Moved\r\nLocation: http://127.0.0.1:1/", ""),
        http("403 Forbidden", '{"result": {"0": {"allowed": true}}}'),
        http("500 Oops", '{"result": {"0": {"allowed": true}}}'),
        http("502 Bad Gateway", "<html>bad gateway</html>"),
    ],
)
async def test_nonsense_is_denied(answer: bytes) -> None:
    async with _peer(answer) as fga:
        with pytest.raises(PermissionsUnavailable):
            await ask(fga)


async def test_objects_of_another_type_are_no_list() -> None:
    async with _peer(http("200 OK", '{"objects": ["dataset:1"]}')) as fga:
        with pytest.raises(PermissionsUnavailable):
            await fga.list_objects("ann", "can_view", "organization", ledger=Ledger())


@pytest.mark.parametrize(
    "item",
    [
        "null",
        "true",
        "{}",
        '{"allowed": "true"}',
        '{"allowed": 1}',
        '{"allowed": null}',
        '{"allowed": true, "error": {"internal_error": "deadline_exceeded", "message": "context deadline exceeded"}}',
        '{"allowed": true, "error": "x"}',
    ],
)
async def test_an_item_without_a_verdict_is_undecided(item: str) -> None:
    async with _peer(http("200 OK", f'{{"result": {{"0": {item}}}}}')) as fga:
        assert await ask(fga) == Checked(frozenset(), frozenset({CHECK}))


async def test_an_item_left_out_is_undecided() -> None:
    async with _peer(http("200 OK", '{"result": {"1": {"allowed": true}}}')) as fga:
        assert await ask(fga) == Checked(frozenset(), frozenset({CHECK}))


@asynccontextmanager
async def _peer(answer: bytes) -> AsyncIterator[OpenFga]:
    """A client that has found its store, and whose next request meets something that is not OpenFGA."""

    async with replying(answer) as url:
        api = await Api.open(url=url, token="t", timeout_ms=TIMEOUT_MS)
        try:
            yield OpenFga(api, "axion", pin=Pin("store", "model"))
        finally:
            await api.close()
