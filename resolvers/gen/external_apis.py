"""Users' accounts at external APIs: connected with OAuth 2 (authorization code, PKCE), refreshed on demand."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from loaders.errors import BadInput, Conflict, NotFound
from loaders.gen.stored import USERS
from loaders.oauth import accounts, apis, revocations
from loaders.oauth.accounts import KeptToken
from loaders.oauth.apis import Api
from loaders.oauth.authorizations import Authorization, put_authorization, take_authorization
from loaders.oauth.client import TokenEndpoint, Tokens
from loaders.oauth.pkce import Started, authorization_url, state_sha256
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction, transaction
from loaders.secrets.keyring import Keyring
from loaders.tables.axion_gen.external import ExternalApi, UserExternalApiToken
from loaders.tables.describe import describe
from resolvers.context import Context
from resolvers.expected import require_unchanged
from resolvers.gen.store import STORE
from resolvers.idempotency import Asked, done_before, once
from resolvers.known_user import register_user

_ACCOUNTS = describe(UserExternalApiToken, STORE)
_APIS = describe(ExternalApi, STORE)
_STARTED_FOR = timedelta(minutes=10)
_EARLY = timedelta(seconds=30)
"""How long before its expiry an access token is renewed, so that it does not expire in transit."""
_MAX_SENT = 4_096
_PATIENCE_S = 5.0
"""How long a request waits for the API to revoke a token before it leaves that to the worker."""


@dataclass(frozen=True, slots=True)
class Authorize:
    """The URL where the user consents, and until when the API's answer is accepted."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccessToken:
    text: str = field(repr=False)
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
        api = await _api(within, api_id)
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


async def finish_authorization(context: Context, returned: Returned, asked: Asked | None = None) -> UUID:
    """Connects the user's account at the API. A `state` is accepted once, within ten minutes, from the user who
    started.

    If the API has an issuer, `iss` must equal it (RFC 9207): otherwise the code may belong to another server, and is
    not sent. Raises `BadInput` for any other state or code, and `StoreError`s of the API. The refresh token is stored
    sealed. The work continues when the caller disconnects, since the API accepts the code only once; a retry with the
    same `Idempotency-Key` then gets the account (for `asked` see `once_told`). A retry that comes before is a
    `BadInput`: nothing tells it from a used state, since no transaction is open while the API is waited for.
    """
    context.verdicts.require_subject()
    if not (0 < len(returned.code) <= _MAX_SENT and 0 < len(returned.state) <= _MAX_SENT):
        raise BadInput(f"`code` and `state` have 1 to {_MAX_SENT} characters: send them as the API did.", field="state")
    key = await context.stores.oauth.to_its_end(_finished(context, returned, asked))
    account_id = key[0]
    assert isinstance(account_id, UUID)
    return account_id


async def _finished(context: Context, returned: Returned, asked: Asked | None) -> Key:
    gen, keyring = context.stores.postgres[STORE], context.stores.keyring
    async with transaction(gen, context.ledger) as within:
        done = await done_before(context, within, asked, about=_ACCOUNTS)
        if done is not None:
            return done
        state = state_sha256(returned.state)
        taken = await take_authorization(within, owner_subject=context.subject.id, state_sha256=state)
        api = None if taken is None else await _api(within, taken.api_id)
    if taken is None or api is None or taken.expires_at <= datetime.now(UTC):
        raise BadInput(
            "This authorization was not started by you, was used already, or has expired. Start again, unless your "
            "first attempt may still be running: then repeat it shortly with the same `Idempotency-Key`.",
            field="state",
        )
    if api.issuer is not None and returned.iss != api.issuer:
        raise BadInput(f"It was not {api.name} that answered: `iss` names another issuer, or none.", field="iss")
    tokens = await context.stores.oauth.exchange(
        _endpoint(api, keyring),
        code=returned.code,
        verifier=keyring.open_text(taken.verifier),
        redirect_url=taken.redirect_url,
        ledger=context.ledger,
    )
    async with transaction(gen, context.ledger) as within:

        async def work() -> Key:
            return (await _connected(context, within, api, tokens),)

        return await once(context, within, asked, about=_ACCOUNTS, work=work)


async def _connected(context: Context, within: Transaction, api: Api, tokens: Tokens) -> UUID:
    """The user's account, with the tokens that the API has issued."""
    keyring = context.stores.keyring
    if tokens.refresh_token is None:
        raise Conflict(f"{api.name} gave no refresh token. An administrator may have to add a scope for it.")
    now = await _api(within, api.id, locked=True)
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
    await _keep_access(within, keyring, account_id, tokens)
    return account_id


async def access_token(context: Context, api_id: UUID) -> AccessToken:
    """The subject's own access token, for requests to the API in their name; renewed when it is about to expire.

    A token that is still valid is answered without waiting. Otherwise one caller renews it, however many ask in however
    many processes; the others wait for the row of the account and use the new token. Raises `NotFound` without an
    account, `Conflict` when the API has ended it, and `StoreError`s of the API. A renewal that has begun is stored even
    if its caller disconnects, since the API no longer accepts the token before it.
    """
    context.verdicts.require_subject()
    stores = context.stores
    kept = await accounts.kept_access_token(
        stores.postgres[STORE],
        owner_subject=context.subject.id,
        api_id=api_id,
        until=datetime.now(UTC) + _EARLY,
        ledger=context.ledger,
    )
    if kept is not None:
        return AccessToken(stores.keyring.open_text(kept.sealed), kept.expires_at)
    async with AsyncExitStack() as turn:
        await turn.enter_async_context(stores.oauth.turn(api_id))
        return await stores.oauth.to_its_end(_renewed(context, api_id, turn.pop_all()))


async def _renewed(context: Context, api_id: UUID, turn: AsyncExitStack) -> AccessToken:
    """Renews the token while holding the process's turn at the API."""
    gen, keyring, oauth = context.stores.postgres[STORE], context.stores.keyring, context.stores.oauth
    async with turn, transaction(gen, context.ledger, patient=True) as within:  # other callers wait for the new token
        account = await accounts.lock_account(within, owner_subject=context.subject.id, api_id=api_id)
        if account is None:
            raise NotFound("You have no account at this API. Connect to it first.")
        api = await _api(within, api_id)
        kept = await accounts.find_access_token(within, account.id)
        if kept is not None and kept.expires_at > datetime.now(UTC) + _EARLY:
            return AccessToken(keyring.open_text(kept.sealed), kept.expires_at)
        tokens = await oauth.refresh(
            _endpoint(api, keyring), refresh_token=keyring.open_text(account.refresh_token), ledger=context.ledger
        )
        new = None if tokens.refresh_token is None else keyring.seal_text(tokens.refresh_token)
        await accounts.note_refresh(within, account.id, new)
        expires_at = await _keep_access(within, keyring, account.id, tokens)
    return AccessToken(tokens.access_token, expires_at)


async def disconnect(context: Context, account_id: UUID, asked: Asked) -> bool | None:
    """Deletes the subject's account here, whatever the API answers. Returns whether the API has revoked its tokens (RFC
    7009); if it has not, the worker retries.

    None if the API has no revocation endpoint, and for a repeated mutation. Raises `NotFound` for another user's
    account.
    """
    context.verdicts.require_subject()
    stores, noted = context.stores, list[tuple[UUID, UUID]]()
    gen = stores.postgres[STORE]
    async with transaction(gen, context.ledger) as within:

        async def work() -> Key:
            api_id = await accounts.lock_for_end(within, account_id, owner_subject=context.subject.id)
            if api_id is None:
                raise NotFound("You have no such account.")
            note = await revocations.note(within, api_id, account_id=account_id)
            noted.extend([(api_id, note.id)] if note.id is not None else [])
            await accounts.delete_account(within, account_id)
            return (account_id,)

        await once(context, within, asked, about=_ACCOUNTS, work=work)
    if not noted:
        return None
    ((of_api, note_id),) = noted
    async with AsyncExitStack() as turn:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await turn.enter_async_context(stores.oauth.turn(of_api))
        except TimeoutError:
            return False
        return await revocations.settle(gen, stores.oauth, stores.keyring, note_id, ledger=context.ledger)


async def set_client_secret(
    context: Context,
    api_id: UUID,
    secret: str | None,
    asked: Asked | None = None,
    *,
    expected_updated_at: datetime | None = None,
) -> None:
    """For system admins. None makes the platform a public client of the API. Raises `NotFound`, `ChangedSince`. For
    `asked` see `once_told`.
    """
    await context.verdicts.require_admin()
    if secret is not None and not (0 < len(secret) <= _MAX_SENT):
        raise BadInput(f"`clientSecret` has 1 to {_MAX_SENT} characters.", field="clientSecret")
    sealed = None if secret is None else context.stores.keyring.seal_text(secret)
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            updated_at = await apis.lock_api(within, api_id)
            if updated_at is None:
                raise NotFound("There is no such API.")
            require_unchanged(updated_at, expected_updated_at)
            await apis.set_client_secret(within, api_id, sealed)
            return (api_id,)

        await once(context, within, asked, about=_APIS, work=work)


async def _api(within: Transaction, api_id: UUID, *, locked: bool = False) -> Api:
    """Raises `NotFound` also for a disabled API. `locked` keeps the row from changing until the transaction ends."""
    found = await apis.find_api(within, api_id, locked=locked)
    if found is None or not found.is_enabled:
        raise NotFound("There is no such API, or users may not connect to it now.")
    return found


def _endpoint(api: Api, keyring: Keyring) -> TokenEndpoint:
    return apis.opened_endpoint(keyring, api.name, api.token_url, client_id=api.client_id, secret=api.client_secret)


async def _keep_access(within: Transaction, keyring: Keyring, account_id: UUID, tokens: Tokens) -> datetime:
    expires_at = datetime.now(UTC) + timedelta(seconds=tokens.expires_in_s)
    token = KeptToken(keyring.seal_text(tokens.access_token), expires_at)
    await accounts.put_access_token(within, account_id, token)
    return expires_at
