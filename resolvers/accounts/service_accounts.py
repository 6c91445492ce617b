"""Service accounts: users without a person, for programs. They have API keys only, and the permissions of any user."""

import uuid
from dataclasses import dataclass

from loaders.api_keys import SERVICE, USERS
from loaders.api_keys import set_service_account_active as set_active
from loaders.audit.entry import Action
from loaders.errors import NotFound
from loaders.openfga import names
from loaders.postgres import row_writes
from loaders.postgres.stored_table import Key
from loaders.postgres.write import transaction
from resolvers.accounts.api_keys import STORE
from resolvers.audit import audit
from resolvers.context import Context
from resolvers.idempotency import MutationRequest, once
from resolvers.names import checked_name


@dataclass(frozen=True, slots=True)
class ServiceAccountCreate:
    """`display_name` says what the account is for."""

    display_name: str


async def create_service_account(context: Context, asked: MutationRequest, input_: ServiceAccountCreate) -> Key:
    """Creates a service account, for system administrators. Permissions are granted to `user:service|{uuid}`, as to any
    user.
    """
    await context.verdicts.require_admin()
    name = checked_name(input_.display_name, field="displayName")
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            subject = f"service|{uuid.uuid4()}"
            account = {"external_auth_id": subject, "display_name": name, "kind": SERVICE}
            key = await row_writes.insert(within, USERS, account)
            await audit(context, within, Action.SERVICE_ACCOUNT_CREATED, names.user(subject))
            return key

        return await once(context, within, asked, about=USERS.table, work=work)


async def set_service_account_active(context: Context, asked: MutationRequest, id_: int, *, is_active: bool) -> Key:
    """Activates or deactivates a service account, for system administrators. The API keys of a deactivated one are
    refused and its jobs end. `NotFound` for a person.
    """
    await context.verdicts.require_admin()
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            subject = await set_active(within, id_, is_active=is_active)
            if subject is None:
                raise NotFound("There is no such service account.")
            facts = {"is_active": is_active}
            await audit(context, within, Action.SERVICE_ACCOUNT_CHANGED, names.user(subject), facts)
            return (id_,)

        return await once(context, within, asked, about=USERS.table, work=work)
