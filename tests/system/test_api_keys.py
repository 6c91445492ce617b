"""API keys from the outside: made, used within their scopes on every way in, and revoked."""

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from gateway.auth.row_cache import CACHE_S
from gateway.settings import Settings
from loaders.encode.node_id import encode_node_id
from tests.system.client import ARROW, Client
from tests.system.postponed import postponed_job
from tests.system.watching import WATCH, connected

CREATE = """
mutation ($input: ApiKeyCreateInput!) {
  apiKeyCreate(input: $input) {
    ... on ApiKeyCreatePayload { secret apiKey { id name scopes revokedAt user { displayName kind } } }
    ... on Error { code message }
    ... on InvalidInput { field }
  }
}
"""
REVOKE = """
mutation ($id: ID!) {
  apiKeyRevoke(input: {id: $id}) { ... on ApiKeyRevokePayload { apiKey { revokedAt } } ... on Error { code } }
}
"""
SERVICE = """
mutation ($name: String!) {
  serviceAccountCreate(input: {displayName: $name}) {
    ... on ServiceAccountCreatePayload { user { id kind externalAuthId } } ... on Error { code }
  }
}
"""


async def make(client: Client, user: str, **input_: object) -> Any:
    answer = await client.ask(CREATE, user=user, variables={"input": {"name": "test", **input_}})
    return answer.data["apiKeyCreate"]


@pytest.fixture
async def keyed(client: Client) -> AsyncIterator[Client]:
    """A client whose user `key` is an API key of the analyst's that may read Gen."""
    made = await make(client, "analyst", scopes=["gen:read"])
    yield replace(client, tokens={**client.tokens, "key": made["secret"], "id": made["apiKey"]["id"]})
    await client.ask(REVOKE, user="analyst", variables={"id": made["apiKey"]["id"]})


async def test_made_and_used(client: Client, keyed: Client) -> None:
    as_key = await keyed.ask("{ viewer { subject } gen { datasets { nodes { id } } } }", user="key")
    as_user = await client.ask("{ viewer { subject } gen { datasets { nodes { id } } } }", user="analyst")
    assert as_key.data == as_user.data
    assert as_key.data["gen"]["datasets"]["nodes"]


@pytest.mark.parametrize(
    "document",
    [
        "{ sense { organizations { nodes { id } } } }",
        "{ sense { o: organizations(first: 1) { totalCount } } viewer { subject } }",
        "{ sense { frames(first: 1) { nodes { id } } } }",
        "{ jobs { totalCount } }",
    ],
)
async def test_out_of_scope(keyed: Client, document: str) -> None:
    answer = await keyed.ask(document, user="key")
    assert answer.codes == ["FORBIDDEN"]
    assert not set(answer.statements) & {"axion_sense", "axion_sense_tasks", "clickhouse"}


async def test_arrow_out_of_scope(keyed: Client) -> None:
    answer = await keyed.ask("{ sense { frames { nodes { rowId } } } }", user="key", accept=ARROW)
    assert answer.codes == ["FORBIDDEN"]


@pytest.mark.parametrize(
    "mutation",
    [
        'genDatasetCreate(input: {dataSourceId: "x", name: "x"})',
        'jobCancel(input: {id: "x"})',
        'apiKeyCreate(input: {name: "more", scopes: ["gen:read"]})',
    ],
)
async def test_mutations_out_of_scope(keyed: Client, mutation: str) -> None:
    answer = await keyed.ask(f"mutation {{ it: {mutation} {{ ... on Error {{ code }} }} }}", user="key")
    assert answer.data == {"it": {"code": "FORBIDDEN"}}
    assert not answer.statements


async def last_taken(keyed: Client) -> float:
    """Asks until the key is refused. The seconds from now to the asking of the last request that was not."""
    revoked = last = time.monotonic()
    async with asyncio.timeout(20):
        while (asked := time.monotonic()) and (await keyed.ask("{ viewer { subject } }", user="key")).status != 401:
            last = asked
    return last - revoked


async def test_revoked(client: Client, keyed: Client) -> None:
    assert (await client.ask(REVOKE, user="stranger", variables={"id": keyed.tokens["id"]})).data == {
        "apiKeyRevoke": {"code": "NOT_FOUND"}
    }
    revoked = await client.ask(REVOKE, user="analyst", variables={"id": keyed.tokens["id"]})
    assert revoked.data["apiKeyRevoke"]["apiKey"]["revokedAt"]
    assert await last_taken(keyed) < 1
    again = await client.ask(REVOKE, user="admin", variables={"id": keyed.tokens["id"]})
    assert again.data == revoked.data


async def test_revoked_while_its_operations_go_on(client: Client, keyed: Client, settings: Settings) -> None:
    """A socket is closed and a stream ended, without another word of the client's."""
    owner = (await client.ask("{ viewer { subject } }", user="analyst")).data["viewer"]["subject"]
    made = await make(client, "analyst", scopes=["jobs:read"])
    watching = replace(client, tokens={**client.tokens, "key": made["secret"]})
    async with postponed_job(settings, owner) as job, connected(watching, "key") as socket:
        id_ = encode_node_id("Job", [str(job)])
        await socket.subscribe(WATCH, {"id": id_})
        assert (await socket.receive())["type"] == "next"
        body, headers = {"query": WATCH, "variables": {"id": id_}}, watching.headers("key", accept="text/event-stream")
        async with client.http.post(f"{client.url}/graphql", json=body, headers=headers) as stream:
            await stream.content.readuntil(b"event: next")
            await client.ask(REVOKE, user="analyst", variables={"id": made["apiKey"]["id"]})
            async with asyncio.timeout(settings.http.renew_seconds + CACHE_S + 5):
                assert b'"code":"UNAUTHENTICATED"' in await stream.read()
                assert (await socket.socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.socket.close_code == 4403


async def test_revoked_while_a_socket_is_open(client: Client, keyed: Client) -> None:
    """A new operation is refused with the socket; it is not the key's end that counts."""
    async with client.http.ws_connect(f"{client.url}/graphql", protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json(
            {"type": "connection_init", "payload": {"authorization": f"Bearer {keyed.tokens['key']}"}}
        )
        assert (await socket.receive_json())["type"] == "connection_ack"
        await client.ask(REVOKE, user="analyst", variables={"id": keyed.tokens["id"]})
        async with asyncio.timeout(20):
            for number in itertools.count():
                payload = {"query": "{ viewer { subject } }"}
                await socket.send_json({"id": str(number), "type": "subscribe", "payload": payload})
                if (await socket.receive()).type is aiohttp.WSMsgType.CLOSE:
                    break
                await socket.receive()
        assert socket.close_code == 4403


async def test_roles_are_not_given_with_a_key(client: Client) -> None:
    made = await make(client, "admin", scopes=["gen:write"])
    keyed = replace(client, tokens={**client.tokens, "key": made["secret"]})
    answer = await keyed.ask('mutation { genRoleCreate(input: {name: "x"}) { ... on Error { code } } }', user="key")
    assert answer.data == {"genRoleCreate": {"code": "FORBIDDEN"}}
    await client.ask(REVOKE, user="admin", variables={"id": made["apiKey"]["id"]})


@pytest.mark.parametrize(
    ("input_", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["gen:all"]}, "scopes"),
        ({"scopes": ["gen:read"], "name": " "}, "name"),
        ({"scopes": ["gen:read"], "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"scopes": ["gen:read"], "expiresAt": "2199-01-01T00:00:00Z"}, "expiresAt"),
    ],
)
async def test_refused_input(client: Client, input_: dict[str, object], field: str) -> None:
    made = await make(client, "analyst", **input_)
    assert (made["code"], made["field"]) == ("BAD_USER_INPUT", field)


async def test_only_ones_own_are_seen(client: Client, keyed: Client) -> None:
    mine = "{ apiKeys(where: {id: {eq: $id}}) { nodes { id } } }".replace("$id", f'"{keyed.tokens["id"]}"')
    seen = {
        user: (await client.ask(mine, user=user)).data["apiKeys"]["nodes"] for user in ("admin", "analyst", "stranger")
    }
    assert seen == {"admin": [{"id": keyed.tokens["id"]}], "analyst": [{"id": keyed.tokens["id"]}], "stranger": []}


async def test_retried(client: Client) -> None:
    """The secret is in the first answer only: what is stored cannot give it back."""

    async def send() -> Any:
        variables = {"input": {"name": "retried", "scopes": ["gen:read"]}}
        answer = await client.ask(CREATE, user="analyst", variables=variables, idempotency_key=key)
        return answer.data["apiKeyCreate"]

    key = uuid.uuid4().hex
    first, second = await send(), await send()
    assert first["secret"].startswith("axk_")
    assert second == {**first, "secret": None}
    await client.ask(REVOKE, user="analyst", variables={"id": first["apiKey"]["id"]})


async def test_service_account(client: Client) -> None:
    refused = await client.ask(SERVICE, user="analyst", variables={"name": "nightly"})
    assert refused.data == {"serviceAccountCreate": {"code": "FORBIDDEN"}}
    account = (await client.ask(SERVICE, user="admin", variables={"name": "nightly"})).data["serviceAccountCreate"][
        "user"
    ]
    assert account["kind"] == "SERVICE"
    others = await make(client, "analyst", scopes=["gen:read"], serviceAccountId=account["id"])
    assert others["code"] == "NOT_FOUND"
    made = await make(client, "admin", scopes=["gen:read", "sense:read"], serviceAccountId=account["id"])
    assert made["apiKey"]["user"] == {"displayName": "nightly", "kind": "SERVICE"}
    keyed = replace(client, tokens={**client.tokens, "key": made["secret"]})
    asked = "{ viewer { subject isAdmin user { id kind } } gen { datasets { nodes { id } } } }"
    answer = await keyed.ask(asked, user="key")
    itself = {"id": account["id"], "kind": "SERVICE"}
    assert answer.data == {
        "viewer": {"subject": account["externalAuthId"], "isAdmin": False, "user": itself},
        "gen": {"datasets": {"nodes": []}},
    }
    update = """mutation ($id: ID!) {
      serviceAccountUpdate(input: {id: $id, isActive: false}) {
        ... on ServiceAccountUpdatePayload { user { isActive } } ... on Error { code }
      }
    }"""
    ended = await client.ask(update, user="admin", variables={"id": account["id"]})
    assert ended.data == {"serviceAccountUpdate": {"user": {"isActive": False}}}
    assert await last_taken(keyed) < 1
