"""Rows of a columnar source as Python values."""

from typing import Any

import orjson

from loaders.columnar.connection import read_connection
from loaders.columnar.source import Source
from loaders.ledger import Ledger
from loaders.read import Connection, Nodes, Read


async def read_rows(read: Read, source: Source, ledger: Ledger) -> list[dict[str, Any]]:
    """`read.fields` of the page's rows as dicts, values as JSON has them."""
    nodes = Connection((("nodes", Nodes(read.fields)),))
    rows = Read(read.table, connection=nodes, where=read.where, order=read.order, page=read.page)
    nodes_of: list[dict[str, Any]] = orjson.loads(await read_connection(rows, source, ledger))["nodes"]
    return nodes_of
