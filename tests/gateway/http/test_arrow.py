"""Answers as Arrow that fail before their first record batch: they are told as a GraphQL response."""

from typing import Any

import aiohttp

from gateway.http.media_type import MediaType
from tests.gateway.http.test_answers import SECRET


async def _asked(client: aiohttp.ClientSession, url: str, query: str) -> tuple[aiohttp.ClientResponse, Any]:
    async with client.post(url, json={"query": query}, headers={"accept": MediaType.ARROW.value}) as answer:
        assert answer.content_type == "application/json", await answer.text()
        assert SECRET not in await answer.text()
        return answer, await answer.json()


async def test_an_error_nobody_foresaw_has_a_code_and_the_request_id(client: aiohttp.ClientSession, url: str) -> None:
    answer, body = await _asked(client, url, "{streamFails}")
    assert answer.status == 500
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "requestId": answer.headers["x-request-id"]}


async def test_a_failure_of_the_store_names_it(client: aiohttp.ClientSession, url: str) -> None:
    answer, body = await _asked(client, url, "{streamFails(store: true)}")
    assert answer.status == 503
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "STORE_UNAVAILABLE", "store": "clickhouse"}


async def test_what_is_no_list_is_refused(client: aiohttp.ClientSession, url: str) -> None:
    answer, body = await _asked(client, url, "{hello}")
    assert (answer.status, body["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")
