"""GraphiQL in headless Chromium, over the DevTools protocol: what its page is waited for, and what is done there."""

import asyncio
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from deploy.local.provision.browser import installed

SIZE = (1440, 900)
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
EDITOR = "document.querySelector('.graphiql-query-editor .CodeMirror-code')?.innerText.includes('{')"
SCHEMA = "!document.querySelector('.graphiql-spinner')"
RUN = "(document.querySelector('.graphiql-execute-button').click(), true)"
ANSWER = """(() => {
  const shown = document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue();
  return !document.querySelector('.graphiql-spinner') && shown?.includes('{') && shown;
})()"""
CHOOSE = """(() => {
  const users = document.querySelector('.axion-user');
  if (!users) return false;
  Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(users, %s);
  users.dispatchEvent(new Event('change', { bubbles: true }));
  return true;
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
    chromium = installed()
    if chromium is None:
        raise RuntimeError("there is no browser on this machine; `make prepare-tests` installs Chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium, *_FLAGS, f"--user-data-dir={profile}", "--window-size={},{}".format(*SIZE), "about:blank"]
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
