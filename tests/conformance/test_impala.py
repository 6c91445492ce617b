"""Behaviour of sessions: the server may end them at any time, and they are replaced."""

from collections.abc import AsyncIterator

import pyarrow as pa
import pytest

from deploy.local.servers.impala import Address
from loaders.columnar.statement import Statement
from loaders.errors import StoreQueryFailed, StoreUnavailable
from loaders.ledger import Ledger
from loaders.warehouses.base import Query
from loaders.warehouses.impala import ImpalaWarehouse
from loaders.warehouses.impala_session import Session
from loaders.warehouses.owned import Owned
from tests.conformance.subjects.impala import ImpalaSubject

ONE = Statement("SELECT 1 AS c0", (), ())


@pytest.fixture
async def warehouse(impala: Address) -> AsyncIterator[ImpalaWarehouse]:
    """With one session in its pool."""
    subject = ImpalaSubject(impala)
    opened = subject.opened({**subject.settings(), "database": "default"})
    assert isinstance(opened, ImpalaWarehouse)
    await opened.ping(ledger=Ledger())
    yield opened
    await opened.close()
    await subject.close()


async def end(owned: Owned[Session]) -> None:
    """As the server does with one that was idle for long: the connection stays."""

    def close(session: Session) -> None:
        session.cursor.session.close()

    await owned.asked(close)


async def end_the_session(warehouse: ImpalaWarehouse) -> None:
    ((_, owned),) = warehouse._pool._idle
    await end(owned)


async def rows_of(warehouse: ImpalaWarehouse, statement: Statement) -> list[object]:
    batches = [batch async for batch in warehouse.stream(statement, ledger=Ledger())]
    return list(pa.Table.from_batches(batches).to_pylist())


async def test_a_query_takes_a_new_session_for_one_that_was_ended(warehouse: ImpalaWarehouse) -> None:
    await end_the_session(warehouse)
    assert await rows_of(warehouse, ONE) == [{"c0": 1}]
    await end_the_session(warehouse)
    assert await warehouse.list_tables("no_such_schema", ledger=Ledger()) == []
    assert await rows_of(warehouse, ONE) == [{"c0": 1}]


async def test_an_answer_whose_session_is_ended_breaks_off(warehouse: ImpalaWarehouse) -> None:
    """It is not asked for again: some of it was seen."""
    ((_, owned),) = warehouse._pool._idle
    batches = warehouse.stream(Statement("SELECT id AS c0 FROM range(100000)", (), ()), ledger=Ledger())
    assert (await anext(batches)).num_rows
    assert warehouse._pool._idle == []
    await end(owned)
    with pytest.raises(StoreUnavailable, match="ended the session"):
        async for _ in batches:
            pass
    assert await rows_of(warehouse, ONE) == [{"c0": 1}]


async def test_a_column_that_cannot_be_read_is_told(warehouse: ImpalaWarehouse) -> None:
    with pytest.raises(StoreQueryFailed, match="cast it to a text"):
        async for _ in warehouse.query(Query("SELECT INTERVAL '1' DAY AS a", ()), ledger=Ledger()):
            pass


async def test_sessions_that_remember_another_table_are_taken_no_more(impala: Address) -> None:
    """Where a table was made anew, a session of Spark's resolves columns by the one it has read before."""
    subject = ImpalaSubject(impala)
    subject.space, subject.other_space = "axion_remembered", "axion_remembered_other"
    await subject.prepare()
    await subject.load("t", pa.table({"a": [1]}))
    warehouse = subject.open()
    assert isinstance(warehouse, ImpalaWarehouse)
    assert await rows_of(warehouse, Statement("SELECT t.a AS c0 FROM axion_remembered.t AS t", (), ())) == [{"c0": 1}]
    await subject.drop("t")
    await subject.load("t", pa.table({"b": [2]}))
    found = Statement("SELECT t.b AS c0 FROM axion_remembered.t AS t", (), ())
    with pytest.raises(StoreQueryFailed, match="columns may have changed"):
        await rows_of(warehouse, found)
    assert await rows_of(warehouse, found) == [{"c0": 2}]
    await warehouse.close()
    await subject.prepare()
    await subject.close()
