"""The recurring work of every worker beside its jobs. Workers share it: each takes what no other has locked."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from gateway.settings import Jobs
from loaders.audit.sweep import sweep as sweep_audit
from loaders.jobs.purge import BATCH, purge
from loaders.oauth.sweep import sweep as sweep_revocations
from loaders.openfga.sweep import sweep as sweep_permissions
from loaders.stores import Stores
from loaders.sweep import sweep
from resolvers.profiles.due_schedules import settle, start_due

_SCHEDULES_S = 5.0
_PURGE_S = 60.0


def chores(stores: Stores, jobs: Jobs) -> list[Callable[[], Awaitable[None]]]:
    """The coroutines of this work, each of which runs until it is cancelled."""
    gen, tasks = stores.postgres["axion_gen"], stores.postgres["axion_sense_tasks"]

    async def profiles() -> bool:
        await settle(gen, tasks)
        await start_due(gen, tasks, stores.openfga, now=datetime.now(UTC))
        return False

    async def finished() -> bool:
        before = datetime.now(UTC) - timedelta(days=jobs.retention_days)
        return await purge(tasks, before=before) == BATCH

    return [
        partial(sweep_permissions, gen, stores.openfga),
        partial(sweep_revocations, gen, stores.oauth, stores.keyring),
        *(partial(sweep_audit, stores.postgres[store], stores.clickhouse) for store in ("axion_gen", "axion_sense")),
        partial(sweep, profiles, name="profile schedules", every_s=_SCHEDULES_S),
        partial(sweep, finished, name="finished jobs", every_s=_PURGE_S),
    ]
