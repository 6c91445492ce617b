"""Which tables a statement reads."""

import sqlglot
from sqlglot import exp


def tables_of(sql: str, dialect: str) -> tuple[tuple[str | None, str], ...]:
    """(schema, name) of each table the statement reads, each once, in the order of the text."""
    found = sqlglot.parse_one(sql, dialect=dialect).find_all(exp.Table, bfs=False)
    return tuple(dict.fromkeys((table.db or None, table.name) for table in found))
