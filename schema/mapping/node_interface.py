"""The interface every table-backed type implements."""

import strawberry

from schema.mapping import types


@strawberry.interface(description="An object with a global id (Relay).")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque global id, which `node(id:)` takes.")


types.register("Node", Node)
