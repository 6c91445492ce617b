"""Two worlds of one person each, the admin who sees both, nobody, and a key of the first without a fitting scope."""

import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.auth import demo_issuer
from gateway.auth.demo_issuer import LIFETIME, DemoUser
from gateway.settings import Settings
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from loaders.tables.axion_gen import identity
from loaders.tables.databases import METADATA
from resolvers.subject import Subject
from schema.mapping.ids import uuid_key
from schema.mapping.object import OBJECTS
from tests.system.actors.oracle import Oracle
from tests.system.actors.rows import Made, World, cross, global_id, make, remove
from tests.system.client import Client
from tests.system.test_api_keys import make as make_key

SIGNED_IN = ("admin", "analyst", "member")
REFUSED = {None: "UNAUTHENTICATED", "key": "FORBIDDEN"}
"""Who sees nothing at all, and the code of being told so."""


@dataclass(frozen=True, slots=True)
class Actors:
    """`visible`: by who has signed in and type, the global ids of all rows seen, found by brute force.

    `alone`: what was seen of the worlds before there were crossed rows.
    """

    client: Client
    made: Made
    oracles: Mapping[str, Oracle]
    alone: Mapping[str, Mapping[str, frozenset[str]]]
    visible: Mapping[str, Mapping[str, frozenset[str]]]

    @property
    def south(self) -> World:
        return self.made.worlds[0]

    @property
    def north(self) -> World:
        return self.made.worlds[1]


@pytest.fixture(scope="session")
async def openfga(settings: Settings) -> AsyncIterator[OpenFga]:
    token = settings.openfga.token
    client = await OpenFga.open(
        url=settings.openfga.url,
        token=token.get_secret_value() if token else None,
        store=settings.openfga.store,
        timeout_ms=30_000,
    )
    yield client
    await client.close()


@pytest.fixture(scope="package")
async def actors(
    client: Client, settings: Settings, admin_url: str, clickhouse: AsyncClient, openfga: OpenFga
) -> AsyncIterator[Actors]:
    people = {"analyst": _person("analyst"), "member": _person("member")}
    worlds = (World("south", people["analyst"].subject), World("north", people["member"].subject))
    made = Made(worlds, defaultdict(list))
    async with AsyncExitStack() as stack:
        engines: dict[str, AsyncEngine] = {}
        for store in METADATA:
            engines[store] = create_async_engine(make_url(admin_url).set(database=store))
            stack.push_async_callback(engines[store].dispose)
        stack.push_async_callback(remove, made, engines, clickhouse)
        await make(made, engines, clickhouse)
        tuples = [each for world in worlds for each in _tuples(world)]
        await openfga.write(tuples, ledger=Ledger())
        stack.push_async_callback(openfga.write, deletes=tuples, ledger=Ledger())
        subjects = {
            "admin": Subject(demo_issuer.DEMO_USERS["admin"].subject, user_id=-1),
            "analyst": Subject(worlds[0].subject, user_id=worlds[0].rows["User"]["id"]),
            "member": Subject(worlds[1].subject, user_id=worlds[1].rows["User"]["id"]),
        }
        oracles = {name: Oracle(subject, openfga, made.of_table) for name, subject in subjects.items()}
        alone = {name: await _visible(oracle, made) for name, oracle in oracles.items()}
        signing = demo_issuer._key(settings)
        tokens = {name: demo_issuer._mint(signing, settings, who, LIFETIME) for name, who in people.items()}
        asking = replace(client, tokens={**client.tokens, **tokens})
        key = await make_key(asking, "analyst", scopes=["powernode:read"])
        tokens["key"] = key["secret"]
        own = {"id": uuid_key(key["apiKey"]["id"], "ApiKey"), "user_id": worlds[0].rows["User"]["id"]}
        made.crossed["ApiKey"].append(own)
        asking = replace(client, tokens={**client.tokens, **tokens})
        await cross(made, engines, clickhouse)
        visible = {name: await _visible(oracle, made) for name, oracle in oracles.items()}
        yield Actors(asking, made, oracles, alone, visible)


async def _visible(oracle: Oracle, made: Made) -> dict[str, frozenset[str]]:
    found = {}
    for name, mapping in OBJECTS.items():
        rows = await oracle.visible(mapping.table, mapping.guard, made.of(name))
        found[name] = frozenset(global_id(name, row) for row in rows)
    return found


def _person(name: str) -> DemoUser:
    return DemoUser(f"test|{name}-{secrets.token_hex(4)}", f"{name}@actors.example", name)


def _tuples(world: World) -> list[RelationTuple]:
    """A member of the organization, which has the workspace, and holder of a role that inherits the analyst's flags."""
    user, rows = names.user(world.subject), world.rows
    role = names.object_name("role", rows["GenRole"]["id"])
    organization = names.organization(rows["SenseOrganization"]["id"])
    source = names.object_name("datasource", rows["GenDataSource"]["name"])
    dataset = names.object_name("dataset", rows["GenDataset"]["id"])
    return [
        RelationTuple(names.SYSTEM, "parent", source),
        RelationTuple(source, "parent", dataset),
        RelationTuple(user, "member", organization),
        RelationTuple(organization, "organization", names.object_name("workspace", rows["AuraWorkspace"]["id"])),
        RelationTuple(user, "assignee", role),
        RelationTuple(names.object_name("role", identity.ANALYST_ROLE_ID), "parent", role),
        RelationTuple(role, "assigned_role", dataset),
    ]
