"""Pending authorizations: at most one per user and API, until it is finished or replaced. Each function is one
statement.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.postgres.write import Transaction
from loaders.secrets.keyring import Sealed
from loaders.secrets.sealed_columns import sealed_columns, sealed_of
from loaders.tables.axion_gen.external import ExternalApiAuthorization
from loaders.tables.uuid7 import uuid7

_VERIFIER: Final = "encrypted_verifier"


@dataclass(frozen=True, slots=True)
class Authorization:
    """`verifier` is PKCE's code verifier. The API redirects the user back to `redirect_url`."""

    api_id: UUID
    redirect_url: str
    expires_at: datetime
    verifier: Sealed = field(repr=False)


async def put_authorization(
    within: Transaction, authorization: Authorization, *, owner_subject: str, state_sha256: bytes
) -> None:
    """Stores the authorization and replaces an earlier one of the user for the same API."""
    values = {
        "state_sha256": state_sha256,
        "redirect_url": authorization.redirect_url,
        "expires_at": authorization.expires_at,
        **sealed_columns(authorization.verifier, _VERIFIER),
    }
    row = insert(ExternalApiAuthorization).values(
        id=uuid7(), owner_subject=owner_subject, external_api_id=authorization.api_id, **values
    )
    await within.rows(row.on_conflict_do_update(index_elements=["owner_subject", "external_api_id"], set_=values))


async def take_authorization(within: Transaction, *, owner_subject: str, state_sha256: bytes) -> Authorization | None:
    """Deletes and returns the user's own authorization with that state; None when there is none."""
    table = ExternalApiAuthorization
    taken = sa.delete(table).where(table.state_sha256 == state_sha256, table.owner_subject == owner_subject)
    rows = await within.rows(
        taken.returning(
            table.external_api_id,
            table.redirect_url,
            table.expires_at,
            table.encrypted_verifier,
            table.nonce,
            table.tag,
            table.key_version,
        )
    )
    if not rows:
        return None
    row = rows[0]
    return Authorization(row.external_api_id, row.redirect_url, row.expires_at, sealed_of(row, _VERIFIER))
