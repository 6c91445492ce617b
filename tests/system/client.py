"""Asking a gateway as one of the demo's users."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import orjson

ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"
GRAPHQL = "application/graphql-response+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A GraphQL answer as it came."""

    status: int
    body: Mapping[str, Any]

    @property
    def data(self) -> Any:
        """Of an answer without errors."""
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def errors(self) -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = self.body.get("errors", [])
        return errors

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]

    @property
    def used(self) -> dict[str, tuple[int, int, int]]:
        """Statements, rows and bytes by store, without OpenFGA: what was read of rows."""
        stores: dict[str, dict[str, int]] = self.body["extensions"]["stores"]
        return {
            store: (usage["statements"], usage["rows"], usage["bytes"])
            for store, usage in stores.items()
            if store != "openfga"
        }

    @property
    def statements(self) -> dict[str, int]:
        """By store, from `extensions.stores`."""
        return {store: usage["statements"] for store, usage in self.body["extensions"]["stores"].items()}


@dataclass(frozen=True, slots=True)
class Client:
    """`tokens` by demo user; the user None is the anonymous one."""

    http: aiohttp.ClientSession
    url: str
    tokens: Mapping[str, str]

    def at(self, url: str) -> "Client":
        return replace(self, url=url)

    def headers(self, user: str | None, **more: str) -> dict[str, str]:
        own = {} if user is None else {"authorization": f"Bearer {self.tokens[user]}"}
        return {**own, **{name.replace("_", "-"): value for name, value in more.items()}}

    async def ask(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        user: str | None = "admin",
        stores: bool = True,
        accept: str = JSON,
        **more: str,
    ) -> Answer:
        """`more` are further headers, with `_` for `-`."""
        headers = self.headers(user, accept=accept, **({"x_axion_stores": "1"} if stores else {}), **more)
        body = {"query": document, "variables": variables}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers) as response:
            return Answer(response.status, orjson.loads(await response.read()))

    @asynccontextmanager
    async def arrow(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        user: str | None = "admin",
        accept: str = ARROW,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        body = {"query": document, "variables": variables}
        headers = self.headers(user, accept=accept)
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers) as response:
            yield response
