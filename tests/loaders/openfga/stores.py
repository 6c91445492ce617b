"""A store for a single test: a random name, and the model of this checkout."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from loaders.ledger import Ledger
from loaders.openfga.api import Api, Json
from loaders.openfga.client import OpenFga
from loaders.openfga.store import text

MODEL_JSON = Path(__file__).parents[3] / "deploy" / "openfga" / "model.json"


@dataclass(frozen=True, slots=True)
class Store:
    api: Api
    name: str
    id: str

    def client(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> OpenFga:
        return OpenFga(self.api, self.name, clock=clock)

    async def upload(self, model: bytes) -> str:
        path = f"/stores/{self.id}/authorization-models"
        answer = await self.api.request("POST", path, orjson.loads(model), ledger=Ledger())
        return text(answer, "authorization_model_id")

    async def ask(self, question: str, body: Json) -> Json:
        return await self.api.request("POST", f"/stores/{self.id}/{question}", body, ledger=Ledger())


@asynccontextmanager
async def fresh_store(
    url: str, token: str | None, *, name: str | None = None, timeout_ms: int = 5_000
) -> AsyncIterator[Store]:
    api = await Api.open(url=url, token=token, timeout_ms=timeout_ms)
    name = name or f"test-{secrets.token_hex(8)}"
    try:
        created = await api.request("POST", "/stores", {"name": name}, ledger=Ledger())
        store = Store(api, name, text(created, "id"))
        await store.upload(MODEL_JSON.read_bytes())
        yield store
    finally:
        await api.close()
