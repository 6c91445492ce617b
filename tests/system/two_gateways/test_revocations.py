"""Revoked through one gateway, or past both: the other denies within a second, and what is open there ends.

An answer is held to the moment its question was asked, so that a slow machine denies late and still denies.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pyarrow as pa
import pytest

from gateway.auth import demo_issuer
from gateway.auth.demo_issuer import LIFETIME, DemoUser
from gateway.settings import Settings
from loaders.encode.node_id import encode_node_id
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from loaders.tables.axion_gen import identity
from tests.system.bundles import stored_bundle
from tests.system.client import Client
from tests.system.postponed import postponed_job
from tests.system.sample import flights_dataset
from tests.system.stores import Direct
from tests.system.test_api_keys import REVOKE, make
from tests.system.test_arrow import BIG, running
from tests.system.two_gateways.conftest import Two
from tests.system.watching import WATCH, Socket, connected
from tests.waiting import until

GEN = """query Seen($dataset: ID!) {
  gen {
    datasets(where: {id: {eq: $dataset}}) { totalCount nodes { name } }
    dataset(id: $dataset) { table(name: "airlines") { rows(first: 1) { nodes } } }
  }
  node(id: $dataset) { id }
}"""
SENSE = """query Seen {
  sense { organizations { totalCount } trackLogs { aggregate { count } } tracks(first: 1) { nodes { id } } }
}"""
NOTHING_OF_GEN = {"gen": {"datasets": {"totalCount": 0, "nodes": []}, "dataset": None}, "node": None}
NOTHING_OF_SENSE = {
    "sense": {"organizations": {"totalCount": 0}, "trackLogs": {"aggregate": [{"count": 0}]}, "tracks": {"nodes": []}}
}
FOLLOW = "subscription { jobsUpdated { sequence job { rowId } } }"
Allowed = Callable[[], Awaitable[bool]]
Change = Callable[[], Awaitable[object]]
Record = Callable[[str, object], None]
"""Of `--junit-xml`: the figures."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs in as the user `person`, and sees nothing yet."""

    two: Two
    openfga: OpenFga
    subject: str
    id: str

    async def holds(self, relation: str, object_: str) -> None:
        """From now on, as OpenFGA has it."""
        await self.openfga.write([self._tuple(relation, object_)], ledger=Ledger())

    async def holds_no_more(self, relation: str, object_: str) -> None:
        """The tuple is deleted past both gateways."""
        await self.openfga.write(deletes=[self._tuple(relation, object_)], ledger=Ledger())

    def _tuple(self, relation: str, object_: str) -> RelationTuple:
        return RelationTuple(names.user(self.subject), relation, object_)

    async def allowed(self, document: str, variables: dict[str, Any] | None, nothing: object) -> bool:
        """Whether anything at all is seen there."""
        return bool((await self.two.there.ask(document, variables, user="person")).data != nothing)

    async def is_admin(self) -> bool:
        """As the other gateway has it: what it kept from before may still say no."""
        answer = await self.two.there.ask("{ viewer { isAdmin } }", user="person")
        return bool(answer.data["viewer"]["isAdmin"])

    async def streamed(self) -> bool:
        async with self.two.there.arrow("{ sense { tracks { nodes { rowId } } } }", user="person") as response:
            with pa.ipc.open_stream(await response.read()) as stream:
                return bool(stream.read_all().num_rows)


@pytest.fixture(scope="module")
async def person(two: Two, settings: Settings, direct: Direct) -> AsyncIterator[Person]:
    subject = f"test|{secrets.token_hex(6)}"
    who = DemoUser(subject, f"{secrets.token_hex(6)}@revoked.example", "person")
    token = demo_issuer._mint(demo_issuer._key(settings), settings, who, LIFETIME)
    secret = settings.openfga.token
    openfga = await OpenFga.open(
        url=settings.openfga.url,
        token=secret.get_secret_value() if secret else None,
        store=settings.openfga.store,
        timeout_ms=30_000,
    )
    made = "INSERT INTO users (external_auth_id, email) VALUES ($1, $2) RETURNING id"
    ids = {store: (await direct.postgres(store, made, subject, who.email))[0]["id"] for store in _STORES}
    there = replace(two.there, tokens={**two.there.tokens, "person": token})
    yield Person(replace(two, there=there), openfga, subject, encode_node_id("GenUser", [str(ids["axion_gen"])]))
    for store in _STORES:
        await direct.postgres(store, "DELETE FROM users WHERE external_auth_id = $1", subject)
    await openfga.close()


_STORES = ("axion_gen", "axion_sense")
_BUNDLE_BYTES = 40_000_000
"""More than both kernels' buffers take."""
_WATCHED_S = 1.5
"""Denials are asked for so long: nothing is to speak up again."""


async def last_allowed(revoke: Change, *ways: Allowed) -> float:
    """Seconds from the end of `revoke` to the last question to which the other gateway's answer was not nothing.

    Every way is asked all the time, from before: what may be kept there is kept.
    """
    last, denied = dict.fromkeys(ways, 0.0), {way: asyncio.Event() for way in ways}
    seen = {way: asyncio.Event() for way in ways}

    async def ask(way: Allowed) -> None:
        while True:
            asked = time.monotonic()
            if await way():
                last[way] = asked
                denied[way].clear()
                seen[way].set()
            else:
                denied[way].set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        asking = [group.create_task(ask(way)) for way in ways]
        await asyncio.gather(*(event.wait() for event in seen.values()))
        await revoke()
        revoked = time.monotonic()
        await asyncio.sleep(_WATCHED_S)
        await asyncio.gather(*(event.wait() for event in denied.values()))
        for task in asking:
            task.cancel()
    return max(last.values()) - revoked


@asynccontextmanager
async def role(two: Two) -> AsyncIterator[str]:
    """A new role that may see datasets and tables."""
    name = f"revoked-{secrets.token_hex(4)}"
    id_ = (await two.do("genRoleCreate", {"name": name}, shown="role { id }"))["role"]["id"]
    await two.do("genRoleFlagsSet", {"id": id_, "hasViewDataset": True, "hasViewTable": True})
    yield id_
    done = await two.do("genRoleDelete", {"id": id_})
    assert done["__typename"] == "GenRoleDeletePayload", done


@pytest.mark.parametrize("revoked", ["the user", "the resource", "the flags"])
async def test_by_a_mutation(person: Person, revoked: str, record_property: Record) -> None:
    two = person.two
    dataset = await flights_dataset(two.here)
    async with role(two) as id_:
        resource = {"id": id_, "resourceType": "DATASET", "datasetId": dataset["id"]}
        user = {"id": id_, "userId": person.id}
        await two.do("genRoleAssignUser", user)
        await two.do("genRoleAssignResource", resource)
        ways = {
            "the user": lambda: two.do("genRoleUnassignUser", user),
            "the resource": lambda: two.do("genRoleUnassignResource", resource),
            "the flags": lambda: two.do("genRoleFlagsSet", {"id": id_, "hasViewDataset": False, "hasViewTable": False}),
        }

        async def seen() -> bool:
            return await person.allowed(GEN, {"dataset": dataset["id"]}, NOTHING_OF_GEN)

        after = await last_allowed(ways[revoked], seen)
    record_property("last_allowed_s", after)
    assert after < 1


async def test_by_a_tuple_deleted_in_openfga(person: Person, direct: Direct, record_property: Record) -> None:
    (south,) = await direct.postgres("axion_sense", "SELECT id FROM organizations WHERE code = 'south'")
    member = ("member", names.organization(south["id"]))
    await person.holds(*member)

    async def seen() -> bool:
        return await person.allowed(SENSE, None, NOTHING_OF_SENSE)

    after = await last_allowed(lambda: person.holds_no_more(*member), seen, person.streamed)
    record_property("last_allowed_s", after)
    assert after < 1


@pytest.mark.parametrize("by", ["a mutation", "a deleted tuple"])
async def test_what_is_open_ends(person: Person, settings: Settings, by: str, record_property: Record) -> None:
    """Another's job is watched, and all jobs are followed, by an administrator who is none any more."""
    two, there = person.two, person.two.there
    user = {"id": encode_node_id("GenRole", [str(identity.ADMIN_ROLE_ID)]), "userId": person.id}
    if by == "a mutation":
        await two.do("genRoleAssignUser", user)
    else:
        await person.holds("admin", names.SYSTEM)
    await until(person.is_admin)
    async with (
        postponed_job(settings, "test|another") as job,
        connected(there, "person") as watching,
        connected(there, "person") as following,
    ):
        watched = {"id": encode_node_id("Job", [str(job)])}
        body = {"query": WATCH, "variables": watched}
        headers = there.headers("person", accept="text/event-stream")
        async with there.http.post(f"{there.url}/graphql", json=body, headers=headers) as stream:
            await stream.content.readuntil(b"event: next")
            await watching.subscribe(WATCH, watched)
            assert (await watching.receive())["type"] == "next"
            await following.subscribe(FOLLOW, {})
            if by == "a mutation":
                await two.do("genRoleUnassignUser", user)
            else:
                await person.holds_no_more("admin", names.SYSTEM)
            revoked = time.monotonic()
            async with asyncio.timeout(30):
                rest, *ended = await asyncio.gather(stream.content.read(), _end(watching), _end(following))
    record_property("ended_s", time.monotonic() - revoked)
    assert b'"code":"FORBIDDEN"' in rest
    assert all("FORBIDDEN" in str(message) for message in ended)


async def counted(client: Client, code: str) -> float:
    """Operations over HTTP that have ended with the code."""
    async with client.http.get(f"{client.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    of_code = (line for line in lines if line.startswith("axion_operations_total{") and f'"{code}"' in line)
    return sum(float(line.rpartition(" ")[2]) for line in of_code if '"http"' in line)


@pytest.mark.parametrize(("taken", "code"), [("the permission", "FORBIDDEN"), ("the key", "UNAUTHENTICATED")])
async def test_a_stream_that_is_being_read_ends(
    person: Person, direct: Direct, big: str, taken: str, code: str
) -> None:
    """Its reader pauses, so nothing else ends it for the next half minute; what came does not look whole."""
    there, admin = person.two.there, ("admin", names.SYSTEM)
    await person.holds(*admin)
    await until(person.is_admin)
    key = await make(there, "person", scopes=["gen:read"])
    asking = replace(there, tokens={**there.tokens, "key": key["secret"]})

    async def is_read_no_more() -> bool:
        return await running(direct) == []

    before = await counted(there, code)
    async with asking.arrow(BIG, {"id": big}, user="key") as response:
        await response.content.readexactly(1_000)
        assert not await is_read_no_more()
        if taken == "the permission":
            await person.holds_no_more(*admin)
        else:
            await there.ask(REVOKE, {"id": key["apiKey"]["id"]}, user="person")
        await until(is_read_no_more)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    await person.holds_no_more(*admin)
    assert await counted(there, code) == before + 1


@pytest.mark.parametrize(("taken", "code"), [("the permission", "FORBIDDEN"), ("the key", "UNAUTHENTICATED")])
async def test_so_does_a_tile_bundle(person: Person, settings: Settings, taken: str, code: str) -> None:
    there, admin = person.two.there, ("admin", names.SYSTEM)
    await person.holds(*admin)
    await until(person.is_admin)
    key = await make(there, "person", scopes=["gen:read"])
    before = await counted(there, code)

    async def is_ended() -> bool:
        return await counted(there, code) > before

    headers = {"authorization": f"Bearer {key['secret']}"}
    async with (
        stored_bundle(there, settings, b"PMTiles\x03" + bytes(_BUNDLE_BYTES)) as bundle,
        there.http.get(bundle.url, headers=headers) as response,
    ):
        await response.content.readexactly(1_000)
        if taken == "the permission":
            await person.holds_no_more(*admin)
        else:
            await there.ask(REVOKE, {"id": key["apiKey"]["id"]}, user="person")
        await until(is_ended)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    await person.holds_no_more(*admin)
    assert await counted(there, code) == before + 1


async def _end(socket: Socket) -> object:
    """The last message of its operation but for `complete`."""
    last: object = None
    while (message := await socket.receive())["type"] == "next":
        last = message
    return message if message["type"] == "error" else last
