"""OpenFGA killed, frozen, started anew and talking nonsense while it is asked: nobody sees more than they may.

Each field of each answer is what it always was, or null with `PERMISSIONS_UNAVAILABLE`, and comes in bounded time.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from loaders.ledger import Ledger
from resolvers.permissions.cached import FOLLOWED_SECONDS, MAX_SECONDS
from tests.faults.conftest import TIMEOUT_MS, Frail
from tests.system.client import Answer

DOCUMENT = """
{
  gen { datasets { totalCount nodes { name dataSource { name } } } }
  sense {
    organizations(orderBy: [{code: ASC}]) { totalCount nodes { code } }
    trackLogs(first: 5) { totalCount nodes { rowId organization { code } frames(first: 1) { nodes { id } } } }
    tracks(first: 3) { nodes { rowId } }
  }
  aura { workspaces { totalCount nodes { name } } }
}
"""
USERS = ("admin", "analyst", "stranger", "member")
CLIENTS_EACH = 2
BOUND_S = 2 * TIMEOUT_MS / 1000 + 14
"""The check of the admin and what is asked after it, and the wait for a busy machine."""
PATIENCE_S = 60
"""With a busy machine, for what is told by answers and not by their time."""


@dataclass
class Load:
    """What came of the documents that were asked all the time, by user."""

    frail: Frail
    expected: Mapping[str, dict[tuple[str, str], Any]]
    denied: int = 0
    right: int = 0
    slowest_s: float = 0
    wrong: list[Any] = field(default_factory=list)

    async def one(self, user: str) -> bool:
        """Whether the answer was whole."""
        started = time.monotonic()
        answer = await self.frail.client.ask(DOCUMENT, user=user)
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        whole, wrong = judged(answer, self.expected[user])
        self.wrong += wrong
        self.denied += not whole
        self.right += whole
        return whole

    async def for_ever(self, user: str) -> None:
        while True:
            await self.one(user)

    async def recovered(self) -> None:
        """Returns once everybody has whole answers again."""
        async with asyncio.timeout(PATIENCE_S):
            while not all(await asyncio.gather(*(self.one(user) for user in USERS))):
                pass

    async def denying(self, *, kept_s: float = MAX_SECONDS) -> None:
        """Returns when all are denied. Nobody who asks after `kept_s` is let in by what was known before."""
        began = asked = time.monotonic()
        async with asyncio.timeout(PATIENCE_S):
            while any(await asyncio.gather(*(self.one(user) for user in USERS))):
                assert asked - began < kept_s, f"allowed {asked - began:.3f} s after"
                asked = time.monotonic()


def fields(data: Any) -> dict[tuple[str, str], Any]:
    return {(domain, name): value for domain, of in data.items() for name, value in of.items()}


def judged(answer: Answer, expected: dict[tuple[str, str], Any]) -> tuple[bool, list[Any]]:
    """Whether all is there, and what is neither right nor denied."""
    found = fields(answer.body["data"])
    denied = {tuple(error["path"][:2]) for error in answer.errors}
    wrong: list[Any] = [
        (key, value)
        for key, value in found.items()
        if not (value == expected[key] or (value is None and key in denied))
    ]
    wrong += [
        error
        for error in answer.errors
        if (error["extensions"]["code"], error["extensions"].get("store")) != ("PERMISSIONS_UNAVAILABLE", "openfga")
    ]
    return not answer.errors, wrong


@asynccontextmanager
async def load(frail: Frail) -> AsyncIterator[Load]:
    """Asks until the block ends; then nothing wrong may have been seen, nor anything late."""
    expected = {user: fields((await frail.client.ask(DOCUMENT, user=user)).data) for user in USERS}
    assert expected["member"]["sense", "trackLogs"]["totalCount"] > 0
    assert expected["stranger"]["sense", "trackLogs"]["totalCount"] == 0
    under = Load(frail, expected)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(under.for_ever(user)) for user in USERS for _ in range(CLIENTS_EACH)]
        try:
            yield under
        finally:
            for task in asking:
                task.cancel()
    assert under.wrong == []
    assert under.right > 0
    assert under.slowest_s < BOUND_S


async def test_killed_and_started_again(frail: Frail) -> None:
    async with load(frail) as under:
        for _ in range(2):
            await frail.server.kill()
            await under.denying()
            await frail.server.start()
            await under.recovered()
    assert under.denied > 0


async def test_frozen_and_thawed(frail: Frail) -> None:
    async with load(frail) as under:
        for _ in range(2):
            await frail.server.freeze()
            await under.denying()
            frail.server.thaw()
            await under.recovered()
    assert under.denied > 0


GARBLED: dict[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda data: data[: len(data) // 2],
    "no JSON": lambda data: data.replace(b"{", b"<"),
    "another shape": lambda data: data.replace(b'"result"', b'"resalt"').replace(b'"objects"', b'"abjects"'),
    "neither yes nor no": lambda data: data.replace(b"true", b'"oh"').replace(b"false", b'"hm?"'),
    "numbers for names": lambda data: data.replace(b'"objects":[', b'"objects":[1' + b",").replace(b"true", b"1234"),
    "no HTTP": lambda data: b"\x00" * len(data),
    "refused": lambda data: data.replace(b"200 OK", b"503 OK"),
}


@pytest.mark.parametrize("garble", GARBLED.values(), ids=GARBLED.keys())
async def test_nonsense(frail: Frail, garble: Callable[[bytes], bytes]) -> None:
    async with load(frail) as under:
        with frail.proxy.garbling(garble):
            await under.denying(kept_s=FOLLOWED_SECONDS)  # what garbles verdicts may leave the feed, which is silent
        await under.recovered()
    assert under.denied > 0


async def test_a_revocation_counts_within_a_second(frail: Frail) -> None:
    """Written past the gateway, as by another of its workers. Only what is asked after that second is held to it."""
    async with load(frail) as under:
        under.expected = {**under.expected, "member": _either(under.expected["member"], under.expected["stranger"])}
        await frail.openfga.write(deletes=[frail.membership], ledger=Ledger())
        written = time.monotonic()
        last = written
        while time.monotonic() < written + 2:
            asked = time.monotonic()
            answer = await frail.client.ask(DOCUMENT, user="member")
            if fields(answer.body["data"])["sense", "trackLogs"] != under.expected["stranger"]["sense", "trackLogs"]:
                last = asked
    assert last - written < 1, f"{last - written:.3f} s after it was written"


@dataclass(frozen=True)
class _Either:
    values: tuple[object, ...]

    def __eq__(self, other: object) -> bool:
        return other in self.values

    def __hash__(self) -> int:
        return hash(len(self.values))


def _either(one: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
    return {key: _Either((one[key], other[key])) for key in one}
