"""Users' accounts at external APIs: the encrypted refresh token of each, and the access token obtained last.

Each function is one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.postgres.write import Transaction
from loaders.secrets.keyring import Sealed
from loaders.secrets.sealed_columns import sealed_columns, sealed_of
from loaders.tables.axion_gen.external import ExternalApiAccessToken, UserExternalApiToken
from loaders.tables.uuid7 import uuid7

_TOKEN: Final = "encrypted_token"  # noqa: S105 - the name of a column


@dataclass(frozen=True, slots=True)
class Account:
    id: UUID
    refresh_token: Sealed = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptToken:
    """An encrypted access token that is kept until it expires."""

    sealed: Sealed = field(repr=False)
    expires_at: datetime


async def put_account(
    within: Transaction, *, owner_subject: str, api_id: UUID, refresh_token: Sealed, scopes: Sequence[str]
) -> UUID:
    """Creates the user's one account at the API, or replaces its tokens. Returns its id."""
    values = {"scopes": list(scopes), "refreshed_at": sa.func.now(), **sealed_columns(refresh_token, _TOKEN)}
    row = insert(UserExternalApiToken).values(id=uuid7(), owner_subject=owner_subject, external_api_id=api_id, **values)
    kept = row.on_conflict_do_update(
        index_elements=["owner_subject", "external_api_id"], set_={**values, "updated_at": sa.func.now()}
    )
    ((id_,),) = await within.rows(kept.returning(UserExternalApiToken.id))
    found: UUID = id_
    return found


async def lock_account(within: Transaction, *, owner_subject: str, api_id: UUID) -> Account | None:
    """The user's own account, locked until the transaction ends."""
    table = UserExternalApiToken
    mine = (
        sa.select(table.id, table.encrypted_token, table.nonce, table.tag, table.key_version)
        .where(table.owner_subject == owner_subject, table.external_api_id == api_id)
        .with_for_update(key_share=True)
    )
    rows = await within.rows(mine)
    return Account(rows[0].id, sealed_of(rows[0], _TOKEN)) if rows else None


async def note_refresh(within: Transaction, account_id: UUID, new_token: Sealed | None) -> None:
    """Records a refresh. `new_token` is None when the API did not rotate the refresh token."""
    changed: dict[str, object] = {"refreshed_at": sa.func.now(), "updated_at": sa.func.now()}
    if new_token is not None:
        changed |= sealed_columns(new_token, _TOKEN)
    await within.rows(sa.update(UserExternalApiToken).where(UserExternalApiToken.id == account_id).values(changed))


_KEPT: Final = """
SELECT t.encrypted_token, t.nonce, t.tag, t.key_version, t.expires_at
FROM public.user_external_api_tokens AS a
JOIN public.external_apis AS of_api ON of_api.id = a.external_api_id AND of_api.is_enabled
JOIN public.external_api_access_tokens AS t ON t.id = a.id
WHERE a.owner_subject = $1 AND a.external_api_id = $2 AND t.expires_at > $3
"""


async def kept_access_token(
    gen: Postgres, *, owner_subject: str, api_id: UUID, until: datetime, ledger: Ledger
) -> KeptToken | None:
    """The user's own access token that is valid beyond `until`, at an enabled API. Takes no lock."""
    rows = await gen.fetch(_KEPT, owner_subject, api_id, until, ledger=ledger)
    if not rows:
        return None
    row = rows[0]
    return KeptToken(Sealed(row[_TOKEN], row["nonce"], row["tag"], row["key_version"]), row["expires_at"])


async def find_access_token(within: Transaction, account_id: UUID) -> KeptToken | None:
    table = ExternalApiAccessToken
    columns = (table.expires_at, table.encrypted_token, table.nonce, table.tag, table.key_version)
    rows = await within.rows(sa.select(*columns).where(table.id == account_id))
    return KeptToken(sealed_of(rows[0], _TOKEN), rows[0].expires_at) if rows else None


async def put_access_token(within: Transaction, account_id: UUID, token: KeptToken) -> None:
    values = {"expires_at": token.expires_at, **sealed_columns(token.sealed, _TOKEN)}
    row = insert(ExternalApiAccessToken).values(id=account_id, **values)
    await within.rows(row.on_conflict_do_update(index_elements=["id"], set_=values))


async def lock_for_end(within: Transaction, account_id: UUID, *, owner_subject: str) -> UUID | None:
    """The API of the user's own account, which is locked until the transaction ends."""
    table = UserExternalApiToken
    mine = (table.id == account_id, table.owner_subject == owner_subject)
    found = await within.rows(sa.select(table.external_api_id).where(*mine).with_for_update())
    api_id: UUID | None = found[0].external_api_id if found else None
    return api_id


async def delete_account(within: Transaction, account_id: UUID) -> None:
    """Deletes the account with its access token."""
    await within.rows(sa.delete(UserExternalApiToken).where(UserExternalApiToken.id == account_id))
