"""A null in an answer and its reason, as the transport reports it."""

from dataclasses import dataclass
from typing import TypeAlias

from loaders.errors import AxionError

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A field that is null, as a crossing failed or it is denied: where the first of the `nulls` stands, and why."""

    path: Path
    nulls: int
    error: AxionError
