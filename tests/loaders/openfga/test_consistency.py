"""On an OpenFGA that caches answers itself: a write is effective at the next check, whoever wrote and
whoever checks.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.api import Json
from loaders.openfga.tuples import Check, RelationTuple
from tests.loaders.openfga.server import own_server
from tests.loaders.openfga.stores import Store, fresh_store

KEEPS = ("CHECK_QUERY_CACHE", "CHECK_ITERATOR_CACHE", "LIST_OBJECTS_ITERATOR_CACHE")
CHECK = Check("can_view", "organization:1")
GRANT = RelationTuple(names.user("ann"), "member", "organization:1")


@pytest.fixture
async def keeping(openfga_binary: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store of a server with its caches on, for a minute."""
    for cache in KEEPS:
        monkeypatch.setenv(f"OPENFGA_{cache}_ENABLED", "true")
        monkeypatch.setenv(f"OPENFGA_{cache}_TTL", "60s")
    async with own_server(openfga_binary) as server, fresh_store(server.url, server.token) as store:
        yield store


async def _in_haste(store: Store) -> bool:
    """What the server says from what it keeps."""
    item: Json = {
        "tuple_key": {"user": names.user("ann"), "relation": CHECK.relation, "object": CHECK.object},
        "consistency": "MINIMIZE_LATENCY",
        "context": {"current_time": "2026-01-01T00:00:00Z"},
    }
    return bool((await store.ask("check", item)).get("allowed"))


@pytest.mark.parametrize("allowed", [True, False])
async def test_what_was_written_counts_at_the_next_question(keeping: Store, allowed: bool) -> None:
    here, there = keeping.client(), keeping.client()
    before, after = ([GRANT], []) if allowed else ([], [GRANT])
    await here.write(after, before, ledger=Ledger())
    assert await _in_haste(keeping) is not allowed
    await here.write(before, after, ledger=Ledger())
    assert await _in_haste(keeping) is not allowed, "the server kept nothing: this shows nothing"
    for client in (here, there):
        checked = await client.batch_check("ann", [CHECK], ledger=Ledger())
        listed = await client.list_objects("ann", "can_view", "organization", ledger=Ledger())
        assert checked.granted == ({CHECK} if allowed else set())
        assert listed.ids == ({"1"} if allowed else set())
