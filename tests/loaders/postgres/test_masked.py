"""Masked columns in Postgres, against a view."""

from collections.abc import AsyncIterator

import pytest

from loaders.description import Table
from loaders.postgres.client import Postgres
from resolvers.permissions.apply import Mask, Restriction, apply
from tests.loaders.masked import as_view, assert_masked, reads
from tests.loaders.postgres.database import execute
from tests.loaders.postgres.reading import run
from tests.loaders.postgres.rows import DATA, ROWS, Spelled

VIEW = as_view(ROWS, "the view")


@pytest.fixture(scope="module")
async def view(scratch_url: str) -> AsyncIterator[Table]:
    columns = ", ".join(
        f'"{column.name}"'
        if column.name in ("id", "n")
        else f'CASE WHEN n IN (0, 1) THEN "{column.name}" END AS "{column.name}"'
        for column in ROWS.columns
    )
    await execute(scratch_url, f'CREATE VIEW "odd ones"."the view" AS SELECT {columns} FROM "odd ones"."the rows"')
    yield VIEW
    await execute(scratch_url, 'DROP VIEW "odd ones"."the view"')


async def test_a_masked_column_is_that_of_a_view(view: Table, postgres: Postgres) -> None:
    data = DATA[ROWS.name]
    samples = {
        column.name: [row[column.name] for row in data[:9] if not isinstance(row[column.name], Spelled | None)]
        for column in ROWS.columns
    }
    for read in reads(ROWS, samples):
        await assert_masked(ROWS, view, "n", (0, 1), read, lambda read: run(read, postgres))


async def test_nothing_shown(postgres: Postgres) -> None:
    (everything, *_) = reads(ROWS, {})
    masks = tuple(Mask(column.name, "n", ()) for column in ROWS.columns if column.name not in ("id", "n"))
    answer = await run(apply(everything, {ROWS: Restriction(None, masks)}), postgres)
    assert len(answer["nodes"]) == len(DATA[ROWS.name])
    assert {name for node in answer["nodes"] for name, value in node.items() if value is not None} == {"id", "n"}
