"""The payload of a mutation: the changed row, from which everything can be selected that queries can select, or the id
of a deleted one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, Protocol

import strawberry
from graphql import GraphQLResolveInfo

from loaders.read import And, Col, Compare, Op, Value
from schema.mapping import types
from schema.mapping.arguments import signature
from schema.mapping.object import OBJECTS
from schema.mapping.roots import run_one


class Changed(Protocol):
    """A payload object that has the key of the row it is about."""

    @property
    def key(self) -> tuple[Value, ...]: ...


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """Resolves to the row with the payload's key as it is after the mutation, under the caller's guard."""

    target: str

    async def __call__(self, changed: Changed, info: GraphQLResolveInfo[Any], _: Mapping[str, Any]) -> Any:
        mapping = OBJECTS[self.target]
        terms = (Compare(Col(c), Op.EQ, v) for c, v in zip(mapping.table.key, changed.key, strict=True))
        return await run_one(mapping, And(tuple(terms)), info)


def changed_row(target: str, description: str) -> Any:
    return strawberry.field(
        resolver=signature({}, {}, Optional[types.lazy(target)]),
        description=description,
        metadata={"mapping": ChangedRow(target)},
    )


def make_payload(name: str, field: str, target: str, description: str) -> type:
    """A payload type with one field, the changed row. Its instances are made with the key of the row."""
    cls = type(
        name, (), {"__module__": types.__name__, "__annotations__": {"key": strawberry.Private[tuple[object, ...]]}}
    )
    setattr(cls, field, changed_row(target, "The row after the mutation."))
    return strawberry.type(cls, name=name, description=description)


def deleted_payload(name: str) -> type:
    cls = type(name, (), {"__module__": types.__name__, "__annotations__": {"deleted_id": strawberry.ID}})
    cls.deleted_id = strawberry.field(description="Global id of the deleted row.")  # type: ignore[attr-defined]
    return strawberry.type(cls, name=f"{name}DeletePayload", description=f"The payload of a deleted `{name}`.")


def noun(name: str) -> str:
    """The name of the row in payloads: `hold` for `SenseHold`."""
    own = re.sub("^[A-Z][a-z0-9]*", "", name)
    return re.sub("^[A-Z]+(?=[A-Z]|$)|^[A-Z]", lambda capital: capital.group().lower(), own)
