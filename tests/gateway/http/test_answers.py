"""What a good request gets."""

from typing import Any

import aiohttp
import pytest

SECRET = "hunter2"


async def ask(client: aiohttp.ClientSession, url: str, query: str, **headers: str) -> Any:
    async with client.post(url, json={"query": query}, headers=headers) as answer:
        assert answer.status == 200
        return await answer.json(content_type=None)


async def test_query_by_get(client: aiohttp.ClientSession, url: str) -> None:
    parameters = {"query": "query($n: String!) {hello(name: $n)}", "variables": '{"n": "Ada"}'}
    async with client.get(url, params=parameters) as answer:
        assert await answer.json() == {"data": {"hello": "Hello, Ada!"}}


async def test_fragments_pass_through(client: aiohttp.ClientSession, url: str) -> None:
    async with client.post(url, json={"query": "{fragment {name value}}"}) as answer:
        assert await answer.read() == b'{"data":{"fragment":{"name":"spliced","value":12345678901234567890}}}'


async def test_spliced_values_are_not_completed(client: aiohttp.ClientSession, url: str) -> None:
    answer = await ask(client, url, "{spliced {name}}")
    assert answer == {"data": {"spliced": [{"name": "a"}, {"name": None}]}}


async def test_spliced_null_in_a_non_null_field_is_an_error(client: aiohttp.ClientSession, url: str) -> None:
    answer = await ask(client, url, "{splicedNull {name}}")
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"


async def test_known_errors_are_shown(client: aiohttp.ClientSession, url: str) -> None:
    answer = await ask(client, url, "{hello forbidden storeDown}")
    assert answer["data"] == {"hello": "Hello, world!", "forbidden": None, "storeDown": None}
    assert [(error["path"], error["extensions"]) for error in answer["errors"]] == [
        (["forbidden"], {"code": "FORBIDDEN"}),
        (["storeDown"], {"code": "STORE_UNAVAILABLE", "store": "clickhouse"}),
    ]


@pytest.mark.parametrize("field", ["broken", "brokenNonNull", "notAnInt"])
async def test_unknown_errors_are_masked(client: aiohttp.ClientSession, url: str, field: str) -> None:
    async with client.post(url, json={"query": f"{{{field}}}"}) as answer:
        text = await answer.text()
        (error,) = (await answer.json())["errors"]
    request_id = answer.headers["x-request-id"]
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "requestId": request_id}
    assert request_id in error["message"]
    assert SECRET not in text


async def test_what_cannot_be_encoded_is_an_internal_error(client: aiohttp.ClientSession, url: str) -> None:
    async with client.post(url, json={"query": "{notJson {name}}"}) as answer:
        assert answer.status == 500
        assert (await answer.json())["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"


@pytest.mark.parametrize("how", ["header", "extension"])
async def test_ledger_on_request(client: aiohttp.ClientSession, url: str, how: str) -> None:
    body: dict[str, Any] = {"query": "{storeDown}"}
    headers = {}
    if how == "header":
        headers["x-axion-stores"] = "1"
    else:
        body["extensions"] = {"stores": True}
    async with client.post(url, json=body, headers=headers) as answer:
        usage = (await answer.json())["extensions"]
    assert usage == {"stores": {"clickhouse": {"statements": 1, "rows": 2, "bytes": 10, "ms": 1.5}}}


async def test_no_ledger_unasked(client: aiohttp.ClientSession, url: str) -> None:
    assert "extensions" not in await ask(client, url, "{storeDown}")


@pytest.mark.parametrize("sent", ["abc-123", "a" * 128, "01a1fd97-fedc-7ce9-aa72-11dcf40aadc4"])
async def test_request_id_is_taken_over(client: aiohttp.ClientSession, url: str, sent: str) -> None:
    async with client.post(url, json={"query": "{requestId}"}, headers={"x-request-id": sent}) as answer:
        assert answer.headers["x-request-id"] == sent
        assert (await answer.json())["data"]["requestId"] == sent


@pytest.mark.parametrize("sent", ["", "a" * 129, "a b", '"', "é"])
async def test_request_id_is_replaced(client: aiohttp.ClientSession, url: str, sent: str) -> None:
    async with client.post(url, json={"query": "{requestId}"}, headers={"x-request-id": sent}) as answer:
        given = answer.headers["x-request-id"]
    assert given != sent
    assert len(given) == 36


async def test_operation_by_name(client: aiohttp.ClientSession, url: str) -> None:
    body = {"query": 'query a {hello} query b {hello(name: "b")}', "operationName": "b"}
    async with client.post(url, json=body) as answer:
        assert await answer.json() == {"data": {"hello": "Hello, b!"}}


async def test_documents_are_cached_by_text_alone(client: aiohttp.ClientSession, url: str) -> None:
    """The same text again, with other variables and another operation, is answered for those."""
    text = "query a($n: String!) {hello(name: $n)} mutation b {set(value: 2)}"
    for name, variables, data in (
        ("a", {"n": "1"}, {"hello": "Hello, 1!"}),
        ("b", None, {"set": 2}),
        ("a", {"n": "2"}, {"hello": "Hello, 2!"}),
    ):
        body = {"query": text, "operationName": name, "variables": variables}
        async with client.post(url, json=body) as answer:
            assert await answer.json() == {"data": data}


@pytest.mark.parametrize(
    "query",
    ["{ __typename }", "query Probe { a: __typename __typename a: __typename }", "{ ... { __typename } }"],
)
async def test_the_name_of_the_query_type(client: aiohttp.ClientSession, url: str, query: str) -> None:
    """As the executor would answer it, whether it is asked or not."""
    async with (
        client.post(url, json={"query": query}) as plain,
        client.post(url, json={"query": query, "variables": {"no": 1}, "extensions": {"stores": True}}) as executed,
    ):
        assert (await plain.json())["data"] == (await executed.json())["data"]
        assert list((await plain.json())["data"]) == list((await executed.json())["data"])
