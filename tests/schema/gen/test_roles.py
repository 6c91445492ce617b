"""Roles through the schema: what a client sends and receives."""

import inspect
from collections.abc import AsyncIterator
from typing import Any, cast

import orjson
import pytest
import sqlalchemy as sa

from gateway.http.documents import Documents
from gateway.http.execution import execute
from gateway.settings import Limits
from loaders.encode.node_id import encode_node_id
from loaders.ledger import Ledger
from loaders.openfga.client import OpenFga
from loaders.stores import Stores
from loaders.tables.axion_gen.identity import Role, User, UserRole
from resolvers.context import Context
from schema.build import build, graphql_schema
from tests.resolvers.gen.conftest import As, GenStores

CREATE = """mutation($input: GenRoleCreateInput!) { genRoleCreate(input: $input) {
  __typename
  ... on GenRoleCreatePayload { role { id name parent { name } } permissionsPending }
  ... on Error { message code } ... on Conflict { field } } }"""
FLAGS = """mutation($input: GenRoleFlagsSetInput!) { genRoleFlagsSet(input: $input) {
  __typename ... on GenRoleFlagsSetPayload { role { hasViewDataset hasViewTable } permissionsPending }
  ... on Error { code } } }"""
ASSIGN = """mutation($input: GenRoleAssignUserInput!) { genRoleAssignUser(input: $input) {
  __typename ... on GenRoleAssignUserPayload { role { users { nodes { user { email } } } } } } }"""
RESOURCE = """mutation($input: GenRoleAssignResourceInput!) { genRoleAssignResource(input: $input) {
  __typename ... on GenRoleAssignResourcePayload { role { assignments { nodes { resourceType } } } }
  ... on InvalidInput { message field } } }"""
DELETE = """mutation($input: GenRoleDeleteInput!) { genRoleDelete(input: $input) {
  __typename ... on GenRoleDeletePayload { deletedId permissionsPending } ... on Error { code } } }"""
CREATE_USER = """mutation($input: GenUserCreateInput!) { genUserCreate(input: $input) {
  __typename ... on GenUserCreatePayload { user { id externalAuthId email isActive } } ... on Conflict { field } } }"""
UPDATE_USER = """mutation($input: GenUserUpdateInput!) { genUserUpdate(input: $input) {
  __typename ... on GenUserUpdatePayload { user { email isActive roles { totalCount } } permissionsPending }
  ... on InvalidInput { field } } }"""
SEEN = """{ gen {
  roles { nodes { name users { nodes { user { email } } } assignments { totalCount } } }
  users { nodes { email roles { nodes { role { name } } } } } } }"""


@pytest.fixture(autouse=True)
async def _people(stores: GenStores) -> AsyncIterator[None]:
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.text("TRUNCATE roles, users, idempotency_keys RESTART IDENTITY CASCADE"))
        await session.execute(sa.insert(Role), [{"id": 1, "name": "Admin", "is_built_in": True}])
        await session.execute(sa.text("ALTER TABLE roles ALTER COLUMN id RESTART WITH 100"))
        people = [{"id": i, "external_auth_id": name, "email": f"{name}@x.org"} for i, name in ((1, "ann"), (2, "bob"))]
        await session.execute(sa.insert(User), people)
        await session.execute(sa.text("ALTER TABLE users ALTER COLUMN id RESTART WITH 100"))
    yield
    async with stores.postgres["axion_gen"].transaction() as session:
        await session.execute(sa.delete(UserRole))


async def ask(document: str, context: Context, **input_: Any) -> Any:
    schema = graphql_schema(build())
    result = execute(schema, Documents(schema, Limits()).prepare(document, None), {"input": input_}, context)
    answer = await result if inspect.isawaitable(result) else result
    assert answer.errors is None
    data = orjson.loads(orjson.dumps(answer.data))
    return next(iter(data.values()))


def role(id_: int) -> str:
    return encode_node_id("GenRole", [str(id_)])


def user(id_: int) -> str:
    return encode_node_id("GenUser", [str(id_)])


async def test_a_role_is_made_given_and_seen_by_whom_it_concerns(as_: As) -> None:
    made = await ask(CREATE, as_("admin"), name="Roads", parentRoleId=role(1))
    assert made == {
        "__typename": "GenRoleCreatePayload",
        "role": {"id": role(100), "name": "Roads", "parent": {"name": "Admin"}},
        "permissionsPending": False,
    }
    flagged = await ask(FLAGS, as_("admin"), id=role(100), hasViewDataset=True, hasViewTable=False)
    assert flagged["role"] == {"hasViewDataset": True, "hasViewTable": False}
    await ask(ASSIGN, as_("admin"), id=role(100), userId=user(1))
    given = await ask(ASSIGN, as_("admin"), id=role(100), userId=user(2))
    assert given["role"]["users"]["nodes"] == [{"user": {"email": "ann@x.org"}}, {"user": {"email": "bob@x.org"}}]
    assigned = await ask(RESOURCE, as_("admin"), id=role(100), resourceType="SYSTEM")
    assert assigned["role"]["assignments"]["nodes"] == [{"resourceType": "SYSTEM"}]

    ann = {"email": "ann@x.org", "roles": {"nodes": [{"role": {"name": "Roads"}}]}}
    seen = await ask(SEEN, as_("ann"))
    assert seen["users"]["nodes"] == [ann]  # herself, and no e-mail of another who holds the role
    holders = {"nodes": [{"user": {"email": "ann@x.org"}}]}
    assert seen["roles"]["nodes"] == [{"name": "Roads", "users": holders, "assignments": {"totalCount": 1}}]
    seen = await ask(SEEN, as_("stranger"))
    assert seen == {"roles": {"nodes": []}, "users": {"nodes": []}}
    seen = await ask(SEEN, as_("admin"))
    assert [each["email"] for each in seen["users"]["nodes"]] == ["ann@x.org", "bob@x.org"]
    assert [each["name"] for each in seen["roles"]["nodes"]] == ["Admin", "Roads"]

    gone = await ask(DELETE, as_("admin"), id=role(100))
    assert gone == {"__typename": "GenRoleDeletePayload", "deletedId": role(100), "permissionsPending": False}
    assert (await ask(SEEN, as_("ann")))["roles"]["nodes"] == []


async def test_a_user_is_created_given_a_role_and_deactivated(as_: As) -> None:
    made = await ask(CREATE_USER, as_("admin"), externalAuthId="zoe", email="zoe@x.org")
    shown = {"id": user(100), "externalAuthId": "zoe", "email": "zoe@x.org", "isActive": True}
    assert made == {"__typename": "GenUserCreatePayload", "user": shown}
    taken = await ask(CREATE_USER, as_("admin"), externalAuthId="zoe")
    assert taken == {"__typename": "Conflict", "field": "externalAuthId"}
    await ask(CREATE, as_("admin"), name="Roads")
    await ask(ASSIGN, as_("admin"), id=role(100), userId=user(100))
    left = await ask(UPDATE_USER, as_("admin"), id=user(100), isActive=False, email=None)
    shown = {"email": None, "isActive": False, "roles": {"totalCount": 1}}
    assert left == {"__typename": "GenUserUpdatePayload", "user": shown, "permissionsPending": False}
    unclear = await ask(UPDATE_USER, as_("admin"), id=user(100), isActive=None)
    assert unclear == {"__typename": "InvalidInput", "field": "isActive"}
    assert (await ask(UPDATE_USER, as_("ann"), id=user(100), email="x"))["__typename"] == "NotAllowed"


async def test_failures_are_data(as_: As) -> None:
    taken = await ask(CREATE, as_("admin"), name="Admin")
    assert (taken["__typename"], taken["code"], taken["field"]) == ("Conflict", "CONFLICT", "name")
    assert (await ask(FLAGS, as_("ann"), id=role(1), hasViewTable=True))["__typename"] == "NotAllowed"
    assert (await ask(FLAGS, as_("admin"), id=role(1), hasViewTable=True))["__typename"] == "Conflict"
    assert (await ask(DELETE, as_("admin"), id=role(12345)))["__typename"] == "Absent"
    for wrong in (
        {"resourceType": "SYSTEM", "tableName": "a"},
        {"resourceType": "TABLE", "datasetId": "x"},
        {"resourceType": "DATASET"},
        {"resourceType": "DATASOURCE", "dataSourceId": "x", "datasetId": "x"},
    ):
        answer = await ask(RESOURCE, as_("admin"), id=role(1), **wrong)
        assert (answer["__typename"], answer["field"]) == ("InvalidInput", "resourceType")


async def test_a_retried_mutation_is_done_once(as_: As, stores: GenStores) -> None:
    def context() -> Context:
        made = as_("admin")
        made.idempotency_key = "one"
        return made

    first = await ask(CREATE, context(), name="Roads")
    assert await ask(CREATE, context(), name="Roads") == first
    other = await ask(CREATE, context(), name="Streets")
    assert other["__typename"] == "Conflict"
    notes = "SELECT object FROM openfga_outbox"
    await ask(FLAGS, context(), id=role(100), hasViewTable=True)
    await ask(FLAGS, context(), id=role(100), hasViewTable=True)
    assert len(await stores.postgres["axion_gen"].fetch(notes, ledger=Ledger())) == 1


async def test_a_change_openfga_cannot_take_yet_is_pending_until_a_retry(as_: As, stores: GenStores) -> None:
    await ask(CREATE, as_("admin"), name="Roads")
    away = await OpenFga.open(url="http://127.0.0.1:1", token=None, store="axion", timeout_ms=1_000)
    context = as_("admin")
    context.idempotency_key = "one"
    context.stores = cast(Stores, GenStores(stores.postgres, away, stores.warehouses, stores.keyring))
    answer = await ask(FLAGS, context, id=role(100), hasViewTable=True)
    await away.close()
    assert answer["permissionsPending"] is True
    assert answer["role"] == {"hasViewDataset": False, "hasViewTable": True}
    again = as_("admin")
    again.idempotency_key = "one"
    assert (await ask(FLAGS, again, id=role(100), hasViewTable=True))["permissionsPending"] is False
    held = [found.relation async for found in stores.openfga.read(object_="role:100", ledger=Ledger())]
    assert held == ["has_view_table"]
