"""Mutations of accounts: API keys and service accounts. None of them can be done with an API key."""

from typing import Any

import strawberry

from resolvers.accounts.api_keys import ApiKeyCreate, create_api_key, revoke_api_key
from resolvers.accounts.service_accounts import (
    ServiceAccountCreate,
    create_service_account,
    set_service_account_active,
)
from resolvers.context import Context
from resolvers.idempotency import MutationRequest
from resolvers.permissions.guards import Admins, SignedIn
from resolvers.permissions.scopes import SCOPES
from schema.mapping.ids import integer_key, uuid_key
from schema.mapping.mutation import idempotent_mutation, sent
from schema.mapping.payload import changed_row, make_payload
from schema.scalars import DateTime

_SHOWN_ONCE = "The bearer token to send. Store it: it is shown only once, and is null when the mutation is repeated."

ApiKeyRevokePayload = make_payload("ApiKeyRevokePayload", "api_key", "ApiKey", "The API key is refused from now on.")
ServiceAccountCreatePayload = make_payload("ServiceAccountCreatePayload", "user", "User", "The account was created.")
ServiceAccountUpdatePayload = make_payload("ServiceAccountUpdatePayload", "user", "User", "The account was changed.")


@strawberry.type(description="The API key was created.")
class ApiKeyCreatePayload:
    key: strawberry.Private[tuple[object, ...]]
    secret: str | None = strawberry.field(description=_SHOWN_ONCE)
    api_key = changed_row("ApiKey", "The row after the mutation.")


@strawberry.input(description="An API key to create.")
class ApiKeyCreateInput:
    name: str = strawberry.field(description="What the key is for, 1 to 200 characters.")
    scopes: list[str] = strawberry.field(description=f"The scopes of the key, among {', '.join(SCOPES)}.")
    expires_at: DateTime | None = strawberry.field(
        description="When it expires, at most 366 days from now; 90 days from now by default.", default=strawberry.UNSET
    )
    service_account_id: strawberry.ID | None = strawberry.field(
        description="Global id of the service account it acts as (for administrators); by default it acts as you.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="Which API key to revoke.")
class ApiKeyRevokeInput:
    id: strawberry.ID = strawberry.field(description="Global id of the API key.")


@strawberry.input(description="A service account to create.")
class ServiceAccountCreateInput:
    display_name: str = strawberry.field(description="What the account is for, 1 to 200 characters.")


@strawberry.input(description="Changes to a service account.")
class ServiceAccountUpdateInput:
    id: strawberry.ID = strawberry.field(description="Global id of the `User`.")
    is_active: bool = strawberry.field(description="Whether its API keys are accepted.")


async def _create_key(context: Context, given: ApiKeyCreateInput, asked: MutationRequest) -> Any:
    account = sent(given.service_account_id)
    input_ = ApiKeyCreate(
        name=given.name,
        scopes=tuple(given.scopes),
        expires_at=sent(given.expires_at),
        user_id=None if account is None else integer_key(account, "User"),
    )
    made = await create_api_key(context, asked, input_)
    return ApiKeyCreatePayload(key=made.key, secret=made.text.text if made.text else None)


async def _revoke_key(context: Context, given: ApiKeyRevokeInput, asked: MutationRequest) -> Any:
    return ApiKeyRevokePayload(key=await revoke_api_key(context, asked, uuid_key(given.id, "ApiKey")))


async def _create_account(context: Context, given: ServiceAccountCreateInput, asked: MutationRequest) -> Any:
    key = await create_service_account(context, asked, ServiceAccountCreate(given.display_name))
    return ServiceAccountCreatePayload(key=key)


async def _update_account(context: Context, given: ServiceAccountUpdateInput, asked: MutationRequest) -> Any:
    key = await set_service_account_active(context, asked, integer_key(given.id, "User"), is_active=given.is_active)
    return ServiceAccountUpdatePayload(key=key)


@strawberry.type
class AccountsMutation:
    api_key_create = idempotent_mutation(
        _create_key,
        takes=ApiKeyCreateInput,
        answers=ApiKeyCreatePayload,
        guard=SignedIn("a key acts as who makes it; for a service account, as administrators let it"),
        description="Creates an API key that acts as you, within its scopes. Requires an OIDC token: an API key "
        "cannot create others.",
    )
    api_key_revoke = idempotent_mutation(
        _revoke_key,
        takes=ApiKeyRevokeInput,
        answers=ApiKeyRevokePayload,
        guard=SignedIn("everyone revokes their own keys; those of others are absent"),
        description="Revokes an API key, effective everywhere within a second. For the user it acts as, and "
        "administrators.",
    )
    service_account_create = idempotent_mutation(
        _create_account,
        takes=ServiceAccountCreateInput,
        answers=ServiceAccountCreatePayload,
        guard=Admins(),
        description="Creates a service account: a user for a program, which signs in with API keys only. For "
        "administrators.",
    )
    service_account_update = idempotent_mutation(
        _update_account,
        takes=ServiceAccountUpdateInput,
        answers=ServiceAccountUpdatePayload,
        guard=Admins(),
        description="Activates or deactivates a service account. For administrators.",
    )
