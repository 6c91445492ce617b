"""Gen data organization: data sources, datasets, their groups and maps, and profiles of remote tables."""

import uuid
from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.columns import BigInt, Json, Uuid7Key

ENCRYPTED_TOGETHER = "num_nulls(encrypted_credentials, nonce, tag, key_version) IN (0, 4)"
ENCRYPTED_SIZES = "octet_length(nonce) = 12 AND octet_length(tag) = 16"


class DataSource(AxionGen):
    __tablename__ = "data_sources"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint(ENCRYPTED_TOGETHER, name="encrypted_together"),
        CheckConstraint(ENCRYPTED_SIZES, name="encrypted_sizes"),
        Index("ix_data_sources_key_version", "key_version"),
        {"schema": "public", "comment": "Remote warehouses whose tables are queried in place."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the data source (UUIDv7).")
    name: Mapped[str] = mapped_column(comment="Name of the data source, unique; permissions refer to it.")
    description: Mapped[str | None] = mapped_column(comment="What the data source holds.")
    connector_type: Mapped[str] = mapped_column(comment="Type of the connector, such as `clickhouse` or `s3_parquet`.")
    options: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="Settings of the connector that are not secret, such as host and database."
    )
    encrypted_credentials: Mapped[bytes | None] = mapped_column(
        comment="AES-256-GCM ciphertext of the secret settings."
    )
    nonce: Mapped[bytes | None] = mapped_column(comment="Nonce of the encryption, 12 bytes, fresh for each write.")
    tag: Mapped[bytes | None] = mapped_column(comment="Authentication tag of the encryption, 16 bytes.")
    key_version: Mapped[int | None] = mapped_column(comment="Version of the key the credentials are encrypted with.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was added (UTC).")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), comment="When it was last changed (UTC)."
    )

    datasets: Mapped[list["Dataset"]] = relationship(back_populates="data_source", lazy="raise")


class DatasetGroup(AxionGen):
    __tablename__ = "dataset_groups"
    __table_args__ = (
        UniqueConstraint("name"),
        {"schema": "public", "comment": "Folders that datasets are shown in."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the group (UUIDv7).")
    name: Mapped[str] = mapped_column(comment="Name of the group; unique.")
    description: Mapped[str | None] = mapped_column(comment="What the datasets of the group have in common.")
    position: Mapped[int] = mapped_column(server_default="0", comment="Sort position among the groups, lowest first.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was added (UTC).")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), comment="When it was last changed (UTC)."
    )

    datasets: Mapped[list["Dataset"]] = relationship(back_populates="dataset_group", lazy="raise")


class Dataset(AxionGen):
    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("data_source_id", "name"),
        Index("ix_datasets_dataset_group_id", "dataset_group_id"),
        {"schema": "public", "comment": "Logical sets of tables of one data source."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the dataset (UUIDv7).")
    data_source_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.data_sources.id", ondelete="CASCADE"), comment="Data source the tables are in."
    )
    dataset_group_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.dataset_groups.id", ondelete="SET NULL"), comment="Group the dataset is shown in."
    )
    name: Mapped[str] = mapped_column(comment="Name of the dataset, unique within its data source.")
    description: Mapped[str | None] = mapped_column(comment="What the tables are about.")
    remote_schema: Mapped[str | None] = mapped_column(
        comment="Schema, database or folder of the tables in the data source; null means the source's default."
    )
    table_names: Mapped[list[str] | None] = mapped_column(
        ARRAY(Text), comment="Names of the tables that belong to the dataset; null means all of the schema."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was added (UTC).")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), comment="When it was last changed (UTC)."
    )

    data_source: Mapped[DataSource] = relationship(back_populates="datasets", lazy="raise")
    dataset_group: Mapped[DatasetGroup | None] = relationship(back_populates="datasets", lazy="raise")
    maps: Mapped[list["DatasetMap"]] = relationship(back_populates="dataset", lazy="raise")


class DatasetMap(AxionGen):
    __tablename__ = "dataset_maps"
    __table_args__ = (
        UniqueConstraint("dataset_id", "table_name", "name"),
        CheckConstraint("min_zoom BETWEEN 0 AND 24 AND max_zoom BETWEEN min_zoom AND 24", name="zoom"),
        {
            "schema": "public",
            "comment": "Vector tile bundles of a table: tiles/{dataset id}/{table name}/{map id}.pmtiles on S3.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the map (UUIDv7), part of the bundle's S3 key.")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the mapped table."
    )
    table_name: Mapped[str] = mapped_column(comment="Table the tiles are made from.")
    name: Mapped[str] = mapped_column(comment="Name of the map, unique within its table.")
    geometry_column: Mapped[str] = mapped_column(comment="Geometry column of the table, which is drawn on the map.")
    min_zoom: Mapped[int] = mapped_column(SmallInteger, server_default="0", comment="Smallest zoom level, 0 to 24.")
    max_zoom: Mapped[int] = mapped_column(SmallInteger, server_default="14", comment="Largest zoom level, 0 to 24.")
    built_at: Mapped[datetime | None] = mapped_column(comment="When the bundle was last built (UTC); null if never.")
    size_bytes: Mapped[BigInt | None] = mapped_column(comment="Size of the bundle in bytes; null if never built.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was added (UTC).")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), comment="When it was last changed (UTC)."
    )

    dataset: Mapped[Dataset] = relationship(back_populates="maps", lazy="raise")
