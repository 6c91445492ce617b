"""Opens GraphiQL in headless Chromium, runs a tab's document and takes a picture of the answer.

    python -m tests.protocol.graphiql.screenshot http://127.0.0.1:8000/graphiql out.png --user analyst --tab Flights

Fails when the editor does not come up, when the answer has errors, or when the browser asked any other origin.
"""

import argparse
import asyncio
import base64
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.protocol.graphiql.browser import ANSWER, CHOOSE, EDITOR, RUN, SCHEMA, SIZE, open_page


async def take(url: str, user: str | None, tab: str | None) -> tuple[bytes, str, list[str]]:
    """The picture, the answer shown in it, and every address the browser asked for."""
    width, height = SIZE
    async with open_page() as page:
        await page.call("Network.enable")
        await page.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await page.call("Page.navigate", url=url)
        await page.when(EDITOR)
        await page.when(SCHEMA)
        if user is not None:
            await page.when(CHOOSE % json.dumps(user))
        if tab is not None:
            await page.when(_OPEN % json.dumps(tab))
            await page.call("Runtime.evaluate", expression=_SETTLED, awaitPromise=True)
        await page.when(RUN)
        answer = await page.when(ANSWER)
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
