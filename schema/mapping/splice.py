"""How answers of compiled reads pass through the executor of graphql-core, which must not complete them again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spliced:
    """A finished value: the executor uses `value` unchanged."""

    value: Any


@dataclass(frozen=True, slots=True)
class Open:
    """An object of type `type` in whose answer resolvers still have to run, at or below `keys`. Everything else is
    finished.
    """

    type: str
    keys: Mapping[str, "Open"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """An object of a compiled answer that graphql-core completes, since one of its fields has a resolver of its own."""

    values: Mapping[str, Any]
    open: Open

    def required(self, column: str) -> Any:
        """The JSON form of a column that the field asked for with `requires`."""
        return self.values["$" + column]

    def take(self, key: str) -> Any:
        """The value of response key `key`: further rows where something is open below, else `Spliced`."""
        value = self.values[key]
        below = self.open.keys.get(key)
        return Spliced(value) if below is None or value is None else rows(value, below)


def rows(value: Any, open_: Open) -> Any:
    if isinstance(value, list):
        return [rows(item, open_) for item in value]
    return Row(value, open_)
