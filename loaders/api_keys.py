"""Changes of API keys and of the accounts they act as: rows of `axion_sense.public`. One statement each.

`loaders/accounts.py` reads them for authentication.
"""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from loaders.postgres.stored_table import StoredTable
from loaders.postgres.write import Transaction
from loaders.tables.axion_sense.public import ApiKey, User
from loaders.tables.describe import describe

API_KEYS: Final = StoredTable.of(describe(ApiKey, "axion_sense"))
USERS: Final = StoredTable.of(describe(User, "axion_sense"))
SERVICE: Final = "service"
"""The `kind` of a user without a person."""


async def lock_account(within: Transaction, user_id: int | None, *, service_only: bool) -> bool:
    """Whether such an active account exists. Others who lock it wait until the transaction ends."""
    conditions = [User.id == user_id, User.is_active]
    if service_only:
        conditions.append(User.kind == SERVICE)
    return bool(await within.rows(sa.select(User.id).where(*conditions).with_for_update(key_share=True)))


async def active_keys(within: Transaction, user_id: int) -> int:
    """How many keys of the account are neither revoked nor expired."""
    active = sa.and_(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None), ApiKey.expires_at > sa.func.now())
    ((counted,),) = await within.rows(sa.select(sa.func.count()).select_from(ApiKey).where(active))
    return int(counted)


async def revoke(within: Transaction, id_: UUID) -> bool:
    """Whether such a key exists. A key that was revoked before stays as it is."""
    return await _revoke(within, ApiKey.id == id_)


async def revoke_own(within: Transaction, id_: UUID, *, user_id: int | None) -> bool:
    """As `revoke`, among the keys of the account."""
    return await _revoke(within, sa.and_(ApiKey.id == id_, ApiKey.user_id == user_id))


async def set_service_account_active(within: Transaction, id_: int, *, is_active: bool) -> str | None:
    """The account's `sub`; None for a person, and without one."""
    changed = sa.update(User).where(User.id == id_, User.kind == SERVICE).values(is_active=is_active)
    rows = await within.rows(changed.returning(User.external_auth_id))
    return str(rows[0].external_auth_id) if rows else None


async def _revoke(within: Transaction, which: sa.ColumnElement[bool]) -> bool:
    revoked = sa.update(ApiKey).where(which).values(revoked_at=sa.func.coalesce(ApiKey.revoked_at, sa.func.now()))
    return bool(await within.rows(revoked.returning(ApiKey.id)))
