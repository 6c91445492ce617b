"""Which versions of the encryption key are needed by stored secrets."""

from collections.abc import Sequence
from dataclasses import dataclass

from loaders.secrets.sealed_tables import KeyUsage, key_usage
from resolvers.context import Context
from resolvers.gen.store import STORE
from resolvers.permissions.scopes import require_scope_to_read


@dataclass(frozen=True, slots=True)
class VersionInUse:
    """`is_configured` says that this process has the key of the version and can decrypt its rows."""

    usage: KeyUsage
    is_current: bool
    is_configured: bool


async def versions_in_use(context: Context) -> Sequence[VersionInUse]:
    """For system admins, by table and version. `Unauthenticated`, `Forbidden`, a `StoreError`."""
    await context.verdicts.require_admin()
    require_scope_to_read(context.subject, (STORE,))
    keyring = context.stores.keyring
    return [
        VersionInUse(each, each.key_version == keyring.current_version, each.key_version in keyring.versions)
        for each in await key_usage(context.stores.postgres[STORE], ledger=context.ledger)
    ]
