"""Connecting users' accounts at external APIs: OAuth 2, authorization code with PKCE."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from loaders.errors import BadInput, Conflict
from loaders.gen.stored import USERS
from loaders.oauth import accounts, revocations
from loaders.oauth.apis import Api
from loaders.oauth.authorizations import Authorization, put_authorization, take_authorization
from loaders.oauth.client import Tokens
from loaders.oauth.pkce import Started, authorization_url, state_sha256
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction, transaction
from resolvers.context import Context
from resolvers.gen.external_apis import ACCOUNTS, MAX_SENT, connectable_api, token_endpoint
from resolvers.gen.external_tokens import keep_access_token
from resolvers.gen.store import STORE
from resolvers.idempotency import MutationRequest, done_before, once
from resolvers.known_user import register_user

_STARTED_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Authorize:
    """The URL where the user consents, and until when the API's answer is accepted."""

    url: str = field(repr=False)
    expires_at: datetime


async def start_authorization(context: Context, api_id: UUID) -> Authorize:
    """Each user has one per API at a time: an earlier one becomes void. Raises `NotFound` for an API that is not
    offered, `BadInput` for an API whose addresses are not https, and `Conflict` while the gateway has no redirect URL.
    """
    context.verdicts.require_subject()
    oauth, started = context.stores.oauth, Started.new()
    if oauth.redirect_url is None:
        raise Conflict("The gateway has no page to come back to: an operator must set AXION_OAUTH__REDIRECT_URL.")
    expires_at = datetime.now(UTC) + _STARTED_FOR
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:
        api = await connectable_api(within, api_id)
        for url, name in ((api.authorization_url, "authorizationUrl"), (api.token_url, "tokenUrl")):
            oauth.require_safe(url, field=name)
        subject = context.subject
        await register_user(within, subject, USERS, key="external_auth_id")
        verifier = context.stores.keyring.seal_text(started.verifier)
        authorization = Authorization(api_id, oauth.redirect_url, expires_at, verifier)
        state = state_sha256(started.state)
        await put_authorization(within, authorization, owner_subject=subject.id, state_sha256=state)
    url = authorization_url(
        api.authorization_url,
        client_id=api.client_id,
        redirect_url=oauth.redirect_url,
        scopes=api.scopes,
        started=started,
    )
    return Authorize(url, expires_at)


@dataclass(frozen=True, slots=True)
class Returned:
    """The query parameters with which the API redirected the user back."""

    code: str = field(repr=False)
    state: str = field(repr=False)
    iss: str | None = None


async def finish_authorization(context: Context, returned: Returned, asked: MutationRequest | None = None) -> UUID:
    """Connects the user's account at the API. A `state` is accepted once, within ten minutes, from the user who
    started.

    If the API has an issuer, `iss` must equal it (RFC 9207): otherwise the code may belong to another server, and is
    not sent. Raises `BadInput` for any other state or code, and `StoreError`s of the API. The refresh token is stored
    sealed. The work continues when the caller disconnects, since the API accepts the code only once; a retry with the
    same `Idempotency-Key` then gets the account (for `asked` see `once_told`). A retry that comes before is a
    `BadInput`: nothing tells it from a used state, since no transaction is open while the API is waited for.
    """
    context.verdicts.require_subject()
    if not (0 < len(returned.code) <= MAX_SENT and 0 < len(returned.state) <= MAX_SENT):
        raise BadInput(f"`code` and `state` have 1 to {MAX_SENT} characters: send them as the API did.", field="state")
    key = await context.stores.oauth.to_its_end(_finished(context, returned, asked))
    account_id = key[0]
    assert isinstance(account_id, UUID)
    return account_id


async def _finished(context: Context, returned: Returned, asked: MutationRequest | None) -> Key:
    gen, keyring = context.stores.postgres[STORE], context.stores.keyring
    async with transaction(gen, context.ledger) as within:
        done = await done_before(context, within, asked, about=ACCOUNTS)
        if done is not None:
            return done
        state = state_sha256(returned.state)
        taken = await take_authorization(within, owner_subject=context.subject.id, state_sha256=state)
        api = None if taken is None else await connectable_api(within, taken.api_id)
    if taken is None or api is None or taken.expires_at <= datetime.now(UTC):
        raise BadInput(
            "This authorization was not started by you, was used already, or has expired. Start again, unless your "
            "first attempt may still be running: then repeat it shortly with the same `Idempotency-Key`.",
            field="state",
        )
    if api.issuer is not None and returned.iss != api.issuer:
        raise BadInput(f"It was not {api.name} that answered: `iss` names another issuer, or none.", field="iss")
    tokens = await context.stores.oauth.exchange(
        token_endpoint(api, keyring),
        code=returned.code,
        verifier=keyring.open_text(taken.verifier),
        redirect_url=taken.redirect_url,
        ledger=context.ledger,
    )
    async with transaction(gen, context.ledger) as within:

        async def work() -> Key:
            return (await _connected(context, within, api, tokens),)

        return await once(context, within, asked, about=ACCOUNTS, work=work)


async def _connected(context: Context, within: Transaction, api: Api, tokens: Tokens) -> UUID:
    """The user's account, with the tokens that the API has issued."""
    keyring = context.stores.keyring
    if tokens.refresh_token is None:
        raise Conflict(f"{api.name} gave no refresh token. An administrator may have to add a scope for it.")
    now = await connectable_api(within, api.id, locked=True)
    if now.token_url != api.token_url:
        raise Conflict(f"{api.name} has moved to another address meanwhile. Start the authorization again.")
    subject = context.subject
    await revocations.keep_replaced(within, owner_subject=subject.id, api_id=api.id, versions=keyring.versions)
    account_id = await accounts.put_account(
        within,
        owner_subject=context.subject.id,
        api_id=api.id,
        refresh_token=keyring.seal_text(tokens.refresh_token),
        scopes=tokens.scopes or api.scopes,
    )
    await keep_access_token(within, keyring, account_id, tokens)
    return account_id
