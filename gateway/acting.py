"""The context that a job runs in: acts as its subject, and counts, logs and traces its statements."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog

from gateway.http.answer import OK
from gateway.metrics import count_stores
from loaders.accounts import user_of
from loaders.errors import AxionError, Code, Forbidden
from loaders.jobs.job import Job
from loaders.ledger import Ledger
from loaders.stores import Stores
from resolvers.context import Context
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import Subject

if TYPE_CHECKING:
    from gateway.traces import Traces

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def acting_for(
    job: Job, *, stores: Stores, max_page: int, traces: "Traces | None" = None
) -> AsyncIterator[Context]:
    """A context of the job's subject. Permissions are asked anew, so a permission that was revoked meanwhile ends the
    job, and so does the deactivation of the user (`Forbidden`). What was done to the stores is recorded however the job
    ends.
    """
    with _observed(job, traces) as ledger:
        user = await user_of(job.subject, sense=stores.postgres["axion_sense"], ledger=ledger)
        if user is None or not user.is_active:
            raise Forbidden("The user who started the job is no longer active.")
        subject = Subject(job.subject, user_id=user.id)
        verdicts = Verdicts(subject, stores.openfga, ledger)
        yield Context(
            subject, request_id=str(job.id), stores=stores, verdicts=verdicts, ledger=ledger, max_page=max_page
        )


@contextmanager
def _observed(job: Job, traces: "Traces | None") -> Iterator[Ledger]:
    trace = None if traces is None else traces.begin_job(job)
    ledger = Ledger(heard=None if trace is None else trace.statement)
    code = OK
    try:
        yield ledger
    except asyncio.CancelledError:
        code = Code.CANCELLED.value
        raise
    except Exception as error:
        code = (error.code if isinstance(error, AxionError) else Code.INTERNAL_ERROR).value
        raise
    finally:
        if trace is not None:
            trace.end(code)
        count_stores(ledger)
        used = {store: asdict(usage) for store, usage in ledger.stores.items()}
        _log.info("job_stores", job_id=str(job.id), stores=used)
