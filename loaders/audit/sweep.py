"""Moves audit entries to ClickHouse for as long as the process runs."""

from loaders.audit import outbox
from loaders.clickhouse.client import ClickHouse
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.sweep import EVERY_S
from loaders.sweep import sweep as repeat


async def sweep(postgres: Postgres, clickhouse: ClickHouse, *, every_s: float = EVERY_S) -> None:
    """Runs until cancelled. Any number may run at once."""

    async def move() -> bool:
        return await outbox.deliver(postgres, clickhouse, ledger=Ledger()) == outbox.BATCH

    await repeat(move, name=f"audit of {postgres.store}", every_s=every_s)
