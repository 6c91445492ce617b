"""Opens GraphiQL in headless Chromium, runs a tab's document and takes a picture of the answer.

    python -m tests.protocol.graphiql.screenshot http://127.0.0.1:8000/graphiql out.png --user analyst --tab Flights

Fails when the editor does not come up, when the answer has errors, or when the browser asked any other origin.
"""

import argparse
import asyncio
import base64
import json
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

_SIZE = (1440, 900)
_WAIT_S = 30.0
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--disable-quic",
    "--remote-debugging-port=0",
)

_WHEN = """new Promise((done, failed) => {
  const look = () => { const found = (() => %s)(); if (found) { watcher.disconnect(); done(found); } };
  const watcher = new MutationObserver(look);
  watcher.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  setTimeout(() => failed(new Error('not within the time: ' + document.body.innerText.slice(0, 500))), %d);
  look();
})"""
_EDITOR = "document.querySelector('.graphiql-query-editor .CodeMirror-code')?.innerText.includes('{')"
_SCHEMA = "!document.querySelector('.graphiql-spinner')"
_RUN = "(document.querySelector('.graphiql-execute-button').click(), true)"
_ANSWER = """(() => {
  const shown = document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue();
  return !document.querySelector('.graphiql-spinner') && shown?.includes('{') && shown;
})()"""


class Page:
    """One tab, over the DevTools protocol. `requested` are the addresses it asked for, WebSockets too."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._calls = 0
        self.requested: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._calls += 1
        await self._socket.send_json({"id": self._calls, "method": method, "params": parameters})
        async with asyncio.timeout(_WAIT_S + 10):
            while True:
                message = await self._socket.receive_json()
                self._note(message)
                if message.get("id") == self._calls:
                    break
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        answer: dict[str, Any] = message["result"]
        return answer

    async def when(self, condition: str) -> Any:
        """The value of the JavaScript expression once it is true; the page tells when it changes."""
        expression = _WHEN % (condition, _WAIT_S * 1000)
        answer = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", "the page failed"))
        return answer["result"].get("value")

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Network.requestWillBeSent":
            self.requested.append(message["params"]["request"]["url"])
        elif message.get("method") == "Network.webSocketCreated":
            self.requested.append(message["params"]["url"])


@asynccontextmanager
async def open_page() -> AsyncIterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise RuntimeError("there is no chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        width, height = _SIZE
        command = [chromium, *_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}", "about:blank"]
        process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=PIPE)
        try:
            async with aiohttp.ClientSession() as session:
                host = await _devtools(process)
                async with session.get(f"http://{host}/json/list") as answer:
                    tab = next(each for each in await answer.json() if each["type"] == "page")
                async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            process.terminate()
            await process.wait()


async def _devtools(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(_WAIT_S):
        async for line in process.stderr:
            _, found, address = line.decode(errors="replace").partition("DevTools listening on ")
            if found:
                return urlsplit(address.strip()).netloc
    raise RuntimeError("chromium ended before it listened")


async def take(url: str, user: str | None, tab: str | None) -> tuple[bytes, str, list[str]]:
    """The picture, the answer shown in it, and every address the browser asked for."""
    width, height = _SIZE
    async with open_page() as page:
        await page.call("Network.enable")
        await page.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await page.call("Page.navigate", url=url)
        await page.when(_EDITOR)
        await page.when(_SCHEMA)
        if user is not None:
            await page.when(_CHOOSE % json.dumps(user))
        if tab is not None:
            await page.when(_OPEN % json.dumps(tab))
            await page.call("Runtime.evaluate", expression=_SETTLED, awaitPromise=True)
        await page.when(_RUN)
        answer = await page.when(_ANSWER)
        picture = await page.call("Page.captureScreenshot", format="png")
        return base64.b64decode(picture["data"]), answer, page.requested


_OPEN = """(() => {
  const buttons = [...document.querySelectorAll('.graphiql-tab-button')];
  const tab = buttons.find((button) => button.textContent === %s);
  if (!tab) return false;
  if (tab.parentElement.classList.contains('graphiql-tab-active')) return true;
  tab.click();
  return false;
})()"""
# GraphiQL takes over the opened tab's operation name with a delay of its own (150 ms) and shows no sign of it.
_SETTLED = "new Promise((done) => setTimeout(done, 500))"
_CHOOSE = """(() => {
  const users = document.querySelector('.axion-user');
  if (!users) return false;
  Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(users, %s);
  users.dispatchEvent(new Event('change', { bubbles: true }));
  return true;
})()"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("url")
    parser.add_argument("out", type=Path)
    parser.add_argument("--user", help="a demo user to choose in the picker")
    parser.add_argument("--tab", help="the tab to run, by its title; the first one unless given")
    arguments = parser.parse_args()
    picture, answer, requested = asyncio.run(take(arguments.url, arguments.user, arguments.tab))
    arguments.out.write_bytes(picture)
    origin = urlsplit(arguments.url).netloc
    elsewhere = [url for url in requested if urlsplit(url).scheme != "data" and urlsplit(url).netloc != origin]
    sys.stdout.write(f"{answer}\n{len(requested)} requests, {len(elsewhere)} to other origins {elsewhere}\n")
    return 1 if elsewhere or '"errors"' in answer else 0


if __name__ == "__main__":
    sys.exit(main())
