"""Compiles predicates of a `Read` to SQLAlchemy Core."""

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from loaders.description import ColumnType, Kind, Table
from loaders.expression import expression_type
from loaders.pattern import normal_pattern
from loaders.postgres.expression import NAN, bind, bind_all, bind_place, from_clause, sql_expression
from loaders.postgres.limit import ONE
from loaders.postgres.parameter import Unfit, as_it_is, parameter
from loaders.postgres.types import Named
from loaders.read import Among, And, Col, Compare, Exists, Join, Never, Not, Op, Or, Predicate, Slot, Value


def condition(
    predicate: Predicate, table: Table, source: FromClause, *, denied: bool = False, one_of: bool = False
) -> ColumnElement[bool]:
    """The condition on the rows of `source`. `denied`: it is inside a `Not`, where the null of an SQL comparison would
    hide rows that false shows. `one_of`: it is inside an `Or`, where Postgres cannot turn a subquery into a join.
    """
    below = partial(condition, table=table, source=source, denied=denied, one_of=one_of)
    match predicate:
        case Compare(expression, op, value):
            return _compare(sql_expression(expression, table, source), expression_type(expression, table), op, value)
        case Among(columns, rows):
            return _among([(source.c[name], table.column(name).type) for name in columns], rows, joined=not one_of)
        case And(terms):
            return sa.and_(sa.true(), *map(below, terms))
        case Or(terms):
            return sa.or_(sa.false(), *(below(term, one_of=True) for term in terms))
        case Not(term):
            return sa.not_(condition(term, table, source, denied=True))
        case Never():
            return sa.false()
        case Exists(join, where) if not denied and _is_one_value(join, where):
            return _of_the_one(join, where, source)
        case Exists(join, where):
            target = from_clause(join.target)
            matches = [target.c[far] == source.c[own] for own, far in zip(join.local, join.remote, strict=True)]
            if where is not None:
                matches.append(condition(where, join.target, target))
            return sa.exists(sa.select(sa.literal_column("1")).select_from(target).where(*matches).correlate(source))


def is_one(predicate: Predicate | None, table: Table, fixed: frozenset[str] = frozenset()) -> bool:
    """Whether at most one row is asked for, because its whole key is given; `fixed` columns are given by other means.

    If several rows share a key (`Table.apart`), any of them is answered: to order them, Postgres would have to look
    into every partition (three times the pages for an edge over ten partitions).
    """
    return bool(table.key) and fixed | _fixed(predicate) >= set(table.key)


def _is_one_value(join: Join, where: Predicate | None) -> bool:
    """Whether the matching rows have a given key, and so a single value in the one column they are joined by."""
    if len(join.remote) != 1 or not is_one(where, join.target):
        return False
    return _fixed(where) >= {*join.target.apart} or join.remote[0] in join.target.key


def _fixed(predicate: Predicate | None) -> frozenset[str]:
    match predicate:
        case Compare(Col(name), Op.EQ) | Compare(Col(name), Op.IN, (_,)):
            return frozenset((name,))
        case And(terms):
            return frozenset().union(*map(_fixed, terms))
        case _:
            return frozenset()


def _of_the_one(join: Join, where: Predicate | None, source: FromClause) -> ColumnElement[bool]:
    """A relation to a single row, as a scalar subquery that is evaluated once. For Postgres its column is then a
    constant, by which any index can be searched. An `EXISTS` would become a join, under which a similarity search sorts
    every joined row. Where several rows may share the key, they agree in the column, so any of them is read.
    """
    (own,), (far,) = join.local, join.remote
    target = from_clause(join.target)
    one = sa.select(target.c[far]).select_from(target)
    if where is not None:
        one = one.where(condition(where, join.target, target))
    if far in join.target.key:
        one = one.limit(ONE)
    return source.c[own] == one.scalar_subquery()


def _among(
    columns: Sequence[tuple[ColumnElement[Any], ColumnType]],
    rows: tuple[tuple[Value, ...], ...] | Slot,
    *,
    joined: bool,
) -> ColumnElement[bool]:
    """Membership in a list of composite keys, with one array parameter per column however many rows there are. Postgres
    joins the arrays and looks each key up in the index. Where it cannot join, the values of every column are looked up
    there, so that no more rows are read than have one of the values in each.
    """
    arrays = [bind_place(rows, place, type_) for place, (_, type_) in enumerate(columns)]
    given = sa.func.unnest(*arrays).table_valued(*(f"k{place}" for place in range(len(arrays)))).render_derived()
    found = sa.tuple_(*(column for column, _ in columns)).in_(sa.select(*given.c))
    if joined:
        return found
    pairs = zip(columns, arrays, strict=True)
    return sa.and_(*(column == sa.any_(values) for (column, _), values in pairs), found)


def _corners(box: tuple[float, ...]) -> list[ColumnElement[float]]:
    return [parameter(corner, sa.Double()) for corner in box]


def _corner(box: tuple[float, ...], place: int) -> float:
    west, _, east, _ = box
    if west > east:
        raise Unfit
    return box[place]


def _meets(left: ColumnElement[Any], corners: list[ColumnElement[float]]) -> ColumnElement[bool]:
    return left.op("&&", is_comparison=True)(sa.func.ST_MakeEnvelope(*corners, sa.literal_column("4326")))


def _geojson(value: Value, convert: Callable[[Any], object] = as_it_is) -> ColumnElement[Any]:
    text = parameter(value, sa.Text(), convert)
    return sa.func.ST_SetSRID(sa.func.ST_GeomFromGeoJSON(text), sa.literal_column("4326"))


def _pattern(value: Any) -> str | None:
    return None if value is None else normal_pattern(str(value))


def _prefix(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


_COMPARISONS: dict[Op, Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]] = {
    Op.EQ: lambda left, right: left == right,
    Op.NE: lambda left, right: left != right,
    Op.LT: lambda left, right: left < right,
    Op.LTE: lambda left, right: left <= right,
    Op.GT: lambda left, right: left > right,
    Op.GTE: lambda left, right: left >= right,
    Op.CONTAINS: lambda left, right: left.op("@>", is_comparison=True)(right),
    Op.CONTAINED_BY: lambda left, right: left.op("<@", is_comparison=True)(right),
}


def _compare(left: ColumnElement[Any], type_: ColumnType, op: Op, value: Value) -> ColumnElement[bool]:
    if op in _COMPARISONS:
        compared = _COMPARISONS[op](left, bind(value, type_))
        # NaN is Postgres' greatest number; here it compares as IEEE 754 has it, like in every store
        greater = type_.kind is Kind.FLOAT and op in (Op.GT, Op.GTE)
        return sa.and_(compared, left != NAN) if greater else compared
    match op:
        case Op.IN | Op.NOT_IN:
            assert isinstance(value, tuple | Slot)
            values = bind_all(value, type_)
            return left == sa.any_(values) if op is Op.IN else left != sa.all_(values)
        case Op.LIKE | Op.ILIKE:
            pattern = parameter(value, sa.Text(), _pattern)
            return left.like(pattern) if op is Op.LIKE else left.ilike(pattern)
        case Op.IS_NULL:
            assert isinstance(value, bool)
            return left.is_(None) if value else left.is_not(None)
        case Op.STARTS_WITH:
            return left.like(parameter(value, sa.Text(), _prefix))
        case Op.HAS_KEY:
            return left.op("?", is_comparison=True)(parameter(value, sa.Text()))
        case Op.BBOX if isinstance(value, Slot):
            return _meets(left, [parameter(value, sa.Double(), partial(_corner, place=place)) for place in range(4)])
        case Op.BBOX:
            assert isinstance(value, tuple)
            west, south, east, north = value
            if west <= east:
                return _meets(left, _corners(value))
            halves = (
                (west, south, 180.0, north),
                (-180.0, south, east, north),
            )  # over the antimeridian (RFC 7946, 5.2)
            return sa.or_(*(_meets(left, _corners(half)) for half in halves))
        case Op.INTERSECTS:
            return sa.func.ST_Intersects(left, _geojson(value))
        case Op.WITHIN:
            return sa.func.ST_Within(left, _geojson(value))
        case Op.DWITHIN:
            geography = Named("geography")
            metres = parameter(value, sa.Double(), itemgetter(1))
            place = sa.cast(_geojson(value, itemgetter(0)), geography)
            return sa.func.ST_DWithin(sa.cast(left, geography), place, metres)
    raise ValueError(f"Postgres has no operator for {op}")
