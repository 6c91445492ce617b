"""Data sources, datasets, their groups and maps, and the cache of table profiles."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP, UUID

revision = "0002_catalog"
down_revision = "0001_identity"


def upgrade() -> None:
    op.create_table(
        "data_sources",
        sa.Column("id", UUID(), nullable=False, comment="Key of the data source (UUIDv7)."),
        sa.Column(
            "name", sa.Text(), nullable=False, comment="Name of the data source, unique; permissions refer to it."
        ),
        sa.Column("description", sa.Text(), comment="What the data source holds."),
        sa.Column(
            "connector_type",
            sa.Text(),
            nullable=False,
            comment="Connector that speaks to it, such as `clickhouse` or `s3_parquet`.",
        ),
        sa.Column(
            "options",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Settings of the connector that are not secret, such as host and database.",
        ),
        sa.Column("encrypted_credentials", BYTEA(), comment="AES-256-GCM ciphertext of the secret settings."),
        sa.Column("nonce", BYTEA(), comment="Nonce of the encryption, 12 bytes, fresh for each write."),
        sa.Column("tag", BYTEA(), comment="Authentication tag of the encryption, 16 bytes."),
        sa.Column("key_version", sa.Integer(), comment="Version of the key the credentials are encrypted with."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was last changed (UTC).",
        ),
        sa.CheckConstraint(
            "num_nulls(encrypted_credentials, nonce, tag, key_version) IN (0, 4)",
            name="ck_data_sources_encrypted_together",
        ),
        sa.CheckConstraint(
            "octet_length(nonce) = 12 AND octet_length(tag) = 16", name="ck_data_sources_encrypted_sizes"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_data_sources"),
        sa.UniqueConstraint("name", name="uq_data_sources_name"),
        schema="public",
        comment="Remote warehouses whose tables are queried in place.",
    )
    op.create_index("ix_data_sources_key_version", "data_sources", ["key_version"], schema="public")

    op.create_table(
        "dataset_groups",
        sa.Column("id", UUID(), nullable=False, comment="Key of the group (UUIDv7)."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the group; unique."),
        sa.Column("description", sa.Text(), comment="What the datasets of the group have in common."),
        sa.Column(
            "position",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Place among the groups, smallest first.",
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was last changed (UTC).",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_groups"),
        sa.UniqueConstraint("name", name="uq_dataset_groups_name"),
        schema="public",
        comment="Folders that datasets are shown in.",
    )

    op.create_table(
        "datasets",
        sa.Column("id", UUID(), nullable=False, comment="Key of the dataset (UUIDv7)."),
        sa.Column("data_source_id", UUID(), nullable=False, comment="Data source the tables are in."),
        sa.Column("dataset_group_id", UUID(), comment="Group the dataset is shown in."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the dataset, unique within its data source."),
        sa.Column("description", sa.Text(), comment="What the tables are about."),
        sa.Column(
            "remote_schema",
            sa.Text(),
            comment="Schema, database or folder of the tables in the data source; null means the source's default.",
        ),
        sa.Column(
            "table_names",
            sa.ARRAY(sa.Text()),
            comment="Names of the tables that belong to the dataset; null means all of the schema.",
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was last changed (UTC).",
        ),
        sa.ForeignKeyConstraint(
            ["data_source_id"], ["public.data_sources.id"], name="fk_datasets_data_source_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_group_id"], ["public.dataset_groups.id"], name="fk_datasets_dataset_group_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.UniqueConstraint("data_source_id", "name", name="uq_datasets_data_source_id_name"),
        schema="public",
        comment="Logical sets of tables of one data source.",
    )
    op.create_index("ix_datasets_dataset_group_id", "datasets", ["dataset_group_id"], schema="public")

    op.create_table(
        "dataset_maps",
        sa.Column("id", UUID(), nullable=False, comment="Key of the map (UUIDv7), part of the bundle's S3 key."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset of the mapped table."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Table the tiles are made from."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the map, unique within its table."),
        sa.Column("geometry_column", sa.Text(), nullable=False, comment="Column of the table that is drawn."),
        sa.Column(
            "min_zoom", sa.SmallInteger(), server_default="0", nullable=False, comment="Smallest zoom level, 0 to 24."
        ),
        sa.Column(
            "max_zoom", sa.SmallInteger(), server_default="14", nullable=False, comment="Largest zoom level, 0 to 24."
        ),
        sa.Column("built_at", TIMESTAMP(timezone=True), comment="When the bundle was last built (UTC); null if never."),
        sa.Column("size_bytes", sa.BigInteger(), comment="Size of the bundle in bytes; null if never built."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was last changed (UTC).",
        ),
        sa.CheckConstraint(
            "min_zoom BETWEEN 0 AND 24 AND max_zoom BETWEEN min_zoom AND 24", name="ck_dataset_maps_zoom"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_dataset_maps_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_maps"),
        sa.UniqueConstraint("dataset_id", "table_name", "name", name="uq_dataset_maps_dataset_id_table_name_name"),
        schema="public",
        comment="Vector tile bundles of a table: tiles/{dataset id}/{table name}/{map id}.pmtiles on S3.",
    )

    op.create_table(
        "table_profile_cache",
        sa.Column("id", UUID(), nullable=False, comment="Key of the profile (UUIDv7)."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset of the profiled table."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Name of the profiled table."),
        sa.Column(
            "columns", JSONB(), nullable=False, comment="Columns of the table, in order: name, type, nullability."
        ),
        sa.Column("row_count", sa.BigInteger(), comment="Number of rows; null if the source does not know."),
        sa.Column(
            "statistics",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Statistics by column name, such as distinct values, minimum and maximum.",
        ),
        sa.Column(
            "sample_values",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="A few values by column name.",
        ),
        sa.Column(
            "refreshed_at", TIMESTAMP(timezone=True), nullable=False, comment="When the table was profiled (UTC)."
        ),
        sa.CheckConstraint("row_count >= 0", name="ck_table_profile_cache_row_count"),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_table_profile_cache_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_table_profile_cache"),
        sa.UniqueConstraint("dataset_id", "table_name", name="uq_table_profile_cache_dataset_id_table_name"),
        schema="public",
        comment="Columns, statistics and sample values of remote tables, as last refreshed.",
    )
