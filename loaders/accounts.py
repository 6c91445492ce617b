"""Users and API keys for authentication: rows of `axion_sense.public`, read without guards."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_USER = "SELECT id, email, display_name, is_active, kind FROM public.users WHERE external_auth_id = $1"
_KEY = """
SELECT k.secret_sha256, k.expires_at, k.revoked_at, k.scopes,
       u.id AS user_id, u.external_auth_id, u.email, u.display_name, u.is_active
FROM public.api_keys k JOIN public.users u ON u.id = k.user_id WHERE k.id = $1
"""


@dataclass(frozen=True, slots=True)
class User:
    """`kind` is `person` or `service`."""

    id: int
    email: str | None
    display_name: str | None
    is_active: bool
    kind: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and the account it acts as. Instants are UTC."""

    secret_sha256: bytes = field(repr=False)
    expires_at: datetime
    revoked_at: datetime | None
    scopes: list[str]
    user_id: int
    external_auth_id: str
    email: str | None
    display_name: str | None
    is_active: bool


async def user_of(external_auth_id: str, *, sense: Postgres, ledger: Ledger) -> User | None:
    """One statement. Raises what the store raises."""
    rows = await sense.fetch(_USER, external_auth_id, ledger=ledger)
    return User(**rows[0]) if rows else None


async def api_key_of(id_: UUID, *, sense: Postgres, ledger: Ledger) -> ApiKey | None:
    """As `user_of`."""
    rows = await sense.fetch(_KEY, id_, ledger=ledger)
    return ApiKey(**rows[0]) if rows else None
