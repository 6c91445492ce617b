"""Sends recorded revocations (`loaders.oauth.revocations`) for as long as the process runs."""

from itertools import count
from typing import Final

from loaders.ledger import Ledger
from loaders.oauth import revocations
from loaders.oauth.client import OAuthClient
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring
from loaders.sweep import EVERY_S
from loaders.sweep import sweep as repeat

_PRUNE_EVERY: Final = 60  # rounds


async def sweep(postgres: Postgres, oauth: OAuthClient, keyring: Keyring, *, every_s: float = EVERY_S) -> None:
    """Runs until cancelled. Any number may run at once. An API that refuses a token is postponed alone."""
    rounds = count()

    async def move() -> bool:
        if next(rounds) % _PRUNE_EVERY == 0:
            await revocations.prune(postgres, ledger=Ledger())
        return await revocations.deliver(postgres, oauth, keyring, ledger=Ledger())

    await repeat(move, name="revocations", every_s=every_s)
