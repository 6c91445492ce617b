"""Content negotiation, by RFC 9110, 12.5.1, and what browsers send."""

import aiohttp
import pytest

from gateway.http.media_type import MediaType, accepted

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ARROW = MediaType.ARROW.value


@pytest.mark.parametrize(
    ("header", "best"),
    [
        (None, MediaType.JSON),
        (" ", MediaType.JSON),
        ("*/*", MediaType.JSON),
        ("application/*", MediaType.JSON),
        ("text/*", MediaType.EVENT_STREAM),
        (BROWSER, MediaType.JSON),
        ("text/html", None),
        ("application/json, application/graphql-response+json", MediaType.JSON),
        ("application/graphql-response+json, application/json;q=0.9", MediaType.GRAPHQL),
        ("application/json;q=0.5, application/graphql-response+json", MediaType.GRAPHQL),
        ("application/json;q=0", None),
        ("application/json;q=0, */*", MediaType.GRAPHQL),
        ("*/*, application/json;q=0", MediaType.GRAPHQL),
        ("application/json;q=0, application/graphql-response+json;q=0, */*", None),
        ("*/*, application/json", MediaType.JSON),
        ("*/*, application/json;q=0.1", MediaType.JSON),
        ("*/*;q=0", None),
        ("text/event-stream, */*;q=0.1", MediaType.EVENT_STREAM),
        ("text/event-stream;q=0, text/*", None),
        (f"{ARROW};q=0, */*", MediaType.JSON),
        ("multipart/mixed", MediaType.MIXED),
        ("multipart/mixed, application/json;q=0.1", MediaType.JSON),
        ("multipart/mixed;q=0", None),
        ("application/json;charset=latin1, */*", MediaType.JSON),
        ("application/json;q=high", None),
    ],
)
def test_for_an_operation(header: str | None, best: MediaType | None) -> None:
    assert accepted(header) is best


@pytest.mark.parametrize(
    ("header", "best"),
    [
        (None, MediaType.JSON),
        (BROWSER, MediaType.HTML),
        ("application/json, text/html;q=0.9", MediaType.JSON),
        ("text/html;q=0, */*", MediaType.JSON),
    ],
)
def test_where_a_page_may_be_answered(header: str | None, best: MediaType) -> None:
    assert accepted(header, page=True) is best


async def test_a_browser_gets_json_for_an_operation(client: aiohttp.ClientSession, url: str) -> None:
    async with client.get(url, params={"query": "{hello}"}, headers={"accept": BROWSER}) as answer:
        assert (answer.status, answer.content_type) == (200, MediaType.JSON)
    async with client.post(url, json={"query": "{hello}"}, headers={"accept": BROWSER}) as answer:
        assert (answer.status, answer.content_type) == (200, MediaType.JSON)
    async with client.get(url, headers={"accept": BROWSER}) as answer:
        assert (answer.status, answer.content_type) == (200, MediaType.HTML)


async def test_what_is_not_acceptable_is_told_without_the_page(client: aiohttp.ClientSession, url: str) -> None:
    async with client.post(url, json={"query": "{hello}"}, headers={"accept": "text/html"}) as answer:
        assert answer.status == 406
        assert "text/html" not in await answer.text()
