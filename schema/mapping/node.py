"""Relay's Global Object Identification: any table-backed object by its opaque id."""

import asyncio
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLResolveInfo

from loaders.encode.node_id import decode_node_id
from loaders.errors import BadInput, InvalidId
from schema.mapping.filters import has_id
from schema.mapping.object import OBJECTS
from schema.mapping.roots import run_one

MAX_NODES = 100


async def node(_: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    return await _by_id(arguments["id"], info)


async def nodes(_: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
    """A failure is answered in its own place: an id that is malformed, or whose store is down, nulls no other."""
    ids = arguments["ids"]
    if len(ids) > MAX_NODES:
        raise BadInput(f"`ids` holds {len(ids)} ids, and at most {MAX_NODES} are answered at once.")
    return await asyncio.gather(*(_by_id(node_id, info) for node_id in ids), return_exceptions=True)


async def _by_id(node_id: str, info: GraphQLResolveInfo[Any]) -> Any:
    type_name, _ = decode_node_id(node_id)
    mapping = OBJECTS.get(type_name)
    if mapping is None:
        raise InvalidId(f"No object of this API is a {type_name}. Pass an `id` exactly as a query returned it.")
    return await run_one(mapping, has_id(node_id, mapping), info)
