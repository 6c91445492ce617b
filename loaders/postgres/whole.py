"""Whether a page by similarity has as many rows as it may: an index of vectors is read to a bound, and stops silently.

pgvector ends a scan at `hnsw.max_scan_tuples`, or at `work_mem` times `hnsw.scan_mem_multiplier` of what it has
visited, whether or not the filter has found enough by then; and it indexes no vector of zeros.
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
    """For HAVING over the page's rows: true of a page that is full, or has all rows there are.

    Of any other it fails (SQLSTATE 2201E; no expression of Postgres raises by itself): what is there is counted, up to
    `limit`, for a short page only. `Postgres` reads again without the index then.
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
