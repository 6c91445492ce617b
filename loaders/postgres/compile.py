"""Compiles a `Read` to one Postgres statement that answers one row with one column: the JSON text of the whole nested
answer.

A connection is built in three layers, each a subquery of the next, so that columns are read once and only the page's
rows are turned into text:

    matched   SELECT columns FROM table WHERE ... ORDER BY ... LIMIT n + 1
    numbered  the matched rows with their positions on the page, unless their columns tell the order
    answer    string_agg of each requested part over the numbered rows

To-one edges and nested connections are correlated subqueries of the row (top-n per parent). Every `Related` here is in
the same database: loaders/plan.py has cut off the others.
"""

import sqlalchemy as sa

from loaders.description import Table
from loaders.expression import columns_of, expression_type, is_nullable
from loaders.order import total_order
from loaders.postgres.aggregate import aggregate_text
from loaders.postgres.expression import bind_all, from_clause, sql_expression
from loaders.postgres.implied import without_implied
from loaders.postgres.json_text import Part, Text, base64url, concat, json_constant, json_object, json_value, quoted
from loaders.postgres.limit import ONE, row_limit
from loaders.postgres.page import PLACE, PageText, sorted_by_columns
from loaders.postgres.room import fitting, fitting_together
from loaders.postgres.rows import Source, conditions, matched, of
from loaders.postgres.statement import Statement, render
from loaders.postgres.types import sql_type
from loaders.postgres.whole import whole
from loaders.read import (
    Aggregate,
    Computed,
    ConnectionPart,
    Edges,
    Field,
    Join,
    Literal,
    NodeId,
    Nodes,
    Output,
    PageInfo,
    Read,
    Related,
    Slot,
    TotalCount,
    Value,
)


def compile_read(read: Read) -> Statement:
    """One statement for the whole read; its single value is JSON text, or NULL when an object is absent."""
    read = without_implied(read)
    answer = connection_text(read, None, None) if read.connection else object_text(read, None, None)
    return render(sa.select(answer) if _is_one_row(read) else fitting(answer))


def _is_one_row(read: Read) -> bool:
    """Whether the answer shows columns of one row, each of them once: it is no larger than what is stored there."""
    shown = [field.output for field in read.fields]
    related = any(isinstance(output, Related) for output in shown)
    return read.connection is None and not related and len(set(shown)) == len(shown)


# --- objects ----------------------------------------------------------------------------------------------------------


def object_text(read: Read, join: Join | None, outer: Source | None) -> Text:
    """The fields of the first row as a JSON object; SQL NULL when no row matches."""
    source = matched(read, join, outer, columns=_columns_of(read.fields), limit=ONE)
    return sa.select(_row_text(read.fields, read.table, source)).select_from(source).scalar_subquery()


def _row_text(fields: tuple[Field, ...], table: Table, source: Source) -> Text:
    return json_object((field.key, _value(field.output, table, source)) for field in fields)


def _value(output: Output, table: Table, source: Source) -> Part:
    match output:
        case Literal(value):
            return json_constant(value)
        case NodeId(type_name, columns):
            return node_id_text(type_name, columns, source)
        case Computed(expression):
            nullable = is_nullable(expression, table)
            shown = sql_expression(expression, table, source)
            return json_value(shown, expression_type(expression, table), nullable=nullable)
        case Related(join, read) if read.connection is not None:
            return connection_text(read, join, source)
        case Related(join, read):
            return sa.func.coalesce(object_text(read, join, source), sa.literal_column("'null'"), type_=sa.Text)


def node_id_text(type_name: str, columns: tuple[str, ...], source: Source) -> Part:
    key: list[Part] = [type_name + ":"]
    for position, name in enumerate(columns):
        key += ["|" if position else "", sa.cast(source.c[name], sa.Text)]
    return quoted(base64url(concat(key)))


def _columns_of(fields: tuple[Field, ...]) -> set[str]:
    names: set[str] = set()
    for field in fields:
        match field.output:
            case NodeId(_, columns):
                names.update(columns)
            case Computed(expression):
                names.update(columns_of(expression))
            case Related(join, _):
                names.update(join.local)
    return names


# --- connections ------------------------------------------------------------------------------------------------------


def connection_text(read: Read, join: Join | None, outer: Source | None) -> Text:
    """The connection object as a scalar subquery of the outer row; never SQL NULL."""
    assert read.connection is not None
    order = total_order(read.order, read.table)
    parts = read.connection.entries
    paged = [part for _, part in parts if isinstance(part, Nodes | Edges | PageInfo)]
    if not paged:
        return json_object((key, _unpaged(part, read, join, outer)) for key, part in parts)
    columns = {name for _, fields in read.connection.shown() for name in _columns_of(fields)}
    columns.update(*(columns_of(term.expression) for term in order))
    more = read.page.limit is not None and any(isinstance(part, PageInfo) for part in paged)
    limit = None if read.page.limit is None else row_limit(read.page.limit, more=int(more))
    page_rows = matched(read, join, outer, columns=columns, limit=limit)
    in_order = sorted_by_columns(read, order)
    rows = page_rows if in_order and not more else _numbered(page_rows)
    page = PageText(read, order, rows, _row_text, cut=more, in_order=in_order)
    entries = [
        (key, page.part(part) if isinstance(part, Nodes | Edges | PageInfo) else _unpaged(part, read, join, outer))
        for key, part in parts
    ]
    answer = sa.select(json_object(entries)).select_from(rows)
    of_page = whole(read, join, outer, order=order, limit=limit)
    return answer.having(of_page).scalar_subquery()  # one row even where nothing is aggregated


def _numbered(rows: Source) -> Source:
    return sa.select(*rows.c, sa.func.row_number().over().label(PLACE)).select_from(rows).subquery()


def _unpaged(part: ConnectionPart, read: Read, join: Join | None, outer: Source | None) -> Part:
    match part:
        case Literal(value):
            return json_constant(value)
        case TotalCount():
            source = from_clause(read.table)
            count = sa.select(sa.cast(sa.func.count(), sa.Text)).select_from(source)
            return of(outer, count.where(*conditions(read, join, outer, source))).scalar_subquery()
        case Aggregate():
            return aggregate_text(part, read, join, outer)
        case _:
            raise AssertionError(f"{part} belongs to a page")


# --- keyed reads ------------------------------------------------------------------------------------------------------


def compile_keyed(read: Read, join: Join, keys: tuple[Value, ...] | Slot) -> Statement:
    """The answers to `read` for many parents in another store, as rows of (position of the key from 0, JSON text).

    `keys` are values of the single column `join.remote`; a null has no rows. The JSON is NULL where an object is
    absent.
    """
    read = without_implied(read)
    (local,), (remote,) = join.local, join.remote
    type_ = join.target.column(remote).type
    given = sa.func.unnest(bind_all(keys, type_))
    parents = given.table_valued(sa.column(local, sql_type(type_)), with_ordinality=PLACE).render_derived()
    text = connection_text(read, join, parents) if read.connection else object_text(read, join, parents)
    return render(fitting_together(parents.c[PLACE] - sa.literal_column("1"), text, parents))
