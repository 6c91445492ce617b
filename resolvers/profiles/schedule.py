"""Setting when a table is profiled again."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.audit.entry import Action
from loaders.errors import NotFound
from loaders.gen.stored import USERS
from loaders.openfga import names
from loaders.postgres.write import transaction
from loaders.tables.axion_gen.profile_schedules import TableProfileSchedule
from loaders.tables.uuid7 import uuid7
from resolvers.audit import audit
from resolvers.context import Context
from resolvers.gen.datasets import require_dataset_admin
from resolvers.gen.store import STORE
from resolvers.jobs.kinds.table_profile_refresh import Asked
from resolvers.jobs.start import require_refreshable
from resolvers.known_user import register_user
from resolvers.profiles.recurrence import Cron, Interval, Recurrence, checked, next_run


async def set_schedule(context: Context, refresh: Asked, recurrence: Recurrence) -> UUID:
    """The table's schedule, whose jobs act as the subject from now on; what came of earlier runs stays.

    `NotFound`, `Forbidden` for who does not administer the dataset; what `require_refreshable` raises.
    """
    await require_dataset_admin(context, refresh.dataset_id)
    await require_refreshable(context, refresh)
    subject = context.subject
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:
        await register_user(within, subject, USERS, key="external_auth_id")
        values = {
            "owner_subject": subject.id,
            "cron": recurrence.text if isinstance(recurrence, Cron) else None,
            "time_zone": recurrence.time_zone if isinstance(recurrence, Cron) else None,
            "every_minutes": recurrence.minutes if isinstance(recurrence, Interval) else None,
            "refresh": refresh.options(),
            "next_run_at": next_run(recurrence, now=datetime.now(UTC)),
            "paused_at": None,
            "pause_reason": None,
        }
        row = insert(TableProfileSchedule).values(
            id=uuid7(), dataset_id=refresh.dataset_id, table_name=refresh.table_name, **values
        )
        mine = ["dataset_id", "table_name"]
        kept = row.on_conflict_do_update(index_elements=mine, set_={**values, "updated_at": sa.func.now()})
        ((id_,),) = await within.rows(kept.returning(TableProfileSchedule.id))
    found: UUID = id_
    return found


async def resume_schedule(context: Context, dataset_id: UUID, table_name: str) -> UUID:
    """A schedule that is paused goes on, and acts as the subject from now on; one that is not stays as it is.

    `NotFound` where there is none, or for who may not see the dataset; `Forbidden` for who does not administer it.
    """
    await require_dataset_admin(context, dataset_id)
    table, subject = TableProfileSchedule, context.subject
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:
        of_table = (table.dataset_id == dataset_id, table.table_name == table_name)
        found = await within.rows(sa.select(table.__table__).where(*of_table).with_for_update())
        if not found:
            raise NotFound("The table has no schedule. Set one.")
        (row,) = found
        id_: UUID = row.id
        if row.paused_at is None:
            return id_
        recurrence = checked(cron=row.cron, time_zone=row.time_zone, every_minutes=row.every_minutes)
        await register_user(within, subject, USERS, key="external_auth_id")
        going_on = {
            "owner_subject": subject.id,
            "next_run_at": next_run(recurrence, now=datetime.now(UTC)),
            "paused_at": None,
            "pause_reason": None,
        }
        await within.rows(sa.update(table).where(table.id == id_).values(going_on))
        facts = {"table": table_name, "was": row.owner_subject}
        await audit(context, within, Action.PROFILE_SCHEDULE_RESUMED, names.dataset(dataset_id), facts)
    return id_


async def end_schedule(context: Context, dataset_id: UUID, table_name: str) -> UUID | None:
    """The id that the table's schedule had; None when there is none. A refresh that is under way goes on.

    `NotFound`, `Forbidden` for who does not administer the dataset.
    """
    await require_dataset_admin(context, dataset_id)
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:
        ended = sa.delete(TableProfileSchedule).where(
            TableProfileSchedule.dataset_id == dataset_id, TableProfileSchedule.table_name == table_name
        )
        rows = await within.rows(ended.returning(TableProfileSchedule.id))
    return rows[0].id if rows else None
