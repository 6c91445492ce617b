"""Users' access tokens at external APIs, renewed on demand."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from loaders.errors import NotFound
from loaders.oauth import accounts
from loaders.oauth.accounts import KeptToken
from loaders.oauth.client import Tokens
from loaders.postgres.write import Transaction, transaction
from loaders.secrets.keyring import Keyring
from resolvers.context import Context
from resolvers.gen.external_apis import connectable_api, token_endpoint
from resolvers.gen.store import STORE

_EARLY = timedelta(seconds=30)
"""How long before its expiry an access token is renewed, so that it does not expire in transit."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    text: str = field(repr=False)
    expires_at: datetime


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
        api = await connectable_api(within, api_id)
        kept = await accounts.find_access_token(within, account.id)
        if kept is not None and kept.expires_at > datetime.now(UTC) + _EARLY:
            return AccessToken(keyring.open_text(kept.sealed), kept.expires_at)
        tokens = await oauth.refresh(
            token_endpoint(api, keyring), refresh_token=keyring.open_text(account.refresh_token), ledger=context.ledger
        )
        new = None if tokens.refresh_token is None else keyring.seal_text(tokens.refresh_token)
        await accounts.note_refresh(within, account.id, new)
        expires_at = await keep_access_token(within, keyring, account.id, tokens)
    return AccessToken(tokens.access_token, expires_at)


async def keep_access_token(within: Transaction, keyring: Keyring, account_id: UUID, tokens: Tokens) -> datetime:
    """Stores the access token, sealed. Returns when it expires."""
    expires_at = datetime.now(UTC) + timedelta(seconds=tokens.expires_in_s)
    token = KeptToken(keyring.seal_text(tokens.access_token), expires_at)
    await accounts.put_access_token(within, account_id, token)
    return expires_at
