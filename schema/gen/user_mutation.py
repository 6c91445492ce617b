"""Mutations of Gen's users, for administrators."""

from typing import Any

import strawberry
from strawberry import UNSET

from loaders.errors import BadInput
from resolvers.context import Context
from resolvers.gen import users
from resolvers.idempotency import MutationRequest
from resolvers.permissions.guards import Admins
from schema.gen.granted import granted_payload
from schema.mapping.ids import integer_key
from schema.mapping.mutation import idempotent_mutation, sent
from schema.mapping.payload import make_payload
from schema.mapping.write_inputs import EXPECTED_UPDATED_AT
from schema.scalars import DateTime

GenUserCreatePayload = make_payload("GenUserCreatePayload", "user", "GenUser", "A user was created.")
GenUserUpdatePayload = granted_payload("GenUserUpdatePayload", "user", "GenUser", "A user was changed.")


@strawberry.input(description="A user of Gen, who need not have signed in yet.")
class GenUserCreateInput:
    external_auth_id: str = strawberry.field(description="The `sub` claim of the user's tokens; unique.")
    email: str | None = strawberry.field(description="E-mail address.", default=UNSET)
    display_name: str | None = strawberry.field(description="Name to show to others.", default=UNSET)


@strawberry.input(description="Changes to a user; fields left out stay unchanged.")
class GenUserUpdateInput:
    id: strawberry.ID = strawberry.field(description="Global id of the user.")
    email: str | None = strawberry.field(description="E-mail address; null removes it.", default=UNSET)
    display_name: str | None = strawberry.field(description="Name to show to others; null removes it.", default=UNSET)
    is_active: bool | None = strawberry.field(
        description="Whether the user has the permissions of the roles held; the roles stay assigned.", default=UNSET
    )
    expected_updated_at: DateTime | None = strawberry.field(description=EXPECTED_UPDATED_AT, default=UNSET)


async def _create(context: Context, given: GenUserCreateInput, asked: MutationRequest) -> Any:
    create = users.UserCreate(given.external_auth_id, sent(given.email), sent(given.display_name))
    return GenUserCreatePayload(key=(await users.create_user(context, asked, create),))


async def _update(context: Context, given: GenUserUpdateInput, asked: MutationRequest) -> Any:
    if given.is_active is None:
        raise BadInput("`isActive` must be true or false.", field="isActive")
    sent_values = {"email": given.email, "display_name": given.display_name, "is_active": given.is_active}
    patch = {column: value for column, value in sent_values.items() if value is not UNSET}
    update = users.UserUpdate(integer_key(given.id, "GenUser"), patch, sent(given.expected_updated_at))
    changed = await users.update_user(context, asked, update)
    return GenUserUpdatePayload(key=(changed.id,), objects=changed.objects)


@strawberry.type
class GenUserMutation:
    gen_user_create = idempotent_mutation(
        _create,
        takes=GenUserCreateInput,
        answers=GenUserCreatePayload,
        guard=Admins(),
        description="Creates a user, so that roles can be assigned before the user first owns something. For "
        "administrators.",
    )
    gen_user_update = idempotent_mutation(
        _update,
        takes=GenUserUpdateInput,
        answers=GenUserUpdatePayload,
        guard=Admins(),
        description="Changes, activates or deactivates a user. For administrators.",
    )
