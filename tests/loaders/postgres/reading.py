"""Reads run through the compiler and the real client, and spelled shortly."""

import json
from functools import lru_cache
from typing import Any

from loaders.description import Table
from loaders.encode import base64url
from loaders.ledger import Ledger
from loaders.order import cursor_mark, total_order
from loaders.parameters import fill, split
from loaders.postgres.client import Postgres
from loaders.postgres.compile import compile_read
from loaders.prepared import Prepared
from loaders.read import Col, Computed, Connection, Field, Nodes, OrderBy, Page, Predicate, Read

PAGES = Page()


async def run(read: Read, postgres: Postgres) -> Any:
    """Compiled with its values, and compiled for slots that are filled with them: the same answer."""
    statement = compile_read(read)
    text = await postgres.fetch_json(statement.sql, statement.parameters, ledger=Ledger())
    shape, values = split(read)
    assert fill(shape, values) == read
    sql, parameters = _prepared(shape).statement(values)
    assert await postgres.fetch_json(sql, parameters, ledger=Ledger()) == text
    return None if text is None else json.loads(text)  # orjson would round large numbers


_prepared = lru_cache(Prepared)  # as the product keeps them: the pages of a walk share two statements


def ids(rows: list[Any]) -> list[str]:
    return [str(row["id"]) for row in rows]


async def found(postgres: Postgres, read: Read) -> list[str]:
    return ids((await run(read, postgres))["nodes"])


def columns(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, Computed(Col(name))) for name in names)


def listed(
    table: Table,
    fields: tuple[Field, ...],
    where: Predicate | None = None,
    order: tuple[OrderBy, ...] = (),
    page: Page = PAGES,
) -> Read:
    return Read(table, connection=Connection((("nodes", Nodes(fields)),)), where=where, order=order, page=page)


def placed(value: Any, order: tuple[OrderBy, ...], table: Table) -> Any:
    """The answer of one read with every cursor replaced by the key of its row."""
    terms = [term.expression for term in total_order(order, table)]
    places = [terms.index(Col(name)) for name in table.key]

    def place(cursor: str) -> list[str]:
        mark, *values = json.loads(base64url.decode(cursor))
        assert mark == cursor_mark(order, table)
        return [values[position] for position in places]

    for edge in value.get("edges", []):
        edge["cursor"] = place(edge["cursor"])
    for name in ("startCursor", "endCursor"):
        if value.get("pageInfo", {}).get(name) is not None:
            value["pageInfo"][name] = place(value["pageInfo"][name])
    return value
