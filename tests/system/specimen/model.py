"""A table with a column of every kind the API filters, orders or aggregates in `axion_sense`. For tests only."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import ARRAY, Date, Double, ForeignKey, MetaData, Numeric, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from loaders.tables.axion_sense.public import Organization
from loaders.tables.columns import NAMES, TYPES, BigInt, IdentityKey, Json

WORDS = ("pending", "committed", "lost")


class Specimens(DeclarativeBase):
    """Apart from the product's own models, which tests compare with the database."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = TYPES


class Specimen(Specimens):
    __tablename__ = "specimens"
    __table_args__ = {"schema": "road_data", "comment": "One column of every kind."}

    id: Mapped[IdentityKey] = mapped_column(comment="Key.")
    organization_id: Mapped[BigInt] = mapped_column(ForeignKey(Organization.__table__.c.id), comment="Whose it is.")
    small: Mapped[int | None] = mapped_column(comment="An integer.")
    big: Mapped[BigInt | None] = mapped_column(comment="A big integer.")
    ratio: Mapped[float | None] = mapped_column(Double, comment="A double.")
    price: Mapped[Decimal | None] = mapped_column(Numeric(12, 4), comment="An exact decimal.")
    name: Mapped[str | None] = mapped_column(comment="Text.")
    status: Mapped[str] = mapped_column(comment="A word of a closed set, which nothing checks.")
    flag: Mapped[bool | None] = mapped_column(comment="A truth value.")
    ref: Mapped[uuid.UUID | None] = mapped_column(Uuid, comment="A UUID.")
    day: Mapped[date | None] = mapped_column(Date, comment="A date.")
    at: Mapped[datetime] = mapped_column(comment="An instant.")
    doc: Mapped[Json | None] = mapped_column(comment="JSON.")
    tags: Mapped[list[str] | None] = mapped_column(ARRAY(Text), comment="Texts.")
    refs: Mapped[list[uuid.UUID] | None] = mapped_column(ARRAY(Uuid), comment="UUIDs.")
    place: Mapped[WKBElement | None] = mapped_column(
        Geometry("POINTZ", 4326, 3, spatial_index=False), comment="A point."
    )
    way: Mapped[WKBElement | None] = mapped_column(Geometry("LINESTRING", 4326, spatial_index=False), comment="A line.")
    area: Mapped[WKBElement | None] = mapped_column(
        Geometry("POLYGON", 4326, spatial_index=False), comment="A polygon."
    )
