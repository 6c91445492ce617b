"""Users' accounts at APIs of others: connected with OAuth 2 (authorization code, PKCE), refreshed on demand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.errors import BadInput, Conflict, NotFound
from loaders.gen.stored import USERS
from loaders.oauth import revocations
from loaders.oauth.client import TokenEndpoint, Tokens
from loaders.oauth.pkce import Started, authorization_url, state_sha256
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction, transaction
from loaders.secrets.keyring import Keyring, Sealed
from loaders.tables.axion_gen.external import (
    ExternalApi,
    ExternalApiAccessToken,
    ExternalApiAuthorization,
    UserExternalApiToken,
)
from loaders.tables.describe import describe
from loaders.tables.uuid7 import uuid7
from resolvers.context import Context
from resolvers.gen.store import STORE
from resolvers.idempotency import Asked, once
from resolvers.known_user import register_user

_ACCOUNTS = describe(UserExternalApiToken, STORE)
_STARTED_FOR = timedelta(minutes=10)
_EARLY = timedelta(seconds=30)
"""An access token is renewed so long before it expires, so that it does not end on its way."""
_MAX_SENT = 4_096


@dataclass(frozen=True, slots=True)
class Authorize:
    """Where the user consents, and until when the answer is taken."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccessToken:
    text: str = field(repr=False)
    expires_at: datetime


async def start_authorization(context: Context, api_id: UUID) -> Authorize:
    """One at a time of a user for an API: an earlier one is void. `NotFound` for an API that is not offered.

    `BadInput` for an API whose addresses are no https, `Conflict` while the gateway has no redirect URL.
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
        values = {
            "state_sha256": state_sha256(started.state),
            "redirect_url": oauth.redirect_url,
            "expires_at": expires_at,
            **_columns(context.stores.keyring, started.verifier, "encrypted_verifier"),
        }
        row = insert(ExternalApiAuthorization).values(
            id=uuid7(), owner_subject=subject.id, external_api_id=api_id, **values
        )
        mine = ["owner_subject", "external_api_id"]
        await within.rows(row.on_conflict_do_update(index_elements=mine, set_=values))
    url = authorization_url(
        api.authorization_url,
        client_id=api.client_id,
        redirect_url=oauth.redirect_url,
        scopes=tuple(api.scopes),
        started=started,
    )
    return Authorize(url, expires_at)


async def finish_authorization(context: Context, *, code: str, state: str, iss: str | None = None) -> UUID:
    """The user's account at the API, connected. A `state` is taken once, within ten minutes, from who started it.

    `iss` must be the API's issuer, if it has one (RFC 9207): else the code may be another server's, and is not sent.
    `BadInput` for any other state or code; `StoreError`s of the API. Its refresh token is kept sealed.
    """
    context.verdicts.require_subject()
    if not (0 < len(code) <= _MAX_SENT and 0 < len(state) <= _MAX_SENT):
        raise BadInput("`code` and `state` are what the API has sent along.", field="state")
    gen, keyring = context.stores.postgres[STORE], context.stores.keyring
    async with transaction(gen, context.ledger) as within:
        taken = (
            sa.delete(ExternalApiAuthorization)
            .where(
                ExternalApiAuthorization.state_sha256 == state_sha256(state),
                ExternalApiAuthorization.owner_subject == context.subject.id,
            )
            .returning(
                ExternalApiAuthorization.external_api_id,
                ExternalApiAuthorization.redirect_url,
                ExternalApiAuthorization.expires_at,
                ExternalApiAuthorization.encrypted_verifier.label("secret"),
                ExternalApiAuthorization.nonce,
                ExternalApiAuthorization.tag,
                ExternalApiAuthorization.key_version,
            )
        )
        rows = await within.rows(taken)
        api = await _api(within, rows[0].external_api_id) if rows else None
    if api is None or rows[0].expires_at <= datetime.now(UTC):
        raise BadInput(
            "You did not start this authorization, it is used, or it has expired. Start again.", field="state"
        )
    if api.issuer is not None and iss != api.issuer:
        raise BadInput(f"It was not {api.name} that answered: `iss` names another issuer, or none.", field="iss")
    tokens = await context.stores.oauth.exchange(
        _endpoint(api, keyring),
        code=code,
        verifier=_opened(keyring, rows[0]),
        redirect_url=rows[0].redirect_url,
        ledger=context.ledger,
    )
    if tokens.refresh_token is None:
        raise Conflict(f"{api.name} gave no refresh token. An administrator may have to add a scope for it.")
    async with transaction(gen, context.ledger) as within:
        now = await _api(within, api.id, locked=True)
        if now.token_url != api.token_url:
            raise Conflict(f"{api.name} has moved meanwhile. Start the authorization again.")
        values = {
            "scopes": list(tokens.scopes or api.scopes),
            "refreshed_at": sa.func.now(),
            **_columns(keyring, tokens.refresh_token, "encrypted_token"),
        }
        row = insert(UserExternalApiToken).values(
            id=uuid7(), owner_subject=context.subject.id, external_api_id=api.id, **values
        )
        mine = ["owner_subject", "external_api_id"]
        (kept,) = await within.rows(
            row.on_conflict_do_update(index_elements=mine, set_={**values, "updated_at": sa.func.now()}).returning(
                UserExternalApiToken.id
            )
        )
        await _keep_access(within, keyring, kept.id, tokens)
    account: UUID = kept.id
    return account


async def access_token(context: Context, api_id: UUID) -> AccessToken:
    """The subject's own, for requests to the API in their name; renewed when it is about to expire.

    However many ask in however many processes, one renews: the others wait for the account's row and take what it got.
    `NotFound` without an account, `Conflict` when the API has ended it, `StoreError`s of the API.
    """
    context.verdicts.require_subject()
    gen, keyring, oauth = context.stores.postgres[STORE], context.stores.keyring, context.stores.oauth
    async with oauth.at_most, transaction(gen, context.ledger) as within:
        mine = (
            sa.select(
                UserExternalApiToken.id,
                UserExternalApiToken.encrypted_token.label("secret"),
                UserExternalApiToken.nonce,
                UserExternalApiToken.tag,
                UserExternalApiToken.key_version,
            )
            .where(
                UserExternalApiToken.owner_subject == context.subject.id,
                UserExternalApiToken.external_api_id == api_id,
            )
            .with_for_update(key_share=True)
        )
        accounts = await within.rows(mine)
        if not accounts:
            raise NotFound("You have no account at this API. Connect to it first.")
        account = accounts[0]
        api = await _api(within, api_id)
        kept = await within.rows(_kept(account.id))
        if kept and kept[0].expires_at > datetime.now(UTC) + _EARLY:
            return AccessToken(_opened(keyring, kept[0]), kept[0].expires_at)
        tokens = await oauth.refresh(
            _endpoint(api, keyring), refresh_token=_opened(keyring, account), ledger=context.ledger
        )
        changed: dict[str, object] = {"refreshed_at": sa.func.now(), "updated_at": sa.func.now()}
        if tokens.refresh_token is not None:
            changed |= _columns(keyring, tokens.refresh_token, "encrypted_token")
        await within.rows(sa.update(UserExternalApiToken).where(UserExternalApiToken.id == account.id).values(changed))
        expires_at = await _keep_access(within, keyring, account.id, tokens)
    return AccessToken(tokens.access_token, expires_at)


async def disconnect(context: Context, account_id: UUID, asked: Asked) -> bool | None:
    """The subject's account is gone here, whatever the API says. Whether the API has ended its tokens (RFC 7009): where
    it has not, the worker goes on asking it to.

    None for one without a revocation endpoint, and for a mutation that is repeated. `NotFound` for another's account.
    """
    context.verdicts.require_subject()
    stores, noted = context.stores, list[UUID]()
    gen = stores.postgres[STORE]
    async with transaction(gen, context.ledger) as within:

        async def work() -> Key:
            mine = (
                UserExternalApiToken.id == account_id,
                UserExternalApiToken.owner_subject == context.subject.id,
            )
            found = await within.rows(sa.select(UserExternalApiToken.external_api_id).where(*mine).with_for_update())
            if not found:
                raise NotFound("You have no such account.")
            note = await revocations.note(within, found[0].external_api_id, account_id=account_id)
            noted.extend([note.id] if note.id is not None else [])
            await within.rows(sa.delete(UserExternalApiToken).where(*mine))
            return (account_id,)

        await once(context, within, asked, about=_ACCOUNTS, work=work)
    if not noted:
        return None
    return await revocations.settle(gen, stores.oauth, stores.keyring, noted[0], ledger=context.ledger)


async def set_client_secret(context: Context, api_id: UUID, secret: str | None) -> None:
    """For system admins. None makes the platform a public client of the API."""
    await context.verdicts.require_admin()
    if secret is not None and not (0 < len(secret) <= _MAX_SENT):
        raise BadInput(f"`clientSecret` has 1 to {_MAX_SENT} characters.", field="clientSecret")
    keyring = context.stores.keyring
    names = ("encrypted_client_secret", "nonce", "tag", "key_version")
    values = dict.fromkeys(names) if secret is None else _columns(keyring, secret, names[0])
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:
        changed = sa.update(ExternalApi).where(ExternalApi.id == api_id).values(values).returning(ExternalApi.id)
        if not await within.rows(changed):
            raise NotFound("There is no such API.")


async def _api(within: Transaction, api_id: UUID, *, locked: bool = False) -> ExternalApi:
    """`NotFound` for one that is disabled, too. `locked`: it does not change until the transaction ends."""
    found = await within.session.get(ExternalApi, api_id, with_for_update={"read": True} if locked else None)
    if found is None or not found.is_enabled:
        raise NotFound("There is no such API, or users may not connect to it now.")
    return found


def _endpoint(api: ExternalApi, keyring: Keyring) -> TokenEndpoint:
    secret = None
    if api.encrypted_client_secret is not None:
        assert api.nonce is not None
        assert api.tag is not None
        assert api.key_version is not None
        secret = keyring.open(Sealed(api.encrypted_client_secret, api.nonce, api.tag, api.key_version)).decode()
    return TokenEndpoint(api.name, api.token_url, api.client_id, secret)


def _kept(account_id: UUID) -> sa.Executable:
    table = ExternalApiAccessToken
    columns = (table.expires_at, table.encrypted_token.label("secret"), table.nonce, table.tag, table.key_version)
    return sa.select(*columns).where(table.id == account_id)


async def _keep_access(within: Transaction, keyring: Keyring, account_id: UUID, tokens: Tokens) -> datetime:
    expires_at = datetime.now(UTC) + timedelta(seconds=tokens.expires_in_s)
    values = {"expires_at": expires_at, **_columns(keyring, tokens.access_token, "encrypted_token")}
    row = insert(ExternalApiAccessToken).values(id=account_id, **values)
    await within.rows(row.on_conflict_do_update(index_elements=["id"], set_=values))
    return expires_at


def _columns(keyring: Keyring, secret: str, ciphertext: str) -> dict[str, object]:
    """As raw UTF-8 bytes (reference, "What's encrypted")."""
    sealed = keyring.seal(secret.encode())
    columns = {"nonce": sealed.nonce, "tag": sealed.tag, "key_version": sealed.key_version}
    return {ciphertext: sealed.ciphertext, **columns}


def _opened(keyring: Keyring, row: sa.Row[Any]) -> str:
    return keyring.open(Sealed(row.secret, row.nonce, row.tag, row.key_version)).decode()
