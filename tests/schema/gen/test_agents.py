"""Agents' actions are recorded by anyone, read by administrators and changed by nobody; chats and accounts are
personal.
"""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from loaders.encode.node_id import decode_node_id
from loaders.tables.axion_gen import external
from schema.build import build, graphql_schema
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.world import World

ENTRY = {"agent": "explorer", "action": "query_table", "datasetId": "@flights", "details": {"rows": 3}}
ENTRIES = "{ gen { agentAuditEntries { totalCount nodes { subject agent action outcome details dataset { name } } } } }"


async def test_agents_audit(world: World) -> None:
    selection = "agentAuditEntry { id }"
    assert (await world.do("ann", "genAgentAuditEntryCreate", ENTRY, selection))["agentAuditEntry"] is None
    data = (await world.ask("admin", ENTRIES))["gen"]["agentAuditEntries"]
    noted = {"subject": "ann", "agent": "explorer", "action": "query_table", "outcome": "SUCCEEDED"}
    assert data["nodes"] == [noted | {"details": {"rows": 3}, "dataset": {"name": "flights"}}]
    for user in ("ann", "steward", "stranger"):
        assert (await world.ask(user, ENTRIES))["gen"]["agentAuditEntries"] == {"totalCount": 0, "nodes": []}
    done = await world.do("ann", "genAgentAuditEntryCreate", ENTRY | {"datasetId": "@secret"})
    assert (done["__typename"], done["field"]) == ("InvalidInput", "datasetId")


async def test_an_entry_keeps_the_keys_of_what_is_gone(world: World) -> None:
    """It names a conversation by its global id, as every input does, which must be the caller's own."""
    chat = (await world.do("ann", "genChatSessionCreate", {"title": "x"}, "chatSession { id rowId }"))["chatSession"]
    entry = ENTRY | {"chatSessionId": chat["id"]}
    done = await world.do("bob", "genAgentAuditEntryCreate", entry)
    assert (done["__typename"], done["field"]) == ("InvalidInput", "chatSessionId")
    await world.do("ann", "genAgentAuditEntryCreate", entry)
    await world.do("ann", "genChatSessionDelete", {"id": chat["id"]})
    document = (
        "{ gen { agentAuditEntries { nodes { chatSession { id } chatSessionRowId dataset { rowId } datasetRowId } } } }"
    )
    (node,) = (await world.ask("admin", document))["gen"]["agentAuditEntries"]["nodes"]
    assert (node["chatSession"], node["chatSessionRowId"]) == (None, chat["rowId"])
    assert node["dataset"] == {"rowId": node["datasetRowId"]}


def test_nothing_changes_an_audit_entry() -> None:
    mutations = graphql_schema(build()).mutation_type
    assert mutations is not None
    assert [name for name in mutations.fields if "AuditEntry" in name] == ["genAgentAuditEntryCreate"]


@pytest.mark.parametrize(
    "messages",
    [
        {"role": "user", "content": "x"},
        [{"role": "user"}],
        [{"role": "ghost", "content": "x"}],
        [{"role": "user", "content": "x", "at": "yesterday"}],
        [{"role": "user", "content": "x", "at": "2026-01-01T00:00:00"}],
        [{"role": "user", "content": "x", "mood": "good"}],
    ],
)
async def test_messages_have_a_shape(world: World, messages: Any) -> None:
    done = await world.do("ann", "genChatSessionCreate", {"title": "x", "messages": messages})
    assert (done["__typename"], done["field"]) == ("InvalidInput", "messages")


async def test_a_chat_takes_its_artifacts(world: World) -> None:
    chat = (await world.do("ann", "genChatSessionCreate", {"title": "x"}, "chatSession { id }"))["chatSession"]["id"]
    artifact = {"kind": "QUERY", "title": "x", "content": {"sql": "SELECT 1"}, "chatSessionId": chat}
    done = await world.do("bob", "genArtifactVersionCreate", artifact)
    assert (done["__typename"], done["field"]) == ("InvalidInput", "chatSessionId")
    done = await world.do("ann", "genArtifactVersionCreate", artifact, "artifactVersion { chatSession { title } }")
    assert done["artifactVersion"] == {"chatSession": {"title": "x"}}
    await world.do("ann", "genChatSessionDelete", {"id": chat})
    left = await world.ask("ann", "{ gen { artifactVersions { totalCount } } }")
    assert left["gen"]["artifactVersions"]["totalCount"] == 0


API = {
    "name": "Weather",
    "baseUrl": "https://weather.example/v1",
    "authorizationUrl": "https://weather.example/authorize",
    "tokenUrl": "https://weather.example/token",
    "clientId": "axion",
    "scopes": ["forecast"],
}
APIS = "{ gen { externalApis { nodes { name account { scopes keyVersion } } } } }"


async def test_an_account_is_its_owner_s_and_its_token_nobody_s(world: World, stores: GenStores) -> None:
    await world.do("ann", "genChatSessionCreate", {"title": "makes ann a user"})
    api = (await world.do("admin", "genExternalApiCreate", API, "externalApi { id }"))["externalApi"]["id"]
    sealed = stores.keyring.seal(b"planted-refresh-token")
    async with stores.postgres["axion_gen"].transaction() as session:
        session.add(
            external.UserExternalApiToken(
                owner_subject="ann",
                external_api_id=UUID(decode_node_id(api)[1]),
                encrypted_token=sealed.ciphertext,
                nonce=sealed.nonce,
                tag=sealed.tag,
                key_version=sealed.key_version,
                scopes=["forecast"],
            )
        )
    account = {"scopes": ["forecast"], "keyVersion": 1}
    for user, seen in {"ann": account, "bob": None, "admin": None, "stranger": None}.items():
        nodes = (await world.ask(user, APIS))["gen"]["externalApis"]["nodes"]
        assert nodes == [{"name": "Weather", "account": seen}], user
    shown = set(graphql_schema(build()).type_map["GenExternalAccount"].fields)  # type: ignore[attr-defined]
    assert shown == {
        *("id", "rowId", "keyVersion", "scopes", "expiresAt", "refreshedAt", "createdAt", "updatedAt", "api"),
    }
    ids = await world.ask("ann", "{ gen { externalAccounts { nodes { id } } } }")
    id_ = ids["gen"]["externalAccounts"]["nodes"][0]["id"]
    for user in ("bob", "admin"):
        assert (await world.do(user, "genExternalAccountDelete", {"id": id_}))["__typename"] == "Absent"
    done = await world.do("ann", "genExternalAccountDelete", {"id": id_}, "deletedId")
    assert done["deletedId"] == id_
    async with stores.postgres["axion_gen"].transaction() as session:
        assert (await session.execute(sa.select(sa.func.count(external.UserExternalApiToken.id)))).scalar_one() == 0
