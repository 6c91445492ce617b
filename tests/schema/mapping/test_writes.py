"""Declared mutations as a client sends them: over HTTP, with the schema, guards and a database of their own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
import pytest
from graphql import GraphQLInputObjectType

from gateway.app import create_app
from gateway.lifespan import Runtime
from gateway.settings import Settings
from loaders.encode.node_id import encode_node_id
from loaders.ledger import Ledger
from resolvers.context import Context
from resolvers.permissions.guards import WriteGuard
from resolvers.subject import Subject
from schema.build import build, graphql_schema
from schema.mapping.writes import creates, updates
from tests.gateway.auth.serving import serving
from tests.gateway.http.application import settings_without_stores
from tests.resolvers.written_database import OURS, SHARED, THEIRS, World

FAILURES = "... on Error { message code } ... on InvalidInput { field } ... on Conflict { field }"
CREATE = f"""mutation($input: SenseHoldCreateInput!) {{ done: senseHoldCreate(input: $input) {{
  __typename {FAILURES}
  ... on SenseHoldCreatePayload {{ hold {{ id message location organization {{ name holds {{ totalCount }} }} }} }}
}} }}"""
UPDATE = f"""mutation($input: SenseHoldUpdateInput!) {{ done: senseHoldUpdate(input: $input) {{
  __typename {FAILURES}
  ... on SenseHoldUpdatePayload {{ hold {{ id message location organization {{ name }} }} }}
}} }}"""
DELETE = f"""mutation($input: SenseHoldDeleteInput!) {{ done: senseHoldDelete(input: $input) {{
  __typename {FAILURES} ... on SenseHoldDeletePayload {{ deletedId }}
}} }}"""
RENAME = f"""mutation($input: AuraWorkspaceUpdateInput!) {{ done: auraWorkspaceUpdate(input: $input) {{
  __typename {FAILURES} ... on AuraWorkspaceUpdatePayload {{ workspace {{ id name updatedAt }} }}
}} }}"""
POINT = {"type": "Point", "coordinates": [6.1, 46.2, 400.5]}
WORKSPACE = encode_node_id("AuraWorkspace", ["w1"])


def organization(id_: int) -> str:
    return encode_node_id("SenseOrganization", [str(id_)])


def hold(**changes: Any) -> dict[str, Any]:
    return {"organizationId": organization(OURS), "location": POINT, "message": "ice"} | changes


class Named:
    """Whoever a token names is who asks: what they may do is decided here, who they are elsewhere."""

    async def subject(self, authorization: str, _: Ledger) -> tuple[Subject, datetime | None]:
        return Subject(authorization.removeprefix("Bearer ")), None


@dataclass(frozen=True, slots=True)
class Api:
    http: aiohttp.ClientSession
    url: str

    async def ask(
        self, document: str, input_: Mapping[str, Any], *, user: str = "admin", key: str | None = None
    ) -> Any:
        headers = {"authorization": f"Bearer {user}"} if user else {}
        headers |= {"idempotency-key": key} if key is not None else {}
        body = {"query": document, "variables": {"input": input_}}
        async with self.http.post(self.url, json=body, headers=headers) as response:
            return await response.json()

    async def do(self, document: str, input_: Mapping[str, Any], **how: Any) -> Any:
        answer = await self.ask(document, input_, **how)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]["done"]


@pytest.fixture
async def api(world: World) -> AsyncIterator[Api]:
    def context(subject: Subject, *_: object) -> Context:
        return world.as_(subject.id)

    @asynccontextmanager
    async def opened(_: Settings) -> AsyncIterator[Runtime]:
        yield Runtime(Named(), context)

    application = create_app(settings_without_stores(), build(), opened=opened)
    async with serving(application, lifespan="on") as origin, aiohttp.ClientSession() as http:
        yield Api(http, f"{origin}/graphql")


@pytest.fixture
async def made(api: Api) -> str:
    id_: str = (await api.do(CREATE, hold()))["hold"]["id"]
    return id_


@pytest.mark.parametrize("user", ["admin", "member", "root"])
async def test_the_payload_is_read_like_any_query(api: Api, user: str) -> None:
    done = await api.do(CREATE, hold(), user=user)
    assert done == {
        "__typename": "SenseHoldCreatePayload",
        "hold": {
            "id": done["hold"]["id"],
            "message": "ice",
            "location": POINT,
            "organization": {"name": "ours", "holds": {"totalCount": 1}},
        },
    }


async def test_what_a_patch_leaves_out_stays(api: Api, made: str) -> None:
    done = await api.do(UPDATE, {"id": made, "patch": {"message": "melted"}})
    expected = {"id": made, "message": "melted", "location": POINT, "organization": {"name": "ours"}}
    assert done["hold"] == expected
    done = await api.do(UPDATE, {"id": made, "patch": {"organizationId": organization(SHARED)}})
    assert done["hold"] == expected | {"organization": {"name": "shared"}}


async def test_a_deleted_row_is_gone(api: Api, world: World, made: str) -> None:
    assert await api.do(DELETE, {"id": made}) == {"__typename": "SenseHoldDeletePayload", "deletedId": made}
    assert await world.direct.fetchval("SELECT count(*) FROM road_data.holds") == 0
    assert (await api.do(DELETE, {"id": made}))["__typename"] == "Absent"


FLAT = {"type": "Point", "coordinates": [1, 2]}
REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "null": ({"message": None}, "InvalidInput", "message", "BAD_USER_INPUT"),
    "U+0000": ({"message": "a\x00"}, "InvalidInput", "message", "BAD_USER_INPUT"),
    "no altitude": ({"location": FLAT}, "InvalidInput", "location", "BAD_USER_INPUT"),
    "line": ({"location": {"type": "LineString"}}, "InvalidInput", "location", "BAD_USER_INPUT"),
    "hidden": ({"organizationId": organization(THEIRS)}, "InvalidInput", "organizationId", "BAD_USER_INPUT"),
    "nowhere": ({"organizationId": organization(99)}, "InvalidInput", "organizationId", "BAD_USER_INPUT"),
    "malformed": ({"organizationId": "1"}, "InvalidInput", "organizationId", "INVALID_ID"),
    "other type": ({"organizationId": WORKSPACE}, "InvalidInput", "organizationId", "INVALID_ID"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_used_names_its_field(api: Api, world: World, made: str, case: str) -> None:
    values, kind, field, code = REFUSED[case]
    before = await world.everything()
    answers = [await api.do(UPDATE, {"id": made, "patch": values})]
    if None not in values.values():  # GraphQL itself refuses a null for a required field
        answers.append(await api.do(CREATE, hold(**values)))
    for done in answers:
        assert (done["__typename"], done["field"], done["code"]) == (kind, field, code)
    assert await world.everything() == before


@pytest.mark.parametrize("left_out", ["organizationId", "location", "message"])
async def test_what_is_required_is_in_the_schema(api: Api, world: World, left_out: str) -> None:
    before = await world.everything()
    answer = await api.ask(CREATE, {name: value for name, value in hold().items() if name != left_out})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert await world.everything() == before


DENIED = {"stranger": ("Absent", "NOT_FOUND"), "nobody": ("Absent", "NOT_FOUND")}


@pytest.mark.parametrize("user", DENIED)
async def test_a_hidden_row_is_absent(api: Api, world: World, made: str, user: str) -> None:
    before = await world.everything()
    for document, more in ((UPDATE, {"patch": {"message": "x"}}), (DELETE, {})):
        hidden = await api.do(document, {"id": made, **more}, user=user)
        missing = await api.do(document, {"id": encode_node_id("SenseHold", ["999999"]), **more}, user=user)
        assert hidden == missing
        assert (hidden["__typename"], hidden["code"]) == DENIED[user]
    assert await world.everything() == before


async def test_who_sees_and_may_not_write_is_told_so(api: Api, world: World) -> None:
    before = await world.everything()
    given = {"id": WORKSPACE, "patch": {"name": "x"}}
    assert (await api.do(RENAME, given, user="member"))["__typename"] == "NotAllowed"
    assert (await api.do(RENAME, given, user="stranger"))["__typename"] == "Absent"
    assert await world.everything() == before


async def test_the_anonymous_write_nothing(api: Api, world: World, made: str) -> None:
    before = await world.everything()
    for document, given in (
        (CREATE, hold()),
        (UPDATE, {"id": made, "patch": {"message": "x"}}),
        (DELETE, {"id": made}),
    ):
        answer = await api.ask(document, given, user="")
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await world.everything() == before


async def test_an_expected_updated_at_that_is_read_back_works_once(api: Api, world: World) -> None:
    """To the microsecond, through JSON and back."""
    read = (await api.do(RENAME, {"id": WORKSPACE, "patch": {"name": "Two"}}))["workspace"]["updatedAt"]
    given = {"id": WORKSPACE, "expectedUpdatedAt": read, "patch": {"name": "Three"}}
    assert (await api.do(RENAME, given))["workspace"]["name"] == "Three"
    before = await world.everything()
    stale = await api.do(RENAME, {**given, "patch": {"name": "Four"}})
    assert (stale["__typename"], stale["field"]) == ("Conflict", "expectedUpdatedAt")
    assert await world.everything() == before


async def test_a_text_that_is_too_long_for_its_column(api: Api) -> None:
    done = await api.do(RENAME, {"id": WORKSPACE, "patch": {"name": "x" * 501}})
    assert (done["__typename"], done["field"]) == ("InvalidInput", "name")


async def test_retries_with_the_header_make_one_row(api: Api, world: World) -> None:
    answers = await asyncio.gather(*(api.do(CREATE, hold(), key="k") for _ in range(4)))
    assert len({answer["hold"]["id"] for answer in answers}) == 1
    assert answers[0]["hold"]["message"] == "ice"
    assert await world.direct.fetchval("SELECT count(*) FROM road_data.holds") == 1
    done = await api.do(CREATE, hold(message="other"), key="k")
    assert (done["__typename"], done["field"]) == ("Conflict", None)
    assert (await api.do(CREATE, hold(), user="member", key="k"))["hold"]["id"] != answers[0]["hold"]["id"]
    assert await world.direct.fetchval("SELECT count(*) FROM road_data.holds") == 2


async def test_extensions_carry_the_key_where_headers_cannot(api: Api, world: World) -> None:
    body = {"query": CREATE, "variables": {"input": hold()}, "extensions": {"idempotencyKey": "k"}}
    async with api.http.post(api.url, json=body) as response:
        assert (await response.json())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    async with api.http.post(api.url, json=body, headers={"authorization": "Bearer admin"}) as response:
        by_http = (await response.json())["data"]
    async with api.http.ws_connect(api.url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"authorization": "Bearer admin"}})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": body})
        by_websocket = (await socket.receive_json())["payload"]["data"]
    assert by_websocket == by_http
    assert await world.direct.fetchval("SELECT count(*) FROM road_data.holds") == 1
    async with api.http.post(api.url, json=body | {"extensions": {"idempotencyKey": 1}}) as response:
        assert response.status == 400


async def test_two_of_a_mutation_in_one_document_are_two(api: Api, world: World) -> None:
    document = """mutation($input: SenseHoldCreateInput!) {
      one: senseHoldCreate(input: $input) { ... on SenseHoldCreatePayload { hold { id } } }
      two: senseHoldCreate(input: $input) { ... on SenseHoldCreatePayload { hold { id } } }
    }"""
    first, again = [(await api.ask(document, hold(), key="k"))["data"] for _ in range(2)]
    assert first == again
    assert first["one"] != first["two"]
    assert await world.direct.fetchval("SELECT count(*) FROM road_data.holds") == 2


def test_only_tables_with_updated_at_expect_it() -> None:
    types = graphql_schema(build()).type_map
    fields = {}
    for name in ("SenseHoldUpdateInput", "AuraWorkspaceUpdateInput"):
        type_ = types[name]
        assert isinstance(type_, GraphQLInputObjectType)
        fields[name] = list(type_.fields)
    assert fields == {
        "SenseHoldUpdateInput": ["id", "patch"],
        "AuraWorkspaceUpdateInput": ["id", "expectedUpdatedAt", "patch"],
    }


@pytest.mark.parametrize(
    ("name", "columns", "guard", "error"),
    [
        ("GenDataSource", ("encrypted_credentials",), "id", "does not expose encrypted_credentials"),
        ("SenseHold", ("id", "user_id"), "organization_id", "does not expose user_id"),
        ("SenseHold", ("message",), "user_id", "no column user_id to guard"),
        ("SenseHold", ("message",), "organization_id", "needs organization_id, location"),
    ],
)
def test_declarations_that_are_refused(name: str, columns: tuple[str, ...], guard: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        creates(name, guard=WriteGuard("organization", "can_view", guard), columns=columns, description="X.")


@pytest.mark.parametrize("column", ["id", "updated_at"])
def test_keys_and_updated_at_are_not_the_callers(column: str) -> None:
    guard = WriteGuard("workspace", "can_admin", "id")
    with pytest.raises(ValueError, match=f"not the caller's to change \\({column}\\)"):
        updates("AuraWorkspace", guard=guard, columns=(column,), description="X.")
