"""The outbox of audit entries: they are written to Postgres in the transaction they describe, and moved to ClickHouse
by the worker.

So there is no change without its entry, and an unavailable ClickHouse loses none. Any number of workers may deliver at
once. Before entries of an interrupted delivery are sent again, they are looked up in ClickHouse, so that each is stored
once.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson
import pyarrow as pa
import sqlalchemy as sa

from loaders.audit.entry import AuditEntry
from loaders.clickhouse.client import ClickHouse
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.postgres.write import Transaction, transaction
from loaders.tables.databases import METADATA
from loaders.tables.uuid7 import uuid7

BATCH: Final = 1_000
_TABLE: Final = "audit_log"
_SENT = f"SELECT id FROM {_TABLE} WHERE created_at BETWEEN {{first:DateTime64(3)}} AND {{last:DateTime64(3)}}"  # noqa: S608 - constants
_SCHEMA = pa.schema(
    [
        ("id", pa.binary(16)),
        ("organization_id", pa.int64()),
        ("created_at", pa.timestamp("ms", "UTC")),
        ("actor", pa.string()),
        ("action", pa.string()),
        ("resource", pa.string()),
        ("request_id", pa.string()),
        ("context", pa.string()),
    ]
)


async def append(within: Transaction, entries: Sequence[AuditEntry]) -> None:
    """Adds the entries to the transaction."""
    if entries:
        await within.rows(sa.insert(_outbox(within.store)).values([_row(entry) for entry in entries]))


async def deliver(postgres: Postgres, clickhouse: ClickHouse, *, ledger: Ledger) -> int:
    """Moves the oldest entries, at most `BATCH`, and returns how many. Raises the `StoreError` of an
    unavailable store.
    """
    outbox = _outbox(postgres.store)
    oldest = sa.select(outbox).order_by(outbox.c.id).limit(BATCH).with_for_update(skip_locked=True)
    async with transaction(postgres, ledger) as within:
        rows = await within.rows(oldest)
        if not rows:
            return 0
        sent = await _sent(clickhouse, rows, ledger)
        missing = [row for row in rows if row.id not in sent]
        if missing:
            await clickhouse.insert_arrow(_TABLE, _arrow(missing), ledger=ledger)
        await within.rows(sa.delete(outbox).where(outbox.c.id.in_([row.id for row in rows])))
    return len(rows)


def _outbox(store: str) -> sa.Table:
    return METADATA[store].tables["public.audit_outbox"]


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "organization_id": entry.organization_id,
        "actor": entry.actor,
        "action": entry.action.value,
        "resource": entry.resource,
        "request_id": entry.request_id,
        "context": dict(entry.facts),
    }


async def _sent(clickhouse: ClickHouse, rows: Sequence[sa.Row[Any]], ledger: Ledger) -> frozenset[UUID]:
    """The ids that ClickHouse already has, searched in the time range of the rows (ClickHouse truncates to
    milliseconds).
    """
    times = [row.created_at for row in rows]
    first = min(times) - timedelta(milliseconds=1)
    found = await clickhouse.query(_SENT, {"first": first, "last": max(times)}, ledger=ledger)
    return frozenset(found.column("id").to_pylist())


def _arrow(rows: Sequence[sa.Row[Any]]) -> pa.Table:
    columns: dict[str, list[object]] = {
        **{name: [getattr(row, name) for row in rows] for name in _SCHEMA.names},
        "id": [row.id.bytes for row in rows],
        "context": [orjson.dumps(row.context).decode() for row in rows],
    }
    return pa.table(columns, schema=_SCHEMA)
