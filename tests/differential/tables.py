"""The tables of the differential test: two Postgres stores and ClickHouse, with every kind of column."""

import sqlalchemy as sa
from geoalchemy2 import Geometry
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql

METADATA = sa.MetaData()
NEAR, FAR = "near", "far"
"""The public names of the two Postgres stores. They share a database, which nothing but the test's set-up knows."""
SCHEMA = "differential"
TONES = {"CALM": "calm", "NOT_SO_LOUD": "notSoLoud", "LOUD": "loud"}
"""The members of an enum and the words that its columns hold. They hold others, too."""


def _said(name: str, type_: object, **options: object) -> "sa.Column[object]":
    return sa.Column(name, type_, comment=f"The {name}.", **options)  # type: ignore[arg-type]  # options are many types


def _instant() -> postgresql.TIMESTAMP:
    return postgresql.TIMESTAMP(timezone=True)


ITEMS = sa.Table(
    "the items",
    METADATA,
    _said("id", postgresql.UUID, primary_key=True),
    _said("n", sa.Integer),
    _said("big", sa.BigInteger),
    _said("price", sa.Numeric),
    _said("ratio", sa.Double),
    _said("name", sa.Text),
    _said("flag", sa.Boolean),
    _said("day", sa.Date),
    _said("at", _instant(), nullable=False),
    _said("seen", _instant()),
    _said("doc", postgresql.JSONB),
    _said("tags", postgresql.ARRAY(sa.Text)),
    _said("bigs", postgresql.ARRAY(sa.BigInteger)),
    _said("raw", postgresql.BYTEA),
    _said("place", Geometry("POINT", srid=4326, spatial_index=False)),
    _said("mood", Vector(3)),
    _said("parent_id", postgresql.UUID),
    _said("sort_id", sa.BigInteger),
    _said("label_code", sa.Text),
    _said("team", sa.Text),
    _said("tone", sa.Text),
    schema=SCHEMA,
)
SORTS = sa.Table(
    "sorts",
    METADATA,
    _said("id", sa.BigInteger, primary_key=True, autoincrement=False),
    _said("title", sa.Text),
    _said("rank", sa.Integer),
    _said("owner_id", sa.BigInteger),
    schema=SCHEMA,
)
NOTES = sa.Table(
    "notes",
    METADATA,
    _said("item_id", postgresql.UUID, primary_key=True),
    _said("place", sa.Integer, primary_key=True, autoincrement=False),
    _said("body", sa.Text),
    _said("stars", sa.Integer),
    _said("written_on", sa.Date),
    schema=SCHEMA,
)
MARKS = sa.Table(
    "marks",
    METADATA,
    _said("id", sa.BigInteger, primary_key=True, autoincrement=False),
    _said("at", _instant(), primary_key=True),
    _said("item_id", postgresql.UUID),
    _said("colour", sa.Text),
    schema=SCHEMA,
)
"""As partitioned tables are: the id does not tell a row from all others, and is what the API knows it by."""
LABELS = sa.Table(
    "labels",
    METADATA,
    _said("code", sa.Text, primary_key=True),
    _said("title", sa.Text),
    _said("weight", sa.Numeric),
    schema=SCHEMA,
)
TRACES = sa.Table(
    "traces",
    METADATA,
    _said("id", postgresql.UUID, primary_key=True),
    _said("item_id", postgresql.UUID),
    _said("at", _instant(), nullable=False),
    _said("speed", sa.Double),
    _said("hits", sa.Integer, nullable=False),
    _said("total", sa.BigInteger),
    _said("name", sa.Text),
    _said("day", sa.Date),
    _said("flag", sa.Boolean, nullable=False),
    _said("team", sa.Text),
    _said("tone", sa.Text),
    _said("tags", postgresql.ARRAY(sa.Text), nullable=False),
)
"""In ClickHouse; its database is named by `clickhouse_table`."""


def clickhouse_table(database: str) -> sa.Table:
    return sa.Table(TRACES.name, sa.MetaData(), *(column._copy() for column in TRACES.columns), schema=database)
