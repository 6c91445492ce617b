"""Profiles say what they are of; every refresh is kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID

revision = "0014_profile_history"
down_revision = "0013_oauth"

_BASIS = "basis IN ('metadata', 'table', 'partition', 'sample')"


def upgrade() -> None:
    for column in _found():
        op.add_column("table_profile_cache", column, schema="public")
    op.create_check_constraint("ck_table_profile_cache_basis", "table_profile_cache", _BASIS, schema="public")
    _create_versions()


def _found() -> list[sa.Column[object]]:
    """What profiles have, and their versions as well."""
    return [
        sa.Column(
            "version",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="Number of the refresh of this table, from 1.",
        ),
        sa.Column(
            "byte_count",
            sa.BigInteger(),
            comment="Stored size in bytes by the engine's metadata; null if they are silent.",
        ),
        sa.Column(
            "basis",
            sa.Text(),
            server_default="table",
            nullable=False,
            comment="What the figures are of: `table` all rows, `partition` the rows that match the condition, "
            "`sample` some of them, `metadata` none.",
        ),
        sa.Column(
            "profiled_rows",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Number of rows the figures were computed from.",
        ),
        sa.Column(
            "estimated_bytes",
            sa.BigInteger(),
            comment="Bytes that reading was estimated at before it was done; null if the engine cannot tell.",
        ),
        sa.Column(
            "excluded_columns",
            ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Columns that were not read.",
        ),
        sa.Column(
            "drift",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Columns added, removed and retyped since the version before.",
        ),
    ]


def _create_versions() -> None:
    op.create_table(
        "table_profile_versions",
        sa.Column("id", UUID(), nullable=False, comment="Key of the version (UUIDv7)."),
        sa.Column("profile_id", UUID(), nullable=False, comment="Profile it is a version of."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset of the profiled table."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Name of the profiled table."),
        sa.Column(
            "job_id", UUID(), nullable=False, comment="Job that found it: a repeated one writes no second version."
        ),
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
            "refreshed_at", TIMESTAMP(timezone=True), nullable=False, comment="When the table was profiled (UTC)."
        ),
        *_found(),
        sa.CheckConstraint("row_count >= 0", name="ck_table_profile_versions_row_count"),
        sa.CheckConstraint(_BASIS, name="ck_table_profile_versions_basis"),
        sa.ForeignKeyConstraint(
            ["profile_id"],
            ["public.table_profile_cache.id"],
            name="fk_table_profile_versions_profile_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_table_profile_versions_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_table_profile_versions"),
        sa.UniqueConstraint("profile_id", "version", name="uq_table_profile_versions_profile_id_version"),
        sa.UniqueConstraint("job_id", name="uq_table_profile_versions_job_id"),
        schema="public",
        comment="Every refresh of a table's profile, without sample values; none is changed.",
    )
    op.create_index("ix_table_profile_versions_dataset_id", "table_profile_versions", ["dataset_id"], schema="public")
