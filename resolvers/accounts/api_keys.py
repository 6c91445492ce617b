"""API keys: made by those who signed in, for themselves or, by system admins, for a service account."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from loaders.api_keys import API_KEYS, active_keys, lock_account, revoke, revoke_own
from loaders.audit.entry import Action
from loaders.errors import BadInput, NotFound
from loaders.postgres import row_writes
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction, transaction
from loaders.secrets.api_key import ApiKeyText
from loaders.tables.uuid7 import uuid7
from resolvers.audit import audit
from resolvers.context import Context
from resolvers.idempotency import MutationRequest, once
from resolvers.names import checked_name
from resolvers.permissions.scopes import SCOPES

STORE = "axion_sense"
LONGEST = timedelta(days=366)
USUAL = timedelta(days=90)
_MAX_ACTIVE = 50


@dataclass(frozen=True, slots=True)
class ApiKeyCreate:
    """`user_id=None` is the caller. `expires_at` is aware; None is 90 days from now."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None = None
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class MadeApiKey:
    """`text` is what the program sends; it is shown this once, and None for a mutation that was retried."""

    key: Key
    text: ApiKeyText | None


async def create_api_key(context: Context, asked: MutationRequest, input_: ApiKeyCreate) -> MadeApiKey:
    """`BadInput` for unknown scopes, a wrong end, or too many keys; `NotFound` for another's or an unknown account."""
    context.verdicts.require_subject()
    name, scopes, expires_at = checked_name(input_.name), _scopes(input_.scopes), _end(input_.expires_at)
    made: list[ApiKeyText] = []
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            owner = await _owner(context, within, input_.user_id)
            text = ApiKeyText.new(uuid7())
            made.append(text)
            row = {"user_id": owner, "name": name, "scopes": scopes, "expires_at": expires_at}
            secret = {"id": text.id, "secret_sha256": text.secret_sha256}
            await row_writes.insert(within, API_KEYS, {**secret, **row})
            facts = {"user_id": owner, "scopes": scopes, "expires_at": expires_at.isoformat()}
            await audit(context, within, Action.API_KEY_CREATED, f"api_key:{text.id}", facts)
            return (text.id,)

        key = await once(context, within, asked, about=API_KEYS.table, work=work)
    return MadeApiKey(key, made[0] if made else None)


async def revoke_api_key(context: Context, asked: MutationRequest, id_: UUID) -> Key:
    """Revokes a key, for the user it acts as and system administrators. A revoked key stays as it is. `NotFound` for
    the keys of others.
    """
    context.verdicts.require_subject()
    anyone = await context.verdicts.is_admin()
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            own = context.subject.user_id
            if not (await revoke(within, id_) if anyone else await revoke_own(within, id_, user_id=own)):
                raise NotFound("There is no such API key.")
            await audit(context, within, Action.API_KEY_REVOKED, f"api_key:{id_}")
            return (id_,)

        return await once(context, within, asked, about=API_KEYS.table, work=work)


async def _owner(context: Context, within: Transaction, user_id: int | None) -> int:
    """The account, locked, so that no two keys at once pass its bound. Whose keys one may not make is not told."""
    owner = context.subject.user_id if user_id is None else user_id
    is_own = owner == context.subject.user_id
    if not is_own and not await context.verdicts.is_admin():
        raise NotFound("There is no such service account.")
    if owner is None or not await lock_account(within, owner, service_only=not is_own):
        raise NotFound("There is no such service account.")
    if await active_keys(within, owner) >= _MAX_ACTIVE:
        raise BadInput(f"An account has at most {_MAX_ACTIVE} API keys at a time. Revoke one with `apiKeyRevoke`.")
    return owner


def _scopes(scopes: tuple[str, ...]) -> list[str]:
    if not scopes:
        raise BadInput(f"`scopes` must name at least one of {', '.join(SCOPES)}.", field="scopes")
    for scope in scopes:
        if scope not in SCOPES:
            raise BadInput(f"There is no scope {scope[:50]!r}: there are {', '.join(SCOPES)}.", field="scopes")
    return sorted(set(scopes))


def _end(expires_at: datetime | None) -> datetime:
    now = datetime.now(UTC)
    if expires_at is None:
        return now + USUAL
    if not now < expires_at <= now + LONGEST:
        raise BadInput(f"`expiresAt` must lie in the next {LONGEST.days} days.", field="expiresAt")
    return expires_at
