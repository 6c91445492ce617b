"""The state of the queue, for operators."""

from dataclasses import dataclass

from loaders.ledger import Ledger
from loaders.postgres.client import Postgres

_WAITING = """
SELECT count(*) FILTER (WHERE state = 'queued') AS queued, count(*) FILTER (WHERE state = 'running') AS running,
       coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE state = 'queued')), 0)::float8 AS oldest_s
FROM public.jobs WHERE state IN ('queued', 'running')
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """About all workers. `oldest_s`: how long the oldest queued job has been waiting, 0 without any."""

    queued: int
    running: int
    oldest_s: float


async def waiting(postgres: Postgres, *, ledger: Ledger) -> Waiting:
    (row,) = await postgres.fetch(_WAITING, ledger=ledger)
    return Waiting(row["queued"], row["running"], row["oldest_s"])
