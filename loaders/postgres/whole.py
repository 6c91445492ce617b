"""Detects pages by similarity that are short although more rows match: the scan of a vector index may end early, and
silently.

pgvector ends a scan at `hnsw.max_scan_tuples`, or when it has visited `work_mem` times `hnsw.scan_mem_multiplier`,
whether or not the filter has found enough rows by then; and its index does not contain vectors of zeros.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from loaders.postgres.expression import from_clause
from loaders.postgres.rows import Limit, Source, conditions, of, within_page
from loaders.read import CosineSimilarity, Join, OrderBy, Read


def whole(
    read: Read, join: Join | None, outer: Source | None, *, order: tuple[OrderBy, ...], limit: Limit | None
) -> ColumnElement[Any]:
    """For HAVING over the rows of the page: true if the page is full or contains all rows there are.

    Otherwise evaluating it fails (SQLSTATE 2201E), since Postgres has no expression that raises an error. Only for a
    short page the matching rows are counted, up to `limit`. `Postgres` then reads the page again without the index.
    """
    first = order[0]
    if not isinstance(first.expression, CosineSimilarity) or first.descending == read.page.backward:
        return sa.true()  # served by no index of vectors
    source = from_clause(read.table)
    matching: sa.Select[Any] = sa.select(sa.literal_column("1").label("one")).select_from(source)
    matching = matching.where(*conditions(read, join, outer, source), *within_page(read, order, source))
    there = sa.select(sa.func.count()).select_from(of(outer, matching.limit(limit)).subquery()).scalar_subquery()
    found = sa.func.count()
    zero, one = (sa.literal_column(f"{number}::float8", sa.Double) for number in (0, 1))
    all_there = sa.func.ln(sa.case((found < there, zero), else_=one), type_=sa.Double) == zero
    return all_there if limit is None else sa.case((found < limit, all_there), else_=sa.true())
