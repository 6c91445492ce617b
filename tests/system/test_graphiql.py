"""GraphiQL in a browser: what is typed into its editor of headers is sent as it is, and what is refused is told."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.local.provision.browser import installed, may_install
from tests.protocol.graphiql.browser import ANSWER, CHOOSE, EDITOR, RUN, SCHEMA, Page, open_page
from tests.system.client import ARROW, Client

_WRITE = """(() => {
  const [query, , headers] = [...document.querySelectorAll('.graphiql-query-editor, .graphiql-editor-tool')].flatMap(
    (place) => [...place.querySelectorAll('.CodeMirror')].map((editor) => editor.CodeMirror));
  headers.setValue(%s);
  query.setValue(%s);
  document.querySelector('.result-window .CodeMirror')?.CodeMirror.setValue('');
  return true;
})()"""
_TAKEN = "document.querySelector('.graphiql-tab-active')?.innerText.trim() === %s"
"""The page reads an operation's name and kind a moment after they were typed, and then shows the name."""


@pytest.fixture(scope="module")
async def page(client: Client) -> AsyncIterator[Page]:
    """Signed in as nobody but by what is typed."""
    if installed() is None and not may_install():
        pytest.skip("there is no browser, and none can be installed here")
    async with open_page() as page:
        await page.call("Page.navigate", url=f"{client.url}/graphiql")
        for shown in (EDITOR, SCHEMA, CHOOSE % json.dumps("")):
            await page.when(shown)
        yield page


async def shown(page: Page, headers: dict[str, str], name: str, document: str) -> Any:
    """What the page shows for the document of one operation with this name."""
    await page.when(_WRITE % (json.dumps(json.dumps(headers)), json.dumps(document)))
    await page.when(_TAKEN % json.dumps(name))
    await page.when(RUN)
    return json.loads(await page.when(ANSWER))


@pytest.mark.parametrize("header", ["Authorization", "authorization"])
async def test_a_token_that_is_typed(page: Page, client: Client, header: str) -> None:
    headers = {header: f"Bearer {client.tokens['analyst']}"}
    answer = await shown(page, headers, f"By{header}", f"query By{header} {{ viewer {{ subject }} }}")
    assert answer == {"data": {"viewer": {"subject": "demo|analyst"}}}


async def test_a_refused_token(page: Page) -> None:
    headers = {"Authorization": "Bearer forged"}
    answer = await shown(page, headers, "Refused", "query Refused { viewer { subject } }")
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]


async def test_a_refused_socket(page: Page) -> None:
    headers = {"Authorization": "Bearer forged"}
    answer = await shown(page, headers, "Socket", "subscription Socket { jobsUpdated { sequence } }")
    told = "The gateway closed the WebSocket: 4403 The bearer token is not a JWT."
    assert answer == {"errors": [{"message": told}]}


async def test_what_is_no_json(page: Page, client: Client) -> None:
    headers = {"Authorization": f"Bearer {client.tokens['admin']}", "Accept": ARROW}
    answer = await shown(page, headers, "Frames", "query Frames { sense { frames { nodes { lat } } } }")
    assert answer == {"errors": [{"message": f"HTTP 200, {ARROW}: GraphiQL shows JSON only."}]}
