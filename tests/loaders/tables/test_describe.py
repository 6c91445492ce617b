import pytest
import sqlalchemy as sa
from geoalchemy2 import Geometry
from pgvector.sqlalchemy import HALFVEC, Vector
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from loaders.description import Column, ColumnType, Kind, Table
from loaders.tables.auradb.rag import RagChunk
from loaders.tables.axion_sense.road_data import Hold, TrackLog
from loaders.tables.clickhouse.types import H3
from loaders.tables.describe import UnknownColumnType, column_type, describe

TEXT = ColumnType(Kind.TEXT)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (sa.Boolean(), ColumnType(Kind.BOOLEAN)),
        (sa.SmallInteger(), ColumnType(Kind.INTEGER)),
        (sa.Integer(), ColumnType(Kind.INTEGER)),
        (sa.BigInteger(), ColumnType(Kind.BIGINT)),
        (sa.Float(), ColumnType(Kind.FLOAT)),
        (sa.Double(), ColumnType(Kind.FLOAT)),
        (sa.Numeric(12, 2), ColumnType(Kind.NUMERIC)),
        (sa.Text(), TEXT),
        (sa.String(40), TEXT),
        (sa.Uuid(), ColumnType(Kind.UUID)),
        (postgresql.UUID(), ColumnType(Kind.UUID)),
        (sa.Date(), ColumnType(Kind.DATE)),
        (sa.DateTime(timezone=True), ColumnType(Kind.TIMESTAMP)),
        (postgresql.TIMESTAMP(timezone=True), ColumnType(Kind.TIMESTAMP)),
        (postgresql.JSONB(), ColumnType(Kind.JSON)),
        (sa.JSON(), ColumnType(Kind.JSON)),
        (sa.LargeBinary(), ColumnType(Kind.BYTES)),
        (postgresql.BYTEA(), ColumnType(Kind.BYTES)),
        (Geometry("POINTZ", srid=4326, dimension=3), ColumnType(Kind.GEOMETRY, geometry="POINTZ")),
        (Geometry("LINESTRING", srid=4326), ColumnType(Kind.GEOMETRY, geometry="LINESTRING")),
        (Vector(1536), ColumnType(Kind.VECTOR, dimensions=1536)),
        (H3(), ColumnType(Kind.H3)),
        (sa.ARRAY(sa.Text()), ColumnType(Kind.ARRAY, element=TEXT)),
        (postgresql.ARRAY(H3()), ColumnType(Kind.ARRAY, element=ColumnType(Kind.H3))),
        (
            sa.ARRAY(sa.Text(), dimensions=2),
            ColumnType(Kind.ARRAY, element=ColumnType(Kind.ARRAY, element=TEXT)),
        ),
    ],
    ids=repr,
)
def test_kind_of_each_type(type_: TypeEngine[object], expected: ColumnType) -> None:
    assert column_type(type_) == expected


def test_every_kind_has_a_type() -> None:
    cases = test_kind_of_each_type.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {expected.kind for _, expected in cases} == set(Kind)


@pytest.mark.parametrize(
    "type_",
    [
        sa.Interval(),
        sa.Time(),
        sa.Enum("a", "b"),
        postgresql.INET(),
        postgresql.TSVECTOR(),
        HALFVEC(3),
        sa.DateTime(),
        postgresql.TIMESTAMP(),
        Vector(),
        Geometry("POINT", srid=3857),
        Geometry(geometry_type=None),
        sa.ARRAY(sa.Interval()),
        sa.types.NullType(),
    ],
    ids=repr,
)
def test_unknown_types_are_errors(type_: TypeEngine[object]) -> None:
    with pytest.raises(UnknownColumnType):
        column_type(type_)


def test_error_names_the_column() -> None:
    table = sa.Table("meetings", sa.MetaData(), sa.Column("length", sa.Interval()))
    with pytest.raises(UnknownColumnType, match=r"meetings\.length: Interval"):
        describe(table, "axion_gen")


def test_model() -> None:
    table = describe(Hold, "axion_sense")
    assert (table.store, table.schema, table.name, table.key) == ("axion_sense", "road_data", "holds", ("id",))
    assert table.column("location") == Column(
        "location",
        ColumnType(Kind.GEOMETRY, geometry="POINTZ"),
        nullable=False,
        description="Position of the hold: longitude and latitude in degrees (WGS 84), altitude in metres.",
    )
    assert [column.name for column in table.columns] == ["id", "organization_id", "location", "message", "created_at"]


def test_compound_key_and_column_names_of_the_database() -> None:
    assert describe(TrackLog, "axion_sense").key == ("id", "created_at")
    assert describe(RagChunk, "auradb").column("metadata").type == ColumnType(Kind.JSON)


def test_core_table_without_key() -> None:
    table = sa.Table("events", sa.MetaData(), sa.Column("at", sa.Date(), nullable=False))
    assert describe(table, "clickhouse") == Table(
        "clickhouse", None, "events", (Column("at", ColumnType(Kind.DATE), nullable=False),), key=()
    )
