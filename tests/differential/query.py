"""The roots of the test's API."""

from typing import Annotated

import strawberry

from schema.mapping.arguments import signature
from schema.mapping.node import NodeRoot
from schema.mapping.node_interface import Node
from schema.mapping.roots import connection_root, namespace, object_root

_ID = Annotated[strawberry.ID, strawberry.argument(description="Global id.")]


@strawberry.type(description="What is in other stores.")
class DiffElsewhere:
    labels = connection_root("DiffLabel", "Labels.")
    traces = connection_root("DiffTrace", "Traces.")


def _elsewhere() -> DiffElsewhere:
    return DiffElsewhere()


@strawberry.type(name="Query", description="Everything.")
class DiffQuery:
    node = strawberry.field(
        resolver=signature({"id": _ID}, {}, Node | None), metadata={"mapping": NodeRoot()}, description="Any object."
    )
    items = connection_root("DiffItem", "Items.")
    sorts = connection_root("DiffSort", "Sorts.")
    notes = connection_root("DiffNote", "Notes.")
    marks = connection_root("DiffMark", "Marks.")
    item = object_root("DiffItem", "An item.")
    note = object_root("DiffNote", "A note.")
    trace = object_root("DiffTrace", "A trace.")
    elsewhere: DiffElsewhere = namespace(_elsewhere, "What is elsewhere.")
