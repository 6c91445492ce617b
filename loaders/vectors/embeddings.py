"""Models that turn text into vectors: an OpenAI-compatible endpoint, or a deterministic local model named as such."""

from collections.abc import Sequence
from typing import Protocol

from loaders.vectors.local import LocalHashing
from loaders.vectors.openai import OpenAiCompatible

__all__ = ["Embeddings", "LocalHashing", "OpenAiCompatible"]


class Embeddings(Protocol):
    """An embedding model. Vectors of different models must not be compared, so store `model` beside each vector."""

    @property
    def model(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 with `dimensions` components for each text, in order. Raises a `StoreError` of
        `embeddings`.
        """
        ...

    async def close(self) -> None:
        """Closes connections. Idempotent."""
        ...
