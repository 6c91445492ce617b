"""Denied and permission-changing operations leave entries in ClickHouse, once each, whatever is down meanwhile."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from gateway.denials import Denials
from gateway.settings import Settings
from loaders.audit.entry import Action, AuditEntry
from loaders.audit.outbox import append, deliver
from loaders.clickhouse.client import ClickHouse
from loaders.errors import Code, StoreUnavailable
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.postgres.write import transaction
from loaders.tables.databases import METADATA
from tests.system.client import Client

ENTRIES = """
query ($request: String!) {
  sense {
    auditEntries(where: {requestId: {eq: $request}}) {
      nodes { organizationId actor action resource context }
    }
  }
}
"""


async def entries(client: Client, request: str, enough: Callable[[list[Any]], bool]) -> list[dict[str, Any]]:
    """What the audit log has of a request, once it is enough."""
    async with asyncio.timeout(15):
        while True:
            answer = await client.ask(ENTRIES, {"request": request})
            nodes: list[dict[str, Any]] = answer.data["sense"]["auditEntries"]["nodes"]
            if enough(nodes):
                return nodes
            await asyncio.sleep(0.2)


def denied(resource: str, code: str, *, actor: str, count: int = 1) -> dict[str, Any]:
    context = {"code": code, "count": count}
    return {"organizationId": "0", "actor": actor, "action": "denied", "resource": resource, "context": context}


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("user", "document", "entry"),
    [
        (
            None,
            "{ gen { secret: datasets { nodes { id } } } }",
            denied("field:GenQuery.datasets", "UNAUTHENTICATED", actor=""),
        ),
        (
            "stranger",
            'mutation { genDataSourceCreate(input: {name: "no", connectorType: "x", settings: {}}) { __typename } }',
            denied("mutation:genDataSourceCreate", "FORBIDDEN", actor="user:demo|stranger"),
        ),
    ],
)
async def test_denials(client: Client, user: str | None, document: str, entry: dict[str, Any]) -> None:
    request = f"audit-{uuid.uuid4()}"
    await client.ask(document, user=user, x_request_id=request)
    assert await entries(client, request, bool) == [entry]


@pytest.mark.usefixtures("worker")
async def test_refused_token(client: Client) -> None:
    request = f"audit-{uuid.uuid4()}"
    forged = Client(client.http, client.url, {"forged": "not.a.token"})
    assert (await forged.ask("{ __typename }", user="forged", x_request_id=request)).status == 401
    assert await entries(client, request, bool) == [denied("token", "UNAUTHENTICATED", actor="")]


@pytest.mark.usefixtures("worker")
async def test_api_keys_and_roles(client: Client) -> None:
    request = f"audit-{uuid.uuid4()}"
    document = """mutation ($role: String!) {
      apiKeyCreate(input: {name: "audited", scopes: ["gen:read"]}) { ... on ApiKeyCreatePayload { apiKey { rowId } } }
      genRoleCreate(input: {name: $role, parentRoleId: "R2VuUm9sZToy"}) { __typename }
    }"""
    answer = await client.ask(document, {"role": request}, x_request_id=request)
    assert answer.data["genRoleCreate"]["__typename"] == "GenRoleCreatePayload"
    found = await entries(client, request, lambda nodes: len(nodes) == 2)
    actions = {node["action"]: node for node in found}
    assert actions.keys() == {"api_key.created", "permissions.tuples_changed"}
    assert {node["actor"] for node in found} == {"user:demo|admin"}
    assert actions["api_key.created"]["resource"] == f"api_key:{answer.data['apiKeyCreate']['apiKey']['rowId']}"
    (written,) = actions["permissions.tuples_changed"]["context"]["writes"]
    assert (written["relation"], written["user"]) == ("parent", "role:2")


async def test_only_administrators_read_it(client: Client) -> None:
    for user in ("analyst", "stranger"):
        answer = await client.ask("{ sense { auditEntries { nodes { id } totalCount } } }", user=user)
        assert answer.data["sense"]["auditEntries"] == {"nodes": [], "totalCount": 0}


async def test_a_flood_of_kinds_is_written(settings: Settings) -> None:
    """Kinds are the caller's to choose: a caller's, and all together, are bounded, and none is lost count of."""
    url = settings.databases.axion_sense.app_url.get_secret_value()
    postgres = await Postgres.open("axion_sense", url, pool_max=2, statement_timeout_ms=15_000)
    denials, request = Denials(postgres), f"audit-{uuid.uuid4()}"
    for caller in range(60):
        for field in range(110):
            denials.denied(f"{request}|{caller}", request, f"field:{field}{'x' * 1_000}", Code.FORBIDDEN)
    await denials.flush()
    outbox = METADATA["axion_sense"].tables["public.audit_outbox"]
    async with transaction(postgres, Ledger()) as within:
        left = sa.delete(outbox).where(outbox.c.request_id == request).returning(outbox.c.context, outbox.c.resource)
        rows = await within.rows(left)
    assert sum(row.context["count"] for row in rows) == 60 * 110
    assert len(rows) <= 5_100
    assert max(len(row.resource) for row in rows) <= 200
    await postgres.close()


async def test_delivered_once(settings: Settings, clickhouse_url: str, clickhouse_password: str) -> None:
    """A worker that died between ClickHouse and Postgres has left entries that are there already."""
    url = settings.databases.axion_gen.worker_url.get_secret_value()
    postgres = await Postgres.open("axion_gen", url, pool_max=2, statement_timeout_ms=5_000)
    clickhouse = ClickHouse.open(clickhouse_url, settings.clickhouse.username, clickhouse_password, "axion_sense")
    down = ClickHouse.open("http://127.0.0.1:1", "default", "", "axion_sense")
    request, ledger, outbox = f"audit-{uuid.uuid4()}", Ledger(), METADATA["axion_gen"].tables["public.audit_outbox"]
    entry = AuditEntry(Action.API_KEY_REVOKED, "user:someone", "api_key:x", request, {"unicode": "ü \u2028 🙂"})
    async with transaction(postgres, ledger) as within:
        await append(within, [entry, entry])
        left = [dict(row._mapping) for row in await within.rows(sa.select(outbox))]
    with pytest.raises(StoreUnavailable):
        await deliver(postgres, down, ledger=ledger)
    for _ in range(2):
        while await deliver(postgres, clickhouse, ledger=ledger):
            pass
        async with transaction(postgres, ledger) as within:
            assert not await within.rows(sa.select(outbox.c.id).where(outbox.c.request_id == request))
            await within.rows(sa.insert(outbox).values(left))
    while await deliver(postgres, clickhouse, ledger=ledger):
        pass
    rows = await clickhouse.query(
        "SELECT context FROM audit_log WHERE request_id = {request:String}", {"request": request}, ledger=ledger
    )
    assert [orjson.loads(each) for each in rows.column("context").to_pylist()] == [{"unicode": "ü \u2028 🙂"}] * 2
    for each in (postgres, clickhouse, down):
        await each.close()
