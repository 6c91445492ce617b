"""Delivers what requests have left in the outbox (`loaders.openfga.outbox`), for as long as a process runs."""

import asyncio
from typing import Final

import structlog

from loaders.errors import AxionError
from loaders.ledger import Ledger
from loaders.openfga import outbox
from loaders.openfga.client import OpenFga
from loaders.postgres.client import Postgres

EVERY_S: Final = 1.0
_PRUNE_EVERY: Final = 3_600  # rounds

_log = structlog.get_logger(__name__)


async def sweep(postgres: Postgres, openfga: OpenFga, *, every_s: float = EVERY_S) -> None:
    """Until cancelled: looks every `every_s`, and at once again while there is more. Any number may run at once.

    In the worker itself and not as a job of its queue, so that long jobs keep no permission waiting. A Postgres that is
    down is tried again, a note OpenFGA does not take is its own to wait (`outbox.deliver`).
    """
    rounds = 0
    while True:
        try:
            if rounds % _PRUNE_EVERY == 0:
                await outbox.prune(postgres, ledger=Ledger())
            rounds += 1
            while (await outbox.deliver(postgres, openfga, ledger=Ledger())).delivered:
                pass
        except AxionError as error:
            _log.warning("outbox_sweep_failed", code=error.code.value)
        await asyncio.sleep(every_s)
