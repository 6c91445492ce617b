"""oidc-provider (npm) as the external API, a browser that logs in and consents there, and Gen's stores."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit
from uuid import UUID

import aiohttp
from yarl import URL

from loaders.addresses import Reach
from loaders.ledger import Ledger
from loaders.oauth.client import OAuthClient
from loaders.secrets.keyring import Sealed
from loaders.stores import Stores
from loaders.tables.axion_gen.external import ExternalApi
from loaders.tables.uuid7 import uuid7
from resolvers.context import Context
from resolvers.gen.external_authorization import Returned, finish_authorization, start_authorization
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import Subject
from tests.resolvers.gen.conftest import GenStores

FOLDER = Path(__file__).parent / "oidc_provider"
REDIRECT = "http://127.0.0.1:9/oauth"
THIS_MACHINE = Reach(loopback=True)
CLIENT_SECRET = "the:client secret/of+axion%"


def install() -> None:
    """npm's packages, at the versions of package-lock.json; installed once per checkout."""
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr


@asynccontextmanager
async def provider(*, access_seconds: int = 3600) -> AsyncIterator[str]:
    """Its URL."""
    process = await asyncio.create_subprocess_exec(
        *("node", "server.mjs"),
        cwd=FOLDER,
        env={**os.environ, "CLIENT_SECRET": CLIENT_SECRET, "ACCESS_SECONDS": str(access_seconds)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        yield json.loads(line)["url"]
    finally:
        process.terminate()
        await process.wait()


@dataclass(frozen=True, slots=True)
class OAuthStores(GenStores):
    oauth: OAuthClient = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Connecting:
    """People who connect to one API at the provider."""

    stores: OAuthStores
    url: str
    api: UUID

    def context(self, name: str = "ann") -> Context:
        subject = Subject(id=name, kind="user" if name else "anonymous")
        ledger = Ledger()
        return Context(
            subject, "test", cast(Stores, self.stores), Verdicts(subject, self.stores.openfga, ledger), ledger
        )

    def in_another_process(self) -> "Connecting":
        return Connecting(with_oauth(self.stores), self.url, self.api)

    async def connected(self, name: str = "ann", *, jar: aiohttp.CookieJar | None = None) -> UUID:
        """`jar` is that of the browser: without one it is new, and nobody is logged in at the provider."""
        started = await start_authorization(self.context(name), self.api)
        code, state = await consented(started.url, jar=jar)
        return await finish_authorization(self.context(name), Returned(code=code, state=state))

    async def refreshes(self) -> int:
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/count") as response:
            count: int = json.loads(await response.read())["refreshes"]
            return count


def with_oauth(stores: GenStores, *, reach: Reach = THIS_MACHINE, redirect_url: str | None = REDIRECT) -> OAuthStores:
    client = OAuthClient(redirect_url=redirect_url, timeout_ms=5_000, reach=reach)
    return OAuthStores(**{each.name: getattr(stores, each.name) for each in fields(GenStores)}, oauth=client)


async def offered(stores: GenStores, url: str, *, client_id: str = "axion", token_path: str = "/token") -> UUID:
    api = ExternalApi(id=uuid7(), name=f"api {uuid7()}", base_url=url, client_id=client_id, scopes=["openid"])
    api.authorization_url, api.token_url = f"{url}/auth?display=page", f"{url}{token_path}"
    async with stores.postgres["axion_gen"].transaction() as session:
        session.add(api)
    return api.id


async def consented(url: str, *, jar: aiohttp.CookieJar | None = None) -> tuple[str, str]:
    """What a browser does whose user logs in and consents: the code and the state that come back."""
    sent = await sent_back(url, jar=jar)
    return sent["code"], sent["state"]


async def sent_back(url: str, *, jar: aiohttp.CookieJar | None = None) -> dict[str, str]:
    """All that comes back."""
    jar = aiohttp.CookieJar(unsafe=True) if jar is None else jar
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        for _ in range(20):
            async with browser.get(URL(url, encoded=True), allow_redirects=False) as page:
                status, location, text = page.status, page.headers.get("location"), await page.text()
            if status == 200:
                prompt = "login" if 'value="login"' in text else "consent"
                form = urlencode({"prompt": prompt, "login": "someone", "password": "of the provider"})
                headers = {"content-type": "application/x-www-form-urlencoded"}
                async with browser.post(url, data=form, headers=headers, allow_redirects=False) as answer:
                    location = answer.headers.get("location")
            assert location is not None, text
            url = urljoin(url, location)
            if url.startswith(REDIRECT):
                return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    raise AssertionError("the provider asks for ever")


async def refresh_token(people: Connecting, name: str = "ann") -> str:
    sql = "SELECT * FROM user_external_api_tokens WHERE external_api_id = $1 AND owner_subject = $2"
    (row,) = await people.stores.postgres["axion_gen"].fetch(sql, people.api, name, ledger=Ledger())
    sealed = Sealed(row["encrypted_token"], row["nonce"], row["tag"], row["key_version"])
    return people.stores.keyring.open(sealed).decode()
