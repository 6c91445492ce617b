"""Service accounts: users without a person, for programs. They have API keys only, and the permissions of any user."""

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from loaders.audit.entry import Action
from loaders.errors import NotFound
from loaders.openfga import names
from loaders.postgres.stored_table import Key
from loaders.postgres.write import transaction
from loaders.tables.axion_sense.public import User
from loaders.tables.describe import describe
from resolvers.accounts.api_keys import STORE
from resolvers.audit import audit
from resolvers.context import Context
from resolvers.idempotency import Asked, once
from resolvers.names import checked_name

_TABLE = describe(User, STORE)


@dataclass(frozen=True, slots=True)
class ServiceAccountCreate:
    """`display_name` says what the account is for."""

    display_name: str


async def create_service_account(context: Context, asked: Asked, input_: ServiceAccountCreate) -> Key:
    """For system admins. What it may do is granted to `user:service|{uuid}`, as to any user."""
    await context.verdicts.require_admin()
    name = checked_name(input_.display_name, field="displayName")
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            subject = f"service|{uuid.uuid4()}"
            made = sa.insert(User).values(external_auth_id=subject, display_name=name, kind="service")
            (row,) = await within.rows(made.returning(User.id))
            await audit(context, within, Action.SERVICE_ACCOUNT_CREATED, names.user(subject))
            return (row.id,)

        return await once(context, within, asked, about=_TABLE, work=work)


async def set_service_account_active(context: Context, asked: Asked, id_: int, *, is_active: bool) -> Key:
    """For system admins. Deactivated, its API keys are refused and its jobs end. `NotFound` for a person."""
    await context.verdicts.require_admin()
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            changed = sa.update(User).where(User.id == id_, User.kind == "service").values(is_active=is_active)
            rows = await within.rows(changed.returning(User.external_auth_id))
            if not rows:
                raise NotFound("There is no such service account.")
            facts = {"is_active": is_active}
            await audit(context, within, Action.SERVICE_ACCOUNT_CHANGED, names.user(rows[0].external_auth_id), facts)
            return (id_,)

        return await once(context, within, asked, about=_TABLE, work=work)
