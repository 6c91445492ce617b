"""What is shown of one row by itself."""

from dataclasses import dataclass

from loaders.read.expression import Expression


@dataclass(frozen=True, slots=True)
class Computed:
    """The value of an expression, encoded as its type says."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant, such as `__typename`."""

    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class NodeId:
    """The opaque Relay id: base64url of `Type:key` (`|` between the parts of a compound key)."""

    type: str
    columns: tuple[str, ...]
