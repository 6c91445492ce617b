"""External APIs that users connect their accounts to with OAuth 2: their client secrets, and the end of an account."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from uuid import UUID

from loaders.errors import BadInput, NotFound
from loaders.oauth import accounts, apis, revocations
from loaders.oauth.apis import Api
from loaders.oauth.client import TokenEndpoint
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction, transaction
from loaders.secrets.keyring import Keyring
from loaders.tables.axion_gen.external import ExternalApi, UserExternalApiToken
from loaders.tables.describe import describe
from resolvers.context import Context
from resolvers.expected import require_unchanged
from resolvers.gen.store import STORE
from resolvers.idempotency import MutationRequest, once

ACCOUNTS = describe(UserExternalApiToken, STORE)
_APIS = describe(ExternalApi, STORE)
MAX_SENT = 4_096
"""Characters of what is sent to an API as it was given: a client secret, a code, a state."""
_PATIENCE_S = 5.0
"""How long a request waits for the API to revoke a token before it leaves that to the worker."""


async def connectable_api(within: Transaction, api_id: UUID, *, locked: bool = False) -> Api:
    """The API. Raises `NotFound` also for a disabled one. `locked` keeps the row from changing until the transaction
    ends.
    """
    found = await apis.find_api(within, api_id, locked=locked)
    if found is None or not found.is_enabled:
        raise NotFound("There is no such API, or users may not connect to it now.")
    return found


def token_endpoint(api: Api, keyring: Keyring) -> TokenEndpoint:
    return apis.opened_endpoint(keyring, api.name, api.token_url, client_id=api.client_id, secret=api.client_secret)


async def disconnect(context: Context, account_id: UUID, asked: MutationRequest) -> bool | None:
    """Deletes the subject's account here, whatever the API answers. Returns whether the API has revoked its tokens (RFC
    7009); if it has not, the worker retries.

    None if the API has no revocation endpoint, and for a repeated mutation. Raises `NotFound` for another user's
    account.
    """
    context.verdicts.require_subject()
    stores, noted = context.stores, list[tuple[UUID, UUID]]()
    gen = stores.postgres[STORE]
    async with transaction(gen, context.ledger) as within:

        async def work() -> Key:
            api_id = await accounts.lock_for_end(within, account_id, owner_subject=context.subject.id)
            if api_id is None:
                raise NotFound("You have no such account.")
            note = await revocations.note(within, api_id, account_id=account_id)
            noted.extend([(api_id, note.id)] if note.id is not None else [])
            await accounts.delete_account(within, account_id)
            return (account_id,)

        await once(context, within, asked, about=ACCOUNTS, work=work)
    if not noted:
        return None
    ((of_api, note_id),) = noted
    async with AsyncExitStack() as turn:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await turn.enter_async_context(stores.oauth.turn(of_api))
        except TimeoutError:
            return False
        return await revocations.settle(gen, stores.oauth, stores.keyring, note_id, ledger=context.ledger)


async def set_client_secret(
    context: Context,
    api_id: UUID,
    secret: str | None,
    asked: MutationRequest | None = None,
    *,
    expected_updated_at: datetime | None = None,
) -> None:
    """For system admins. None makes the platform a public client of the API. Raises `NotFound`, `ChangedSince`. For
    `asked` see `once_told`.
    """
    await context.verdicts.require_admin()
    if secret is not None and not (0 < len(secret) <= MAX_SENT):
        raise BadInput(f"`clientSecret` has 1 to {MAX_SENT} characters.", field="clientSecret")
    sealed = None if secret is None else context.stores.keyring.seal_text(secret)
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            updated_at = await apis.lock_api(within, api_id)
            if updated_at is None:
                raise NotFound("There is no such API.")
            require_unchanged(updated_at, expected_updated_at)
            await apis.set_client_secret(within, api_id, sealed)
            return (api_id,)

        await once(context, within, asked, about=_APIS, work=work)
