"""Answers of compiled reads on their way through graphql-core's executor, which must not complete them again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spliced:
    """A finished JSON-ready value: the executor takes `value` as it is."""

    value: Any


@dataclass(frozen=True, slots=True)
class Open:
    """An object of type `type` in whose answer, at or below `keys`, resolvers of their own still have to run.

    Everything else of the answer is finished.
    """

    type: str
    keys: Mapping[str, "Open"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """An object of a compiled answer that graphql-core completes because one of its fields has its own resolver."""

    values: Mapping[str, Any]
    open: Open

    def required(self, column: str) -> Any:
        """The JSON form of a column the field asked for with `requires`."""
        return self.values["$" + column]

    def take(self, key: str) -> Any:
        """What graphql-core gets for response key `key`: further rows where something is open below, else `Spliced`."""
        value = self.values[key]
        below = self.open.keys.get(key)
        return Spliced(value) if below is None or value is None else rows(value, below)


def rows(value: Any, open_: Open) -> Any:
    if isinstance(value, list):
        return [rows(item, open_) for item in value]
    return Row(value, open_)
