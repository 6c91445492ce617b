"""The query root."""

from typing import Annotated

import strawberry

from resolvers.permissions.fields import ByRows
from schema.aura.query import AuraQuery
from schema.gen.query import GenQuery
from schema.mapping.arguments import signature
from schema.mapping.node import NodeRoot
from schema.mapping.node_interface import Node
from schema.mapping.nodes import MAX_NODES, nodes
from schema.mapping.roots import connection_root, namespace, object_root
from schema.sense.query import SenseQuery
from schema.viewer import SELF, Viewer, viewer

_ID = Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
_IDS = Annotated[list[strawberry.ID], strawberry.argument(description=f"Global ids, at most {MAX_NODES}.")]
_ANY_ROW = ByRows("each object is read under the guard of its type")


def _gen() -> GenQuery:
    return GenQuery()


def _sense() -> SenseQuery:
    return SenseQuery()


def _aura() -> AuraQuery:
    return AuraQuery()


@strawberry.type(description="Everything that can be read.")
class Query:
    viewer: Viewer | None = strawberry.field(
        resolver=viewer, metadata={"guard": SELF}, description="The caller; null without a token."
    )
    node = strawberry.field(
        resolver=signature({"id": _ID}, {}, Node | None),
        metadata={"mapping": NodeRoot(), "guard": _ANY_ROW},
        description="Any object by its global id; null if it does not exist or you may not see it.",
    )
    nodes = strawberry.field(
        resolver=signature({"ids": _IDS}, {}, list[Node | None] | None),
        metadata={"mapping": nodes, "guard": _ANY_ROW},
        description="Objects by their global ids, in the same order, with null where `node` would be null.",
    )
    job = object_root("Job", "A job by its global id.")
    jobs = connection_root("Job", "The jobs you started; all jobs for administrators.")

    users = connection_root("User", "Yourself; all users and service accounts for administrators.")
    api_keys = connection_root("ApiKey", "The API keys that act as you; all API keys for administrators.")

    gen: GenQuery = namespace(_gen, "Axion Gen: data sources, datasets and the remote tables behind them.")
    sense: SenseQuery = namespace(_sense, "Axion Sense: road telemetry.")
    aura: AuraQuery = namespace(_aura, "Aura: retrieval over code and conversations.")
