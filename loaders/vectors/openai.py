"""Embeddings from any server that implements OpenAI's `POST {base}/embeddings`."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import aiohttp
import orjson

from loaders.errors import StoreCredentialsRejected, StoreQueryFailed, StoreTimeout, StoreUnavailable

STORE = "embeddings"

_BATCH = 64
_BATCH_CHARACTERS = 200_000
_CONCURRENT = 4
_MAX_ANSWER = 64 * 1024 * 1024


class OpenAiCompatible:
    """`url` is the base (`https://…/v1`). Texts are sent in batches of at most 64, at most four at once. A batch that
    fails makes the call fail and cancels the other batches.

    `timeout_ms` bounds each batch. Messages name neither address nor key.
    """

    def __init__(
        self, *, url: str, api_key: str | None, model: str, dimensions: int, timeout_ms: int, batch: int = _BATCH
    ) -> None:
        self._url = url.rstrip("/") + "/embeddings"
        self._headers = {"Content-Type": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self.model = model
        self.dimensions = dimensions
        self._timeout = aiohttp.ClientTimeout(total=timeout_ms / 1000)
        self._batch = batch
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(_CONCURRENT)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        tasks = [asyncio.create_task(self._embed_batch(batch)) for batch in _batches(texts, self._batch)]
        try:
            return [vector for vectors in await asyncio.gather(*tasks) for vector in vectors]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _embed_batch(self, texts: list[str]) -> list[list[float]]:
        body = {"model": self.model, "input": texts, "dimensions": self.dimensions, "encoding_format": "float"}
        async with self._slots:
            status, answer = await self._post(orjson.dumps(body))
        if status in (401, 403):
            raise StoreCredentialsRejected(STORE, "The embeddings endpoint refused the API key. Check its setting.")
        if status == 429 or status >= 500:
            raise StoreUnavailable(STORE, f"The embeddings endpoint is overloaded (HTTP {status}). Try again shortly.")
        if status != 200:
            message = f"The embeddings endpoint refused the request (HTTP {status}). Check the model and dimensions."
            raise StoreQueryFailed(STORE, message)
        return _vectors(answer, len(texts), self.dimensions)

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        try:
            async with self._session.post(self._url, data=body, allow_redirects=False) as response:
                answer = bytearray()
                async for chunk in response.content.iter_chunked(65_536):
                    answer += chunk
                    if len(answer) > _MAX_ANSWER:
                        raise StoreQueryFailed(STORE, "The embeddings endpoint answered more than 64 MiB.")
                return response.status, bytes(answer)
        except TimeoutError as error:
            raise StoreTimeout(STORE, "The embeddings endpoint did not answer within its time limit.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise StoreUnavailable(STORE, "The embeddings endpoint cannot be reached. Try again shortly.") from error


def _batches(texts: Sequence[str], most: int) -> list[list[str]]:
    batches: list[list[str]] = []
    characters = 0
    for text in texts:
        if not batches or len(batches[-1]) == most or characters + len(text) > _BATCH_CHARACTERS:
            batches.append([])
            characters = 0
        batches[-1].append(text)
        characters += len(text)
    return batches


def _vectors(answer: bytes, count: int, dimensions: int) -> list[list[float]]:
    """The normalised vectors in the order of the texts, whatever the order of the answer."""
    try:
        entries: list[dict[str, Any]] = orjson.loads(answer)["data"]
        by_index = {int(entry["index"]): [float(value) for value in entry["embedding"]] for entry in entries}
        vectors = [by_index[index] for index in range(count)]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        message = "The embeddings endpoint answered something else than one vector for each text."
        raise StoreQueryFailed(STORE, message) from error
    wrong = next((len(vector) for vector in vectors if len(vector) != dimensions), None)
    if wrong is not None:
        message = f"The embeddings endpoint answered vectors of {wrong} dimensions, not {dimensions}. Check its model."
        raise StoreQueryFailed(STORE, message)
    return [_normalised(vector) for vector in vectors]


def _normalised(vector: list[float]) -> list[float]:
    length = math.sqrt(math.fsum(value * value for value in vector))
    if not math.isfinite(length) or length == 0.0:
        raise StoreQueryFailed(STORE, "The embeddings endpoint answered a vector without a direction.")
    return [value / length for value in vector]
