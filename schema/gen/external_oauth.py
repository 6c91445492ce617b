"""Connecting to APIs of others: OAuth 2 with PKCE. No token is ever shown."""

from typing import Any

import strawberry

from resolvers.context import Context
from resolvers.gen.external_apis import (
    Returned,
    access_token,
    disconnect,
    finish_authorization,
    set_client_secret,
    start_authorization,
)
from resolvers.idempotency import Asked
from resolvers.permissions.guards import Admins, SignedIn
from schema.mapping.filters import uuid_key
from schema.mapping.mutation import idempotent_mutation, mutation
from schema.mapping.payload import make_payload
from schema.mapping.write_inputs import EXPECTED_UPDATED_AT
from schema.scalars import DateTime, date_time

GenExternalApiAuthorizeFinishPayload = make_payload(
    "GenExternalApiAuthorizeFinishPayload", "account", "GenExternalAccount", "You are connected."
)
GenExternalApiClientSecretSetPayload = make_payload(
    "GenExternalApiClientSecretSetPayload", "api", "GenExternalApi", "The secret is kept, sealed."
)

_OWN = SignedIn("everyone connects their own account, to an API that is offered to all")


@strawberry.type(description="Send the user to `url`; the API sends them back with `code` and `state`.")
class GenExternalApiAuthorizeStartPayload:
    url: str = strawberry.field(description="Where the user consents, at the API.")
    expires_at: DateTime = strawberry.field(description="Until when `genExternalApiAuthorizeFinish` takes the answer.")


@strawberry.type(description="Your account at the API works.")
class GenExternalApiConnectionTestPayload:
    expires_at: DateTime = strawberry.field(description="When the access token that is now in use expires.")


@strawberry.input(description="Which API.")
class GenExternalApiInput:
    id: strawberry.ID = strawberry.field(description="Global id of the API.")


@strawberry.input(description="What the API has sent the user back with.")
class GenExternalApiAuthorizeFinishInput:
    code: str = strawberry.field(description="The parameter `code`.")
    state: str = strawberry.field(description="The parameter `state`.")
    iss: str | None = strawberry.field(
        description="The parameter `iss`, where there is one: who answered. Demanded of an API that has an `issuer`.",
        default=None,
    )


@strawberry.type(description="The account is forgotten here.")
class GenExternalAccountDeletePayload:
    deleted_id: strawberry.ID = strawberry.field(description="Global id the account had.")
    is_revoked: bool | None = strawberry.field(
        description="Whether the API has ended its tokens; false when it did not answer or refused, and is asked again "
        "for a week; null when it has no revocation endpoint, or the account was deleted before."
    )


@strawberry.input(description="Which account of yours to forget.")
class GenExternalAccountDeleteInput:
    id: strawberry.ID = strawberry.field(description="Global id of the account.")


@strawberry.input(description="The secret the API knows this platform by.")
class GenExternalApiClientSecretSetInput:
    id: strawberry.ID = strawberry.field(description="Global id of the API.")
    client_secret: str | None = strawberry.field(description="Sealed and never shown; null for a public client.")
    expected_updated_at: DateTime | None = strawberry.field(description=EXPECTED_UPDATED_AT, default=None)


async def _start(context: Context, given: GenExternalApiInput) -> Any:
    started = await start_authorization(context, uuid_key(given.id, "GenExternalApi"))
    return GenExternalApiAuthorizeStartPayload(url=started.url, expires_at=date_time(started.expires_at))


async def _finish(context: Context, given: GenExternalApiAuthorizeFinishInput, asked: Asked) -> Any:
    account = await finish_authorization(context, Returned(given.code, given.state, given.iss), asked)
    return GenExternalApiAuthorizeFinishPayload(key=(account,))


async def _forget(context: Context, given: GenExternalAccountDeleteInput, asked: Asked) -> Any:
    revoked = await disconnect(context, uuid_key(given.id, "GenExternalAccount"), asked)
    return GenExternalAccountDeletePayload(deleted_id=given.id, is_revoked=revoked)


async def _test(context: Context, given: GenExternalApiInput) -> Any:
    token = await access_token(context, uuid_key(given.id, "GenExternalApi"))
    return GenExternalApiConnectionTestPayload(expires_at=date_time(token.expires_at))


async def _set_secret(context: Context, given: GenExternalApiClientSecretSetInput, asked: Asked) -> Any:
    id_ = uuid_key(given.id, "GenExternalApi")
    await set_client_secret(context, id_, given.client_secret, asked, expected_updated_at=given.expected_updated_at)
    return GenExternalApiClientSecretSetPayload(key=(id_,))


@strawberry.type
class ExternalOAuthMutation:
    gen_external_api_authorize_start = mutation(
        _start,
        takes=GenExternalApiInput,
        answers=GenExternalApiAuthorizeStartPayload,
        guard=_OWN,
        each_time="its answer holds the `state` that connects an account, of which a digest alone is kept",
        description="Begins to connect your account at an API; an earlier beginning is void.",
    )
    gen_external_api_authorize_finish = idempotent_mutation(
        _finish,
        takes=GenExternalApiAuthorizeFinishInput,
        answers=GenExternalApiAuthorizeFinishPayload,
        guard=_OWN,
        description="Connects your account at an API. Each `state` is taken once, from who began.",
    )
    gen_external_account_delete = idempotent_mutation(
        _forget,
        takes=GenExternalAccountDeleteInput,
        answers=GenExternalAccountDeletePayload,
        guard=_OWN,
        description="Forgets your tokens for an API of others, and has the API end them where it can.",
    )
    gen_external_api_connection_test = mutation(
        _test,
        takes=GenExternalApiInput,
        answers=GenExternalApiConnectionTestPayload,
        guard=_OWN,
        each_time="it changes nothing that others see, and tells how it is now",
        description="Renews your access token at an API where it has expired, and says whether that works.",
    )
    gen_external_api_client_secret_set = idempotent_mutation(
        _set_secret,
        takes=GenExternalApiClientSecretSetInput,
        answers=GenExternalApiClientSecretSetPayload,
        guard=Admins(),
        description="Sets or removes the client secret of an API. For administrators.",
    )
