"""Connecting to external APIs: OAuth 2 with PKCE. No token is ever exposed."""

from typing import Any

import strawberry

from resolvers.context import Context
from resolvers.gen.external_apis import disconnect, set_client_secret
from resolvers.gen.external_authorization import Returned, finish_authorization, start_authorization
from resolvers.gen.external_tokens import access_token
from resolvers.idempotency import MutationRequest
from resolvers.permissions.guards import Admins, SignedIn
from schema.mapping.ids import uuid_key
from schema.mapping.mutation import idempotent_mutation, mutation
from schema.mapping.payload import make_payload
from schema.mapping.write_inputs import EXPECTED_UPDATED_AT
from schema.scalars import DateTime, date_time

GenExternalApiAuthorizeFinishPayload = make_payload(
    "GenExternalApiAuthorizeFinishPayload", "account", "GenExternalAccount", "You are connected."
)
GenExternalApiClientSecretSetPayload = make_payload(
    "GenExternalApiClientSecretSetPayload", "api", "GenExternalApi", "The client secret was stored, encrypted."
)

_OWN = SignedIn("everyone connects their own account, to an API that is offered to all")


@strawberry.type(description="Redirect the user to `url`; the API redirects them back with `code` and `state`.")
class GenExternalApiAuthorizeStartPayload:
    url: str = strawberry.field(description="The API's page where the user gives consent.")
    expires_at: DateTime = strawberry.field(
        description="Until when `genExternalApiAuthorizeFinish` accepts the answer."
    )


@strawberry.type(description="Your account at the API works.")
class GenExternalApiConnectionTestPayload:
    expires_at: DateTime = strawberry.field(description="When the current access token expires.")


@strawberry.input(description="The API to connect your account to.")
class GenExternalApiAuthorizeStartInput:
    id: strawberry.ID = strawberry.field(description="Global id of the API.")


@strawberry.input(description="The API to test your account with.")
class GenExternalApiConnectionTestInput:
    id: strawberry.ID = strawberry.field(description="Global id of the API.")


@strawberry.input(description="The query parameters of the API's redirect.")
class GenExternalApiAuthorizeFinishInput:
    code: str = strawberry.field(description="The parameter `code`.")
    state: str = strawberry.field(description="The parameter `state`.")
    iss: str | None = strawberry.field(
        description="The parameter `iss`, if present: the issuer that answered. Required if the API has an `issuer`.",
        default=None,
    )


@strawberry.type(description="The account was deleted here.")
class GenExternalAccountDeletePayload:
    deleted_id: strawberry.ID = strawberry.field(description="Global id of the deleted account.")
    is_revoked: bool | None = strawberry.field(
        description="Whether the API has revoked its tokens; false when it did not answer or refused, in which case "
        "it is retried for a week; null when it has no revocation endpoint, or the account was deleted before."
    )


@strawberry.input(description="Which of your accounts to delete.")
class GenExternalAccountDeleteInput:
    id: strawberry.ID = strawberry.field(description="Global id of the account.")


@strawberry.input(description="The secret that authenticates this platform to the API.")
class GenExternalApiClientSecretSetInput:
    id: strawberry.ID = strawberry.field(description="Global id of the API.")
    client_secret: str | None = strawberry.field(
        description="Stored encrypted and never shown; null for a public client."
    )
    expected_updated_at: DateTime | None = strawberry.field(description=EXPECTED_UPDATED_AT, default=None)


async def _start(context: Context, given: GenExternalApiAuthorizeStartInput) -> Any:
    started = await start_authorization(context, uuid_key(given.id, "GenExternalApi"))
    return GenExternalApiAuthorizeStartPayload(url=started.url, expires_at=date_time(started.expires_at))


async def _finish(context: Context, given: GenExternalApiAuthorizeFinishInput, asked: MutationRequest) -> Any:
    account = await finish_authorization(context, Returned(given.code, given.state, given.iss), asked)
    return GenExternalApiAuthorizeFinishPayload(key=(account,))


async def _forget(context: Context, given: GenExternalAccountDeleteInput, asked: MutationRequest) -> Any:
    revoked = await disconnect(context, uuid_key(given.id, "GenExternalAccount"), asked)
    return GenExternalAccountDeletePayload(deleted_id=given.id, is_revoked=revoked)


async def _test(context: Context, given: GenExternalApiConnectionTestInput) -> Any:
    token = await access_token(context, uuid_key(given.id, "GenExternalApi"))
    return GenExternalApiConnectionTestPayload(expires_at=date_time(token.expires_at))


async def _set_secret(context: Context, given: GenExternalApiClientSecretSetInput, asked: MutationRequest) -> Any:
    id_ = uuid_key(given.id, "GenExternalApi")
    await set_client_secret(context, id_, given.client_secret, asked, expected_updated_at=given.expected_updated_at)
    return GenExternalApiClientSecretSetPayload(key=(id_,))


@strawberry.type
class ExternalOAuthMutation:
    gen_external_api_authorize_start = mutation(
        _start,
        takes=GenExternalApiAuthorizeStartInput,
        answers=GenExternalApiAuthorizeStartPayload,
        guard=_OWN,
        each_time="its answer holds the `state` that connects an account, of which a digest alone is kept",
        description="Starts connecting your account at an API, and voids an earlier start.",
    )
    gen_external_api_authorize_finish = idempotent_mutation(
        _finish,
        takes=GenExternalApiAuthorizeFinishInput,
        answers=GenExternalApiAuthorizeFinishPayload,
        guard=_OWN,
        description="Connects your account at an API. Each `state` is accepted once, from the user who started.",
    )
    gen_external_account_delete = idempotent_mutation(
        _forget,
        takes=GenExternalAccountDeleteInput,
        answers=GenExternalAccountDeletePayload,
        guard=_OWN,
        description="Deletes your account at an external API, and revokes its tokens if the API has a revocation "
        "endpoint.",
    )
    gen_external_api_connection_test = mutation(
        _test,
        takes=GenExternalApiConnectionTestInput,
        answers=GenExternalApiConnectionTestPayload,
        guard=_OWN,
        each_time="it changes nothing that others see, and tells how it is now",
        description="Tests your account at an API: renews its access token if that has expired.",
    )
    gen_external_api_client_secret_set = idempotent_mutation(
        _set_secret,
        takes=GenExternalApiClientSecretSetInput,
        answers=GenExternalApiClientSecretSetPayload,
        guard=Admins(),
        description="Sets or removes the client secret of an API. For administrators.",
    )
