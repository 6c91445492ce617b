"""Sets, resumes and ends the schedule by which a table is profiled again."""

from datetime import UTC, datetime
from uuid import UUID

from loaders.audit.entry import Action
from loaders.errors import NotFound
from loaders.gen.profile_schedules import lock_schedule, put_schedule, remove_schedule
from loaders.gen.stored import SCHEDULES, USERS
from loaders.openfga import names
from loaders.postgres.row_writes import update
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction, transaction
from resolvers.audit import audit
from resolvers.context import Context
from resolvers.expected import require_unchanged
from resolvers.gen.datasets import require_dataset_admin
from resolvers.gen.store import STORE
from resolvers.idempotency import MutationRequest, done_before, once, once_if_any
from resolvers.jobs.kinds.table_profile_refresh import Refresh
from resolvers.jobs.start import require_refreshable
from resolvers.known_user import register_user
from resolvers.profiles.recurrence import Cron, Interval, Recurrence, checked, next_run


async def set_schedule(
    context: Context,
    refresh: Refresh,
    recurrence: Recurrence,
    asked: MutationRequest | None = None,
    *,
    expected_updated_at: datetime | None = None,
) -> UUID:
    """Creates or changes the table's schedule. Its jobs act as the subject from now on; the outcome of earlier runs
    stays.

    Raises `NotFound`; `Forbidden` for users who do not administer the dataset; what `require_refreshable` raises, which
    asks the table's warehouse, unless the mutation was done before; and `ChangedSince`, also when the schedule no
    longer exists. For `asked`, see `once_told`.
    """
    await require_dataset_admin(context, refresh.dataset_id)
    gen, subject = context.stores.postgres[STORE], context.subject
    async with transaction(gen, context.ledger) as within:
        done = await done_before(context, within, asked, about=SCHEDULES.table)
    if done is not None:
        return _id(done)
    await require_refreshable(context, refresh)
    async with transaction(gen, context.ledger) as within:

        async def work() -> Key:
            await _unchanged(within, refresh.dataset_id, refresh.table_name, expected_updated_at)
            await register_user(within, subject, USERS, key="external_auth_id")
            kept = await put_schedule(
                within,
                owner_subject=subject.id,
                dataset_id=refresh.dataset_id,
                table_name=refresh.table_name,
                cron=recurrence.text if isinstance(recurrence, Cron) else None,
                time_zone=recurrence.time_zone if isinstance(recurrence, Cron) else None,
                every_minutes=recurrence.minutes if isinstance(recurrence, Interval) else None,
                refresh=refresh.options(),
                next_run_at=next_run(recurrence, now=datetime.now(UTC)),
            )
            return (kept,)

        return _id(await once(context, within, asked, about=SCHEDULES.table, work=work))


async def resume_schedule(
    context: Context,
    dataset_id: UUID,
    table_name: str,
    asked: MutationRequest | None = None,
    *,
    expected_updated_at: datetime | None = None,
) -> UUID:
    """Resumes a paused schedule, which acts as the subject from now on. One that is not paused stays as it is.

    `NotFound` when there is none, and for users who may not see the dataset; `Forbidden` for those who do not
    administer it.
    """
    await require_dataset_admin(context, dataset_id)
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            return (await _resumed(context, within, dataset_id, table_name, expected_updated_at),)

        return _id(await once(context, within, asked, about=SCHEDULES.table, work=work))


async def _resumed(
    context: Context, within: Transaction, dataset_id: UUID, table_name: str, expected: datetime | None
) -> UUID:
    schedule = await lock_schedule(within, dataset_id, table_name)
    require_unchanged(None if schedule is None else schedule.updated_at, expected)
    if schedule is None:
        raise NotFound("The table has no schedule. Set one.")
    if not schedule.is_paused:
        return schedule.id
    recurrence = checked(cron=schedule.cron, time_zone=schedule.time_zone, every_minutes=schedule.every_minutes)
    await register_user(within, context.subject, USERS, key="external_auth_id")
    going_on = {
        "owner_subject": context.subject.id,
        "next_run_at": next_run(recurrence, now=datetime.now(UTC)),
        "paused_at": None,
        "pause_reason": None,
    }
    await update(within, SCHEDULES, (schedule.id,), going_on)
    facts = {"table": table_name, "was": schedule.owner_subject}
    await audit(context, within, Action.PROFILE_SCHEDULE_RESUMED, names.dataset(dataset_id), facts)
    return schedule.id


async def end_schedule(
    context: Context,
    dataset_id: UUID,
    table_name: str,
    asked: MutationRequest | None = None,
    *,
    expected_updated_at: datetime | None = None,
) -> UUID | None:
    """Deletes the table's schedule and returns its id; None when there is none. A running refresh continues.

    `NotFound`; `Forbidden` for users who do not administer the dataset.
    """
    await require_dataset_admin(context, dataset_id)
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key | None:
            await _unchanged(within, dataset_id, table_name, expected_updated_at)
            ended = await remove_schedule(within, dataset_id, table_name)
            return None if ended is None else (ended,)

        ended = await once_if_any(context, within, asked, about=SCHEDULES.table, work=work)
    return None if ended is None else _id(ended)


async def _unchanged(within: Transaction, dataset_id: UUID, table_name: str, expected: datetime | None) -> None:
    if expected is not None:
        schedule = await lock_schedule(within, dataset_id, table_name)
        require_unchanged(None if schedule is None else schedule.updated_at, expected)


def _id(key: Key) -> UUID:
    (id_,) = key
    assert isinstance(id_, UUID)
    return id_
