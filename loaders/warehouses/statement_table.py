"""Which table a statement reads."""

import sqlglot
from sqlglot import exp


def table_of(sql: str, dialect: str) -> tuple[str | None, str]:
    """(schema, name) of the one table a statement reads."""
    tables = {(table.db or None, table.name) for table in sqlglot.parse_one(sql, dialect=dialect).find_all(exp.Table)}
    if len(tables) != 1:
        raise ValueError(f"a statement over a warehouse reads one table, this one {len(tables)}")
    return tables.pop()
