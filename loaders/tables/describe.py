"""A SQLAlchemy model or table as the `Table` every station reads: column types, key, nullability, comments."""

from collections.abc import Callable
from typing import TypeAlias, cast

import sqlalchemy as sa
from geoalchemy2 import Geometry
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

from loaders.description import Column, ColumnType, Kind, Table
from loaders.tables.clickhouse.types import H3

Model: TypeAlias = type[DeclarativeBase] | sa.Table
"""What a table of a catalog is declared by."""


class UnknownColumnType(TypeError):
    """A column has a type without a `Kind`: add it to `_SIMPLE` or `_COMPOUND`, or change the column."""


_SIMPLE: dict[type[object], Kind] = {
    sa.Boolean: Kind.BOOLEAN,
    sa.SmallInteger: Kind.INTEGER,
    sa.Integer: Kind.INTEGER,
    sa.BigInteger: Kind.BIGINT,
    sa.Float: Kind.FLOAT,
    sa.Double: Kind.FLOAT,
    sa.Numeric: Kind.NUMERIC,
    sa.Text: Kind.TEXT,
    sa.String: Kind.TEXT,
    sa.Uuid: Kind.UUID,
    postgresql.UUID: Kind.UUID,
    sa.Date: Kind.DATE,
    sa.JSON: Kind.JSON,
    postgresql.JSONB: Kind.JSON,
    sa.LargeBinary: Kind.BYTES,
    postgresql.BYTEA: Kind.BYTES,
    H3: Kind.H3,
}


def _array(type_: sa.ARRAY[object]) -> ColumnType:
    element = column_type(type_.item_type)
    for _ in range((type_.dimensions or 1) - 1):
        element = ColumnType(Kind.ARRAY, element=element)
    return ColumnType(Kind.ARRAY, element=element)


def _geometry(type_: Geometry) -> ColumnType:
    if type_.geometry_type is None or type_.srid != 4326:
        raise UnknownColumnType(
            f"{type_!r} needs a geometry type and SRID 4326: the API speaks GeoJSON, which is WGS 84"
        )
    return ColumnType(Kind.GEOMETRY, geometry=type_.geometry_type)


def _timestamp(type_: sa.DateTime) -> ColumnType:
    if not type_.timezone:
        raise UnknownColumnType(f"{type_!r} has no time zone and is not an instant: use TIMESTAMP(timezone=True)")
    return ColumnType(Kind.TIMESTAMP)


def _vector(type_: Vector) -> ColumnType:
    if type_.dim is None:
        raise UnknownColumnType(f"{type_!r} has no dimensions: declare Vector(n)")
    return ColumnType(Kind.VECTOR, dimensions=type_.dim)


_COMPOUND = cast(
    dict[type[object], Callable[[TypeEngine[object]], ColumnType]],
    {
        sa.ARRAY: _array,
        postgresql.ARRAY: _array,
        Geometry: _geometry,
        sa.DateTime: _timestamp,
        postgresql.TIMESTAMP: _timestamp,
        Vector: _vector,
    },
)


def column_type(type_: TypeEngine[object]) -> ColumnType:
    """What exactly this class of SQLAlchemy type holds; a subclass is not guessed. UnknownColumnType if none fits."""
    if kind := _SIMPLE.get(type(type_)):
        return ColumnType(kind)
    if make := _COMPOUND.get(type(type_)):
        return make(type_)
    raise UnknownColumnType(f"{type(type_).__name__} has no Kind: add it to loaders/tables/describe.py")


def describe(source: Model, store: str) -> Table:
    """`source` as seen in the public store `store`, columns in declaration order, key in primary key order.

    UnknownColumnType names the column whose type has no `Kind`.
    """
    table = source if isinstance(source, sa.Table) else cast(sa.Table, source.__table__)
    columns = []
    for column in table.columns:
        try:
            type_ = column_type(column.type)
        except UnknownColumnType as error:
            raise UnknownColumnType(f"{table.name}.{column.name}: {error}") from error
        columns.append(Column(column.name, type_, nullable=bool(column.nullable), description=column.comment or ""))
    return Table(store, table.schema, table.name, tuple(columns), key=tuple(c.name for c in table.primary_key.columns))
