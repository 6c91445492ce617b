"""Computes how the columns of a table changed between two of its profiles."""

from collections.abc import Sequence
from dataclasses import dataclass

from loaders.description import Column
from loaders.jobs.job import JsonObject


@dataclass(frozen=True, slots=True)
class Retyped:
    """A column whose type or nullability changed. Both are written as `text`, or `text, nullable`."""

    column: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Drift:
    """Columns by name, in the table's order. A renamed column is one removed and one added."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    retyped: tuple[Retyped, ...]

    def to_json(self) -> JsonObject:
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "retyped": [{"column": each.column, "was": each.was, "now": each.now} for each in self.retyped],
        }


def drift(before: Sequence[JsonObject], now: Sequence[Column]) -> Drift:
    """Compares columns. `before` is as `Profile.columns_json` wrote it."""
    was = {str(column["name"]): _type(str(column["type"]), bool(column["nullable"])) for column in before}
    becomes = {column.name: _type(column.type.kind.value, column.nullable) for column in now}
    return Drift(
        added=tuple(name for name in becomes if name not in was),
        removed=tuple(name for name in was if name not in becomes),
        retyped=tuple(
            Retyped(name, was[name], type_) for name, type_ in becomes.items() if name in was and was[name] != type_
        ),
    )


def _type(kind: str, nullable: bool) -> str:
    return f"{kind}, nullable" if nullable else kind
