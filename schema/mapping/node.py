"""Relay's Global Object Identification: any table-backed object by its opaque id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLResolveInfo

from loaders.encode.node_id import decode_node_id
from loaders.errors import InvalidId
from schema.mapping.ids import has_id
from schema.mapping.object import OBJECTS
from schema.mapping.roots import require_reader_of, run, selection
from schema.mapping.selection import Built, Selection
from schema.mapping.variables import decide


@dataclass(frozen=True, slots=True)
class NodeRoot:
    """Resolves to the row with the given global id, which names the type that is read."""

    def build(self, selection: Selection, nodes: list[FieldNode], arguments: Mapping[str, Any]) -> Built:
        mapping = OBJECTS[decide(arguments["id"], type_of)]
        return selection.one(mapping, nodes, has_id(arguments["id"], mapping))

    async def __call__(self, _: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
        require_reader_of(type_of(arguments["id"]), info)
        return await run(self.build(selection(info), info.field_nodes, arguments), info)


def type_of(node_id: str) -> str:
    """The name of a table-backed type; `InvalidId` for anything else."""
    type_name, _ = decode_node_id(node_id)
    if type_name not in OBJECTS:
        raise InvalidId(f"No object of this API is a {type_name}. Pass an `id` exactly as a query returned it.")
    return type_name
