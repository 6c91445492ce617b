"""Text -> vectors: from an OpenAI-compatible endpoint, or from the deterministic local model that says what it is."""

from collections.abc import Sequence
from typing import Protocol

from loaders.vectors.local import LocalHashing
from loaders.vectors.openai import OpenAiCompatible

__all__ = ["Embeddings", "LocalHashing", "OpenAiCompatible"]


class Embeddings(Protocol):
    """A model of embeddings. Vectors of different models must not be compared: keep `model` beside what is stored."""

    @property
    def model(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of `dimensions` and length 1 for each text, in order. Raises a `StoreError` of `embeddings`."""
        ...

    async def close(self) -> None:
        """Gives up connections. Idempotent."""
        ...
