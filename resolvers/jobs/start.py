"""Starts jobs. Permissions are checked here, and again when the job runs."""

from loaders.errors import BadInput, NotFound
from loaders.jobs.job import Job
from loaders.jobs.store import create_within
from loaders.postgres.client import WriteSession
from resolvers.context import Context
from resolvers.gen.row_filter import predicate
from resolvers.gen.rows import column_of
from resolvers.gen.tables import describe_table, describe_whole
from resolvers.idempotency import MutationRequest
from resolvers.jobs.kinds import encryption_key_rotate, table_profile_refresh
from resolvers.jobs.repeatable import job_once

MAX_SAMPLE_ROWS = 10_000_000


async def start_table_profile_refresh(
    context: Context, refresh: table_profile_refresh.Refresh, *, asked: MutationRequest | None = None
) -> Job:
    """Queues a refresh. Raises what `require_refreshable` raises.

    Jobs for the same table run one after another. For `asked`, see `job_once`.
    """
    await require_refreshable(context, refresh)

    async def work(session: WriteSession) -> Job:
        return await create_within(
            session,
            kind=table_profile_refresh.NAME,
            subject=context.subject.id,
            arguments=refresh.to_json(),
            lock=refresh.lock,
        )

    return await job_once(context, asked, work)


async def require_refreshable(context: Context, refresh: table_profile_refresh.Refresh) -> None:
    """`Unauthenticated` without a subject, `NotFound` for a table the subject may not see, `BadInput` and
    `UnknownColumn` for options that do not fit the table.
    """
    context.verdicts.require_subject()
    table = await describe_table(context, refresh.dataset_id, refresh.table_name)
    whole = await describe_whole(context, refresh.dataset_id, refresh.table_name)
    if table is None or whole is None:
        raise NotFound(f"The dataset has no table {refresh.table_name!r}, or you may not see it.")
    for name in refresh.exclude:
        if not whole.has_column(name):
            column_of(table, name)
    predicate(refresh.where, table)
    if refresh.sample_rows is not None and not 0 <= refresh.sample_rows <= MAX_SAMPLE_ROWS:
        raise BadInput(f"`sampleRows` is from 0 to {MAX_SAMPLE_ROWS}.", field="sampleRows")
    if refresh.max_bytes is not None and refresh.max_bytes < 1:
        raise BadInput("`maxBytes` is at least 1.", field="maxBytes")


async def start_encryption_key_rotate(
    context: Context, *, to_version: int, asked: MutationRequest | None = None
) -> Job:
    """Queues a rotation, for system administrators: `Unauthenticated`, `Forbidden`, and `BadInput` unless `to_version`
    is this process's current version.

    Rotations run one after another. For `asked`, see `job_once`.
    """
    await context.verdicts.require_admin()
    current = context.stores.keyring.current_version
    if to_version != current:
        raise BadInput(
            f"The current encryption key version is {current}: rotate to it, or change the gateway's settings first.",
            field="toVersion",
        )

    async def work(session: WriteSession) -> Job:
        return await create_within(
            session,
            kind=encryption_key_rotate.NAME,
            subject=context.subject.id,
            arguments=encryption_key_rotate.arguments_of(current),
            lock=encryption_key_rotate.NAME,
        )

    return await job_once(context, asked, work)
