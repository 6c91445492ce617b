"""Revokes the tokens of ended connections at their API (RFC 7009). Revocations are recorded in the transaction that
ends the connections, and sent after it commits.

A record holds the API as it was, and copies of the encrypted tokens. The worker sends them one by one until the API has
accepted each. An API that refuses one is retried after increasing delays, and delays no other. After a week the rest is
abandoned, which the audit log records. Revoking a token twice does no harm.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
import structlog

from loaders.audit.entry import Action, AuditEntry
from loaders.audit.outbox import append
from loaders.errors import AxionError
from loaders.ledger import Ledger
from loaders.oauth.apis import opened_endpoint
from loaders.oauth.client import OAuthClient
from loaders.postgres.client import Postgres
from loaders.postgres.write import Transaction, transaction
from loaders.secrets.keyring import Keyring, Sealed
from loaders.secrets.sealed_columns import sealed_of
from loaders.tables.axion_gen.external import ExternalApi, UserExternalApiToken
from loaders.tables.axion_gen.revocations import TokenRevocation, TokenToRevoke
from loaders.tables.uuid7 import uuid7

KEPT: Final = timedelta(days=7)
_FIRST: Final = timedelta(seconds=30)
"""How long a single token is left to the request that recorded it before the worker takes it."""
_MAX_WAIT_S: Final = 3_600
_GIVEN_UP_AT_ONCE: Final = 100

_log = structlog.get_logger(__name__)
_places = cast(sa.Table, TokenRevocation.__table__)
_tokens = cast(sa.Table, TokenToRevoke.__table__)
_apis = cast(sa.Table, ExternalApi.__table__)
_accounts = cast(sa.Table, UserExternalApiToken.__table__)
_SECRET: Final = ("encrypted_client_secret", "nonce", "tag", "key_version")
_TOKEN: Final = ("encrypted_token", "nonce", "tag", "key_version")


@dataclass(frozen=True, slots=True)
class Noted:
    """`id` is None when there is nothing to revoke or the API has no revocation endpoint."""

    id: UUID | None
    tokens: int


async def keep_replaced(within: Transaction, *, owner_subject: str, api_id: UUID, versions: Collection[int]) -> None:
    """Called before the refresh token of the user's account at an API is replaced, if there is one: keeps the old
    token, to be revoked when the account ends. A token encrypted with none of these key versions is lost.
    """
    kept = (
        sa.select(sa.literal(uuid7(), sa.Uuid), _accounts.c.id, *(_accounts.c[name] for name in _TOKEN))
        .where(
            _accounts.c.owner_subject == owner_subject,
            _accounts.c.external_api_id == api_id,
            _accounts.c.key_version.in_(versions),
        )
        .with_for_update()
    )
    await within.rows(sa.insert(_tokens).from_select(["id", "account_id", *_TOKEN], kept))


async def note(within: Transaction, api_id: UUID, *, account_id: UUID | None = None) -> Noted:
    """Called before the accounts at an API, or one of them, are deleted. Four statements, however many accounts there
    are.
    """
    copied = ("revocation_url", "client_id", *_SECRET)
    waits = _FIRST if account_id is not None else timedelta()
    place = sa.select(
        sa.literal(id_ := uuid7(), sa.Uuid),
        _apis.c.name,
        *(_apis.c[name] for name in copied),
        sa.func.now() + waits,
    ).where(_apis.c.id == api_id, _apis.c.revocation_url.is_not(None))
    made = sa.insert(_places).from_select(["id", "api_name", *copied, "next_attempt_at"], place)
    if not await within.rows(made.returning(_places.c.id)):
        return Noted(None, 0)
    which = (_accounts.c.external_api_id == api_id, *([_accounts.c.id == account_id] if account_id else []))
    accounts = sa.select(_accounts.c.id, sa.literal(id_, sa.Uuid), *(_accounts.c[name] for name in _TOKEN))
    moved = sa.insert(_tokens).from_select(["id", "revocation_id", *_TOKEN], accounts.where(*which))
    tokens = len(await within.rows(moved.returning(_tokens.c.id)))
    replaced = sa.update(_tokens).where(_tokens.c.account_id.in_(sa.select(_accounts.c.id).where(*which)))
    tokens += len(await within.rows(replaced.values(revocation_id=id_, account_id=None).returning(_tokens.c.id)))
    if not tokens:
        await within.rows(sa.delete(_places).where(_places.c.id == id_))
        return Noted(None, 0)
    return Noted(id_, tokens)


async def settle(postgres: Postgres, oauth: OAuthClient, keyring: Keyring, id_: UUID, *, ledger: Ledger) -> bool:
    """Sends what was recorded now. Returns whether all is revoked; the worker sends the rest. Raises no
    `StoreError`.
    """
    try:
        while (done := await _one(postgres, oauth, keyring, _places.c.id == id_, ledger=ledger)) is True:
            pass
        if done is None:
            await _forget_done(postgres, ledger)
    except AxionError as error:
        _log.warning("revocation_not_settled", code=error.code.value)
        return False
    return done is None


async def deliver(postgres: Postgres, oauth: OAuthClient, keyring: Keyring, *, ledger: Ledger) -> bool:
    """Sends one due token, for the worker. Returns whether there was one. Raises the `StoreError` of Postgres."""
    due = _places.c.next_attempt_at <= sa.func.now()
    return await _one(postgres, oauth, keyring, due, ledger=ledger) is not None


async def prune(postgres: Postgres, *, ledger: Ledger, kept: timedelta = KEPT) -> None:
    """Deletes finished records, and abandons those that are too old."""
    await _forget_done(postgres, ledger)
    async with transaction(postgres, ledger) as within:
        old = (
            sa.select(_places.c.id, _places.c.api_name, _places.c.last_error)
            .where(_places.c.created_at < sa.func.now() - kept)
            .order_by(_places.c.created_at)
            .limit(_GIVEN_UP_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        await _give_up(within, await within.rows(old))


async def _give_up(within: Transaction, places: Sequence[sa.Row[Any]]) -> None:
    for place in places:
        of_place = _tokens.c.revocation_id == place.id
        ((left,),) = await within.rows(sa.select(sa.func.count()).select_from(_tokens).where(of_place))
        await within.rows(sa.delete(_places).where(_places.c.id == place.id))
        facts = {"api": place.api_name, "tokens": left, "lastError": place.last_error}
        await append(within, [AuditEntry(Action.TOKENS_NOT_REVOKED, "", f"external_api:{place.api_name}", "", facts)])
        _log.warning("tokens_not_revoked", api=place.api_name, tokens=left)


async def _forget_done(postgres: Postgres, ledger: Ledger) -> None:
    left = sa.exists().where(_tokens.c.revocation_id == _places.c.id)
    async with transaction(postgres, ledger) as within:
        await within.rows(sa.delete(_places).where(~left))


async def _one(
    postgres: Postgres, oauth: OAuthClient, keyring: Keyring, which: sa.ColumnElement[bool], *, ledger: Ledger
) -> bool | None:
    """Locks and sends the token with the fewest attempts. Returns whether it is revoked; None when there is none."""
    chosen = (
        sa.select(
            _tokens.c.id,
            _tokens.c.revocation_id,
            *(_tokens.c[name].label(f"token_{name}") for name in _TOKEN),
            *(_places.c[name] for name in ("api_name", "revocation_url", "client_id", *_SECRET)),
            _places.c.attempts.label("attempts"),
        )
        .join(_places, _places.c.id == _tokens.c.revocation_id)
        .where(which)
        .order_by(_places.c.next_attempt_at, _tokens.c.attempts, _tokens.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=_tokens)
    )
    async with transaction(postgres, ledger) as within:
        rows = await within.rows(chosen)
        if not rows:
            return None
        token = rows[0]
        try:
            await _send(oauth, keyring, token, ledger)
        except AxionError as error:
            await _postpone(within, token, error)
            return False
        await within.rows(sa.delete(_tokens).where(_tokens.c.id == token.id))
        if token.attempts:
            again = {"attempts": 0, "last_error": None}
            await within.rows(sa.update(_places).where(_places.c.id == token.revocation_id).values(again))
    return True


async def _send(oauth: OAuthClient, keyring: Keyring, row: sa.Row[Any], ledger: Ledger) -> None:
    secret = None if row.encrypted_client_secret is None else sealed_of(row, "encrypted_client_secret")
    endpoint = opened_endpoint(keyring, row.api_name, row.revocation_url, client_id=row.client_id, secret=secret)
    token = Sealed(row.token_encrypted_token, row.token_nonce, row.token_tag, row.token_key_version)
    await oauth.revoke(endpoint, row.revocation_url, refresh_token=keyring.open_text(token), ledger=ledger)


async def _postpone(within: Transaction, row: sa.Row[Any], error: AxionError) -> None:
    """Postpones all tokens of the API, which would probably refuse the next one, too; this token goes to the end."""
    wait = timedelta(seconds=min(2 ** min(row.attempts + 1, 16), _MAX_WAIT_S))
    place = sa.update(_places).where(_places.c.id == row.revocation_id)
    failure = {
        "attempts": _places.c.attempts + 1,
        "last_error": str(error),
        "next_attempt_at": sa.func.clock_timestamp() + wait,
    }
    await within.rows(place.values(failure))
    tried = sa.update(_tokens).where(_tokens.c.id == row.id)
    await within.rows(tried.values(attempts=_tokens.c.attempts + 1))
    _log.warning("token_not_revoked", api=row.api_name, attempts=row.attempts + 1, code=error.code.value)
