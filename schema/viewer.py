"""The caller."""

from collections.abc import Mapping
from typing import Any, Optional

import strawberry
from graphql import GraphQLResolveInfo

from loaders.read import Col, Compare, Op
from resolvers.context import Context
from resolvers.permissions.fields import ByRows
from resolvers.permissions.guards import Public
from schema.mapping import types
from schema.mapping.arguments import signature
from schema.mapping.object import OBJECTS
from schema.mapping.roots import run_one

SELF = Public("Everyone may know who they are to this gateway; without a token it is nobody.")


async def _is_admin(info: strawberry.Info[Context, None]) -> bool | None:
    return await info.context.verdicts.is_admin()


async def _user(viewer: "Viewer", info: GraphQLResolveInfo[Any], _: Mapping[str, Any]) -> Any:
    if viewer.user_id is None:
        return None
    return await run_one(OBJECTS["User"], Compare(Col("id"), Op.EQ, viewer.user_id), info)


@strawberry.type(description="The caller.")
class Viewer:
    user_id: strawberry.Private[int | None]
    subject: str = strawberry.field(description="The `sub` of the bearer token.")
    email: str | None = strawberry.field(description="E-mail address, as the identity provider gave it.")
    display_name: str | None = strawberry.field(description="Display name.")
    is_admin = strawberry.field(
        resolver=_is_admin, metadata={"guard": SELF}, description="Whether the user administers the whole system."
    )
    user = strawberry.field(
        resolver=signature({}, {}, Optional[types.lazy("User")]),
        metadata={"mapping": _user, "guard": ByRows("a user is read under the guard of its type")},
        description="The user with this `sub`; null if there is none yet.",
    )


def viewer(info: strawberry.Info[Context, None]) -> Viewer | None:
    subject = info.context.subject
    if subject.is_anonymous:
        return None
    return Viewer(user_id=subject.user_id, subject=subject.id, email=subject.email, display_name=subject.display_name)
