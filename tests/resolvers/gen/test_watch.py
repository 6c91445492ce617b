"""What is read for a widget or a metric counts for the request that asked for it."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.errors import PageTooLarge
from loaders.ledger import Ledger
from loaders.room import Room
from resolvers.gen.watch import watching

TABLE = Table("datasource:any", None, "flights", (Column("delay", ColumnType(Kind.FLOAT)),))


def of(ledger: Ledger) -> Any:
    """A context in which the table's warehouse is open."""
    open_ = SimpleNamespace(still_open=lambda store: SimpleNamespace(store=store))
    return SimpleNamespace(ledger=ledger, stores=SimpleNamespace(warehouses=open_))


def test_statements_are_counted_once_and_traced() -> None:
    traced: list[tuple[str, int]] = []
    ledger = Ledger(heard=lambda store, done: traced.append((store, done.rows)))
    with watching(TABLE, uuid4(), of(ledger)) as watch:
        watch.ledger.record(TABLE.store, rows=3)
        assert watch.usage.rows == 3
    assert traced == [(TABLE.store, 3)]
    assert (ledger.stores[TABLE.store].statements, ledger.stores[TABLE.store].rows) == (1, 3)


def test_answers_share_the_room_of_the_operation() -> None:
    ledger = Ledger(room=Room(100))
    with watching(TABLE, uuid4(), of(ledger)) as watch:
        watch.ledger.room.take(60)
    with watching(TABLE, uuid4(), of(ledger)) as watch, pytest.raises(PageTooLarge):
        watch.ledger.room.take(60)
