"""External APIs as administrators have entered them: rows of `external_apis`, and the secrets stored for them.

Each function is one statement unless it says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from loaders.oauth.client import TokenEndpoint
from loaders.postgres import row_writes
from loaders.postgres.stored_table import StoredTable
from loaders.postgres.write import Transaction
from loaders.secrets.keyring import Keyring, Sealed
from loaders.secrets.sealed_columns import sealed_columns, sealed_of
from loaders.tables.axion_gen.external import ExternalApi, ExternalApiAuthorization, UserExternalApiToken
from loaders.tables.describe import describe

ADDRESSES: Final = ("base_url", "authorization_url", "token_url", "revocation_url")
_SECRET: Final = "encrypted_client_secret"  # noqa: S105 - the name of a column
_STORED: Final = StoredTable.of(describe(ExternalApi, "axion_gen"))
_apis: Final = _STORED.model


@dataclass(frozen=True, slots=True)
class Api:
    """`client_secret` is None for a public client."""

    id: UUID
    name: str
    is_enabled: bool
    authorization_url: str
    token_url: str
    issuer: str | None
    client_id: str
    scopes: tuple[str, ...]
    client_secret: Sealed | None = field(repr=False)


async def find_api(within: Transaction, id_: UUID, *, locked: bool = False) -> Api | None:
    """`locked` keeps the row from changing until the transaction ends."""
    chosen = sa.select(_apis).where(_apis.c.id == id_)
    rows = await within.rows(chosen.with_for_update(read=True) if locked else chosen)
    if not rows:
        return None
    row = rows[0]
    return Api(
        id=row.id,
        name=row.name,
        is_enabled=row.is_enabled,
        authorization_url=row.authorization_url,
        token_url=row.token_url,
        issuer=row.issuer,
        client_id=row.client_id,
        scopes=tuple(row.scopes),
        client_secret=None if row.encrypted_client_secret is None else sealed_of(row, _SECRET),
    )


def opened_endpoint(keyring: Keyring, api: str, url: str, *, client_id: str, secret: Sealed | None) -> TokenEndpoint:
    """The token endpoint of an API with its client secret decrypted. Raises what `Keyring.open` raises."""
    return TokenEndpoint(api, url, client_id, None if secret is None else keyring.open_text(secret))


async def api_name(within: Transaction, id_: UUID) -> str:
    """The name of an API that exists."""
    ((name,),) = await within.rows(sa.select(_apis.c.name).where(_apis.c.id == id_))
    return str(name)


async def addresses(within: Transaction, id_: UUID) -> Mapping[str, str | None]:
    """The columns `ADDRESSES` of an API that exists."""
    (row,) = await within.rows(sa.select(*(_apis.c[name] for name in ADDRESSES)).where(_apis.c.id == id_))
    return {name: getattr(row, name) for name in ADDRESSES}


async def lock_api(within: Transaction, id_: UUID) -> datetime | None:
    """The API's `updated_at`; its row is locked until the transaction ends."""
    rows = await within.rows(sa.select(_apis.c.updated_at).where(_apis.c.id == id_).with_for_update())
    updated_at: datetime | None = rows[0].updated_at if rows else None
    return updated_at


async def set_client_secret(within: Transaction, id_: UUID, secret: Sealed | None) -> None:
    """Sets the client secret of an API that exists; None makes it a public client."""
    await row_writes.update(within, _STORED, (id_,), sealed_columns(secret, _SECRET))


async def forget_entrusted(within: Transaction, id_: UUID) -> int:
    """Deletes the API's client secret, its pending authorizations and all users' accounts. Returns the number of
    accounts.

    Three statements.
    """
    await set_client_secret(within, id_, None)
    await within.rows(sa.delete(ExternalApiAuthorization).where(ExternalApiAuthorization.external_api_id == id_))
    accounts = sa.delete(UserExternalApiToken).where(UserExternalApiToken.external_api_id == id_)
    return len(await within.rows(accounts.returning(UserExternalApiToken.id)))
