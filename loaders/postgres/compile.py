"""`Read` -> one Postgres statement that answers one row with one column: the JSON text of the whole nested answer.

A connection is built in three layers, each a subquery of the next, so that columns are read once and only the page's
rows are turned into text:

    matched   SELECT columns FROM table WHERE ... ORDER BY ... LIMIT n + 1
    numbered  the matched rows with their place on the page
    answer    string_agg of each requested part over the numbered rows

To-one edges and nested connections are correlated subqueries of the row (top-n per parent). Every `Related` here lies
in the same database: loaders/plan.py has cut the others.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from loaders.description import Kind, Table
from loaders.order import expression_type, is_nullable, total_order
from loaders.postgres.json_text import Part, Text, base64url, concat, json_constant, json_value, object_parts
from loaders.postgres.predicate import beyond, condition, from_clause, order_clause, sql_expression
from loaders.postgres.types import sql_type
from loaders.read import (
    Aggregate,
    AggregateFunction,
    Computed,
    Connection,
    ConnectionPart,
    EdgePart,
    Edges,
    Expression,
    Field,
    Join,
    Literal,
    Measure,
    NodeId,
    Nodes,
    OrderBy,
    Output,
    PageInfo,
    PageInfoPart,
    Read,
    Related,
    TotalCount,
)

_DIALECT = asyncpg_dialect.dialect()
_PLACE = "place"
Source: TypeAlias = FromClause


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text with `$n` parameters, and their values in order."""

    sql: str
    parameters: tuple[object, ...]


def compile_read(read: Read) -> Statement:
    """One statement for the whole read; its single value is JSON text, or NULL when an object is absent."""
    answer = connection_text(read, None, None) if read.connection else object_text(read, None, None)
    return render(sa.select(answer))


def render(statement: sa.Select[Any]) -> Statement:
    compiled = statement.compile(dialect=_DIALECT)
    names = compiled.positiontup or []
    return Statement(sql=compiled.string, parameters=tuple(compiled.params[name] for name in names))


# --- objects ----------------------------------------------------------------------------------------------------------


def object_text(read: Read, join: Join | None, outer: Source | None) -> Text:
    """The first row's fields as a JSON object; SQL NULL when no row matches."""
    source = _matched(read, join, outer, columns=_columns_of(read.fields), limit=1)
    return sa.select(_row_text(read.fields, read.table, source)).select_from(source).scalar_subquery()


def _row_text(fields: tuple[Field, ...], table: Table, source: Source) -> Text:
    return concat(object_parts((field.key, _value(field.output, table, source)) for field in fields))


def _value(output: Output, table: Table, source: Source) -> Part:
    match output:
        case Literal(value):
            return json_constant(value)
        case NodeId(type_name, columns):
            return node_id_text(type_name, columns, source)
        case Computed(expression):
            nullable = is_nullable(expression, table)
            return json_value(sql_expression(expression, source), expression_type(expression, table), nullable=nullable)
        case Related(join, read) if read.connection is not None:
            return connection_text(read, join, source)
        case Related(join, read):
            return sa.func.coalesce(object_text(read, join, source), sa.literal_column("'null'"), type_=sa.Text)


def node_id_text(type_name: str, columns: tuple[str, ...], source: Source) -> Text:
    key: list[Part] = [type_name + ":"]
    for position, name in enumerate(columns):
        key += ["|" if position else "", sa.cast(source.c[name], sa.Text)]
    return concat(['"', base64url(concat(key)), '"'])


def _columns_of(fields: tuple[Field, ...]) -> set[str]:
    names: set[str] = set()
    for field in fields:
        match field.output:
            case NodeId(_, columns):
                names.update(columns)
            case Computed(expression):
                names.add(_column_of(expression))
            case Related(join, _):
                names.update(join.local)
    return names


def _column_of(expression: Expression) -> str:
    return expression.name if hasattr(expression, "name") else expression.column


# --- connections ------------------------------------------------------------------------------------------------------


def connection_text(read: Read, join: Join | None, outer: Source | None) -> Text:
    """The connection object as a scalar subquery of the outer row; never SQL NULL."""
    assert read.connection is not None
    order = total_order(read.order, read.table)
    parts = read.connection.entries
    paged = [part for _, part in parts if isinstance(part, Nodes | Edges | PageInfo)]
    if not paged:
        return concat(object_parts((key, _unpaged(part, read, join, outer)) for key, part in parts))
    columns = _columns_of_connection(read.connection) | {_column_of(term.expression) for term in order}
    more = read.page.limit is not None and any(isinstance(part, PageInfo) for part in paged)
    limit = None if read.page.limit is None else read.page.limit + more
    matched = _matched(read, join, outer, columns=columns, limit=limit)
    place = sa.func.row_number().over().label(_PLACE)
    numbered = sa.select(*matched.c, place).select_from(matched).subquery()
    page = _PageText(read, order, numbered, join, outer, cut=more)
    entries = [(key, page.part(part)) for key, part in parts]
    return sa.select(concat(object_parts(entries))).select_from(numbered).scalar_subquery()


@dataclass(frozen=True, slots=True)
class _PageText:
    """The parts of one page, aggregated over its numbered rows. `cut`: one row more than the page was read."""

    read: Read
    order: tuple[OrderBy, ...]
    rows: Source
    join: Join | None
    outer: Source | None
    cut: bool

    def part(self, part: ConnectionPart) -> Part:
        match part:
            case Nodes(fields):
                return self._list(_row_text(fields, self.read.table, self.rows))
            case Edges(entries):
                return self._list(concat(object_parts((key, self._edge(entry)) for key, entry in entries)))
            case PageInfo(entries):
                return concat(object_parts((key, self._page_info(entry)) for key, entry in entries))
            case _:
                return _unpaged(part, self.read, self.join, self.outer)

    def _list(self, row: Text) -> Text:
        items = sa.func.string_agg(row, self._in_place(sa.literal_column("','")), type_=sa.Text)
        return concat(["[", sa.func.coalesce(self._on_page(items), sa.literal_column("''"), type_=sa.Text), "]"])

    def _in_place(self, expression: ColumnElement[Any], *, reverse: bool = False) -> ColumnElement[Any]:
        place = self.rows.c[_PLACE]
        return aggregate_order_by(expression, place.desc() if self.read.page.backward != reverse else place.asc())

    def _on_page(self, aggregated: Any) -> ColumnElement[Any]:
        return aggregated.filter(self.rows.c[_PLACE] <= self.read.page.limit) if self.cut else aggregated

    def _edge(self, entry: EdgePart | Literal | Nodes) -> Part:
        match entry:
            case Nodes(fields):
                return _row_text(fields, self.read.table, self.rows)
            case Literal(value):
                return json_constant(value)
            case _:
                return concat(['"', self._cursor(), '"'])

    def _cursor(self) -> Text:
        """As loaders/encode/cursor.py reads it: base64url of a JSON array with each order term's value as text or null."""
        values = [self._cursor_term(term.expression) for term in self.order]
        return base64url(sa.cast(sa.func.json_build_array(*values), sa.Text))

    def _cursor_term(self, expression: Expression) -> ColumnElement[Any]:
        value = sql_expression(expression, self.rows)
        if expression_type(expression, self.read.table).kind is Kind.TIMESTAMP:
            return sa.func.to_json(value).op("#>>", return_type=sa.Text())(sa.literal_column("'{}'"))
        return sa.cast(value, sa.Text)

    def _page_info(self, entry: PageInfoPart | Literal) -> Part:
        page = self.read.page
        match entry:
            case Literal(value):
                return json_constant(value)
            case PageInfoPart.HAS_NEXT_PAGE:
                return json_constant(page.before is not None) if page.backward else self._has_more()
            case PageInfoPart.HAS_PREVIOUS_PAGE:
                return self._has_more() if page.backward else json_constant(page.after is not None)
            case PageInfoPart.START_CURSOR:
                return self._boundary(reverse=False)
            case PageInfoPart.END_CURSOR:
                return self._boundary(reverse=True)

    def _has_more(self) -> Part:
        if not self.cut:
            return "false"
        return sa.cast(sa.func.count() > self.read.page.limit, sa.Text)

    def _boundary(self, *, reverse: bool) -> Text:
        cursors = sa.func.array_agg(self._in_place(self._cursor(), reverse=reverse), type_=sa.ARRAY(sa.Text))
        boundary = concat(['"', self._on_page(cursors)[1], '"'])
        return sa.func.coalesce(boundary, sa.literal_column("'null'"), type_=sa.Text)


def _unpaged(part: ConnectionPart, read: Read, join: Join | None, outer: Source | None) -> Part:
    match part:
        case Literal(value):
            return json_constant(value)
        case TotalCount():
            source = from_clause(read.table)
            count = sa.select(sa.cast(sa.func.count(), sa.Text)).select_from(source)
            return _of(outer, count.where(*_conditions(read, join, outer, source))).scalar_subquery()
        case Aggregate():
            return _aggregate_text(part, read, join, outer)
        case _:
            raise AssertionError(f"{part} belongs to a page")


def _columns_of_connection(connection: Connection) -> set[str]:
    names: set[str] = set()
    for _, part in connection.entries:
        match part:
            case Nodes(fields):
                names |= _columns_of(fields)
            case Edges(entries):
                for _, entry in entries:
                    names |= _columns_of(entry.fields) if isinstance(entry, Nodes) else set()
    return names


# --- aggregates -------------------------------------------------------------------------------------------------------


def _aggregate_text(aggregate: Aggregate, read: Read, join: Join | None, outer: Source | None) -> Text:
    """The list of groups as JSON text; without `group_by`, a list of the one object over all matching rows."""
    source = from_clause(read.table)
    keys = [sql_expression(expression, source) for expression in aggregate.group_by]
    entries = [(key, _aggregate_value(entry, read.table, source)) for key, entry in aggregate.entries]
    grouped = (
        sa.select(concat(object_parts(entries)).label("item"), *(key.label(f"k{n}") for n, key in enumerate(keys)))
        .select_from(source)
        .where(*_conditions(read, join, outer, source))
    )
    grouped = _of(outer, grouped)
    if not aggregate.group_by:
        return concat(["[", grouped.scalar_subquery(), "]"])
    grouped = grouped.group_by(*keys).order_by(*keys)
    if aggregate.limit is not None:
        grouped = grouped.limit(aggregate.limit)
    groups = grouped.subquery()
    order = [groups.c[f"k{n}"] for n in range(len(keys))]
    ordered = aggregate_order_by(sa.literal_column("','"), *order)
    items = sa.func.coalesce(sa.func.string_agg(groups.c.item, ordered), sa.literal_column("''"), type_=sa.Text)
    return sa.select(concat(["[", items, "]"])).select_from(groups).scalar_subquery()


def _aggregate_value(entry: Expression | Measure | Literal, table: Table, source: Source) -> Part:
    match entry:
        case Literal(value):
            return json_constant(value)
        case Measure(function, expression):
            return _measure(function, expression, table, source)
        case expression:
            return json_value(sql_expression(expression, source), expression_type(expression, table), nullable=True)


def _measure(function: AggregateFunction, expression: Expression | None, table: Table, source: Source) -> Part:
    if expression is None:
        return sa.cast(sa.func.count(), sa.Text)
    value = sql_expression(expression, source)
    match function:
        case AggregateFunction.COUNT:
            return sa.cast(sa.func.count(value), sa.Text)
        case AggregateFunction.COUNT_DISTINCT:
            return sa.cast(sa.func.count(sa.distinct(value)), sa.Text)
        case AggregateFunction.MIN | AggregateFunction.MAX:
            extreme = sa.func.min(value) if function is AggregateFunction.MIN else sa.func.max(value)
            return json_value(extreme, expression_type(expression, table), nullable=True)
        case AggregateFunction.SUM | AggregateFunction.AVG:
            total = sa.func.sum(value) if function is AggregateFunction.SUM else sa.func.avg(value)
            number = sa.cast(total, sa.Double)
            finite = sa.case((number.op("-")(number) == sa.literal_column("0"), sa.cast(number, sa.Text)))
            return sa.func.coalesce(finite, sa.literal_column("'null'"), type_=sa.Text)


# --- rows -------------------------------------------------------------------------------------------------------------


def _matched(read: Read, join: Join | None, outer: Source | None, *, columns: set[str], limit: int | None) -> Source:
    source = from_clause(read.table)
    names = [column.name for column in read.table.columns if column.name in columns]
    selected = [source.c[name] for name in names] or [sa.literal_column("1").label("one")]
    order = total_order(read.order, read.table)
    statement = sa.select(*selected).select_from(source).where(*_conditions(read, join, outer, source))
    for values, backward in ((read.page.after, False), (read.page.before, True)):
        if values is not None:
            statement = statement.where(beyond(order, values, read.table, source, backward=backward))
    if read.connection is not None or read.order:
        statement = statement.order_by(
            *(order_clause(term, read.table, source, backward=read.page.backward) for term in order)
        )
    return _of(outer, statement.limit(limit)).subquery()


def _of(outer: Source | None, statement: sa.Select[Any]) -> sa.Select[Any]:
    """The statement correlated to the outer row and to nothing else, however deep in FROM clauses it will stand."""
    return statement if outer is None else statement.correlate(outer)


def _conditions(read: Read, join: Join | None, outer: Source | None, source: Source) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if join is not None and outer is not None:
        conditions += [source.c[r] == outer.c[l] for l, r in zip(join.local, join.remote, strict=True)]
    if read.where is not None:
        conditions.append(condition(read.where, read.table, source))
    return conditions


# --- keyed reads ------------------------------------------------------------------------------------------------------


def compile_keyed(read: Read, join: Join, keys: tuple[object, ...]) -> Statement:
    """The answers of `read` for many parents of another store: rows of (key text, JSON text), one per given key.

    `keys` are distinct values of `join.remote`'s single column; the JSON is NULL where an object is absent.
    """
    (local,), (remote,) = join.local, join.remote
    column = join.target.column(remote)
    given = sa.func.unnest(sa.bindparam(None, list(keys), sa.ARRAY(sql_type(column.type))))
    parents = given.table_valued(sa.column(local, sql_type(column.type))).render_derived()
    text = connection_text(read, join, parents) if read.connection else object_text(read, join, parents)
    return render(sa.select(sa.cast(parents.c[local], sa.Text), text).select_from(parents))


def compile_distinct(table: Table, column: str) -> Statement:
    """The distinct values of a column, nulls left out."""
    source = from_clause(table)
    return render(sa.select(sa.distinct(source.c[column])).where(source.c[column].is_not(None)))
