"""The query root."""

from typing import Annotated

import strawberry

from resolvers.context import Context
from resolvers.permissions.fields import ByRows
from resolvers.permissions.guards import Public
from schema.aura.query import AuraQuery
from schema.gen.query import GenQuery
from schema.mapping.arguments import signature
from schema.mapping.node import NodeRoot
from schema.mapping.node_interface import Node
from schema.mapping.nodes import MAX_NODES, nodes
from schema.mapping.roots import connection_root, namespace, object_root
from schema.scalars import BigInt, bigint
from schema.sense.query import SenseQuery

_ID = Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
_IDS = Annotated[list[strawberry.ID], strawberry.argument(description=f"Global ids, at most {MAX_NODES}.")]


_SELF = Public("Everyone may know who they are to this gateway; without a token it is nobody.")
_ANY_ROW = ByRows("each object is read under the guard of its type")


async def _is_admin(info: strawberry.Info[Context, None]) -> bool | None:
    return await info.context.verdicts.is_admin()


@strawberry.type(description="The caller.")
class Viewer:
    subject: str = strawberry.field(description="The `sub` of the bearer token.")
    user_id: BigInt | None = strawberry.field(description="Raw key of the user.")
    email: str | None = strawberry.field(description="E-mail address, as the identity provider gave it.")
    display_name: str | None = strawberry.field(description="Display name.")
    is_admin = strawberry.field(
        resolver=_is_admin, metadata={"guard": _SELF}, description="Whether the user administers the whole system."
    )


def viewer(info: strawberry.Info[Context, None]) -> Viewer | None:
    context = info.context
    if context.subject.is_anonymous:
        return None
    subject = context.subject
    return Viewer(
        subject=subject.id,
        user_id=None if subject.user_id is None else bigint(subject.user_id),
        email=subject.email,
        display_name=subject.display_name,
    )


def _gen() -> GenQuery:
    return GenQuery()


def _sense() -> SenseQuery:
    return SenseQuery()


def _aura() -> AuraQuery:
    return AuraQuery()


@strawberry.type(description="Everything that can be read.")
class Query:
    viewer: Viewer | None = strawberry.field(
        resolver=viewer, metadata={"guard": _SELF}, description="The caller; null without a token."
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
