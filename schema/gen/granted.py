"""Payloads of mutations that change permissions: the row, and whether the change is effective yet."""

from typing import Any, Protocol

import strawberry

from resolvers.context import Context
from resolvers.gen.granting import pending
from resolvers.permissions.guards import Public
from schema.mapping import types
from schema.mapping.payload import changed_row


class _Granted(Protocol):
    """`objects` are the names in OpenFGA of the objects whose permissions changed."""

    @property
    def objects(self) -> tuple[str, ...]: ...


async def _pending(root: _Granted, info: strawberry.Info[Context, None]) -> bool:
    return await pending(info.context, root.objects)


def granted_payload(name: str, field: str, target: str, description: str) -> type:
    """Like `make_payload`, with `permissionsPending`. Construct it with the row's key and the `objects`."""
    members: dict[str, Any] = {"key": strawberry.Private[tuple[object, ...]]}
    cls = _payload(name, members)
    setattr(cls, field, changed_row(target, "The row after the mutation."))
    return strawberry.type(cls, name=name, description=description)


def deleted_payload(name: str, target: str) -> type:
    """A payload with the global id of a deleted `target`, and `permissionsPending`."""
    cls = _payload(name, {"deleted_id": strawberry.ID})
    cls.deleted_id = strawberry.field(description="Global id of the deleted row.")  # type: ignore[attr-defined]
    return strawberry.type(cls, name=name, description=f"The payload of a deleted `{target}`.")


def _payload(name: str, members: dict[str, Any]) -> type:
    annotations = {**members, "objects": strawberry.Private[tuple[str, ...]]}
    cls = type(name, (), {"__module__": types.__name__, "__annotations__": annotations})
    cls.permissions_pending = strawberry.field(  # type: ignore[attr-defined]
        resolver=_pending,
        metadata={"guard": Public("it tells of the change that its caller has just made")},
        description="Whether the new permissions are not effective yet: they are stored, and take effect once "
        "OpenFGA accepts them.",
    )
    return cls
