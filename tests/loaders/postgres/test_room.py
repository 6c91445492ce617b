"""Answers beyond the bytes of one are refused by Postgres itself: the driver never has them."""

from collections.abc import AsyncIterator

import orjson
import pytest

from loaders.errors import PageTooLarge
from loaders.ledger import Ledger
from loaders.parameters import split
from loaders.postgres.client import Postgres
from loaders.postgres.compile import compile_keyed
from loaders.prepared import Prepared
from loaders.read import Col, Compare, Field, Literal, Op, Page, Read
from loaders.room import Room
from tests.loaders.postgres.reading import columns, listed
from tests.loaders.postgres.rows import ROW_PARENT, ROWS, row_id

OCTETS = 1_000
WORDY = (*columns("id"), Field("long", Literal("é" * (OCTETS // 2))))


@pytest.fixture(scope="module")
async def bounded(scratch_url: str) -> AsyncIterator[Postgres]:
    opened = await Postgres.open(
        "scratch", scratch_url, pool_max=1, statement_timeout_ms=20_000, answer_bytes=5 * OCTETS
    )
    yield opened
    await opened.close()


async def read(rows: int, postgres: Postgres, ledger: Ledger) -> str:
    shape, values = split(listed(ROWS, WORDY, page=Page(rows)))
    sql, parameters = Prepared(shape).statement(values)
    text = await postgres.fetch_json(sql, parameters, ledger=ledger)
    assert text is not None
    return text


async def test_an_answer_beyond_the_bound_never_leaves_postgres(bounded: Postgres) -> None:
    ledger = Ledger()
    assert len(orjson.loads(await read(4, bounded, ledger))["nodes"]) == 4
    left = ledger.stores["scratch"].bytes
    with pytest.raises(PageTooLarge, match=r"An answer of scratch is larger than may be answered at once\. Ask for"):
        await read(5, bounded, ledger)
    assert (ledger.stores["scratch"].statements, ledger.stores["scratch"].bytes) == (2, left)


async def test_the_answers_of_one_operation_count_together(postgres: Postgres) -> None:
    """In bytes, of which the answers have more than characters."""
    ledger = Ledger(room=Room(10 * OCTETS))
    first = await read(8, postgres, ledger)
    assert ledger.room.taken == ledger.stores["scratch"].bytes == len(first.encode()) > 8 * OCTETS
    with pytest.raises(PageTooLarge, match="of the whole operation is larger than 10000 bytes"):
        await read(4, postgres, ledger)
    await read(1, postgres, ledger)


async def test_answers_by_key_are_bounded_together(bounded: Postgres) -> None:
    parent = Read(ROWS, WORDY)

    async def ask(*keys: object) -> list[tuple[int, str | None]]:
        statement = compile_keyed(parent, ROW_PARENT, keys)
        return [tuple(row) for row in await bounded.fetch(statement.sql, *statement.parameters, ledger=Ledger())]

    found = dict(await ask(None, *map(row_id, range(4)), None))
    assert [place for place, text in sorted(found.items()) if text is None] == [0, 5]
    with pytest.raises(PageTooLarge, match="of scratch is larger"):
        await ask(*map(row_id, range(5)), None)


async def test_a_value_under_many_names_is_bounded(bounded: Postgres) -> None:
    long = tuple(Field(f"long{n}", Literal("é" * OCTETS)) for n in range(3))
    shape, values = split(Read(ROWS, long, where=Compare(Col("id"), Op.EQ, row_id(1))))
    sql, parameters = Prepared(shape).statement(values)
    with pytest.raises(PageTooLarge):
        await bounded.fetch_json(sql, parameters, ledger=Ledger())
