"""Delivers what requests have left in the outbox (`loaders.openfga.outbox`), for as long as a process runs."""

from itertools import count
from typing import Final

from loaders.ledger import Ledger
from loaders.openfga import outbox
from loaders.openfga.client import OpenFga
from loaders.postgres.client import Postgres
from loaders.sweep import EVERY_S
from loaders.sweep import sweep as repeat

_PRUNE_EVERY: Final = 3_600  # rounds


async def sweep(postgres: Postgres, openfga: OpenFga, *, every_s: float = EVERY_S) -> None:
    """Runs until cancelled. Any number may run at once. A tuple that OpenFGA refuses is postponed alone
    (`outbox.deliver`).
    """
    rounds = count()

    async def move() -> bool:
        if next(rounds) % _PRUNE_EVERY == 0:
            await outbox.prune(postgres, ledger=Ledger())
        return (await outbox.deliver(postgres, openfga, ledger=Ledger())).delivered > 0

    await repeat(move, name="permissions", every_s=every_s)
