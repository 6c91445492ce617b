"""Knowledge-base articles and semantic metrics, in versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0009_articles_and_metrics"
down_revision = "0008_favorites_and_curation"


def upgrade() -> None:
    op.create_table(
        "dkb_article_versions",
        sa.Column("id", UUID(), nullable=False, comment="Key of the version (UUIDv7)."),
        sa.Column("article_id", UUID(), nullable=False, comment="The article, the same in all its versions."),
        sa.Column(
            "version", sa.Integer(), server_default="1", nullable=False, comment="Number of the version, from 1."
        ),
        sa.Column(
            "is_current",
            sa.Boolean(),
            server_default=sa.true(),
            nullable=False,
            comment="Whether it is the article as it stands; no version of a withdrawn one is.",
        ),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset it explains."),
        sa.Column("table_name", sa.Text(), comment="Table it explains; null means the whole dataset."),
        sa.Column("title", sa.Text(), nullable=False, comment="Title of the article."),
        sa.Column("body", sa.Text(), nullable=False, comment="Text of the article, in Markdown."),
        sa.Column(
            "tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False, comment="Words it is found by."
        ),
        sa.Column("author_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who wrote this version."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.CheckConstraint("version >= 1", name="ck_dkb_article_versions_version"),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_dkb_article_versions_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dkb_article_versions"),
        sa.UniqueConstraint("article_id", "version", name="uq_dkb_article_versions_article_id_version"),
        schema="public",
        comment="Articles of datasets' knowledge bases: each edit is a row, none is changed.",
    )
    op.create_index(
        "ix_dkb_article_versions_current",
        "dkb_article_versions",
        ["article_id"],
        schema="public",
        unique=True,
        postgresql_where=sa.text("is_current"),
    )
    op.create_index("ix_dkb_article_versions_dataset_id", "dkb_article_versions", ["dataset_id"], schema="public")

    op.create_table(
        "dataset_semantic_metrics",
        sa.Column("id", UUID(), nullable=False, comment="Key of the version (UUIDv7)."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset it is a figure of."),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="Name it is queried by, unique within its dataset: lower case, digits and underscores.",
        ),
        sa.Column(
            "version", sa.Integer(), server_default="1", nullable=False, comment="Number of the version, from 1."
        ),
        sa.Column(
            "is_current",
            sa.Boolean(),
            server_default=sa.true(),
            nullable=False,
            comment="Whether it is the metric as it stands; no version of a withdrawn one is.",
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="Name to show."),
        sa.Column("description", sa.Text(), comment="What it means, and how it is to be read."),
        sa.Column("unit", sa.Text(), comment="Unit of its value, such as `min`."),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="How it is made: `simple`, `ratio`, `derived`, `cumulative`."
        ),
        sa.Column(
            "table_name", sa.Text(), comment="Table a `simple` metric aggregates; the others are made of metrics."
        ),
        sa.Column(
            "grain",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Columns that make a row of its table unique: a join that repeats them would multiply it.",
        ),
        sa.Column("time_column", sa.Text(), comment="Column it is followed through time by."),
        sa.Column(
            "dimensions",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Columns it may be grouped by.",
        ),
        sa.Column(
            "definition",
            JSONB(),
            nullable=False,
            comment=(
                "By kind: `measure` and `where`; `numerator` and `denominator`; `expression` and `metrics`;"
                " `metric`, `window` and `grainToDate`."
            ),
        ),
        sa.Column("author_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who wrote this version."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.CheckConstraint(
            "kind IN ('simple', 'ratio', 'derived', 'cumulative')", name="ck_dataset_semantic_metrics_kind"
        ),
        sa.CheckConstraint(
            "(kind = 'simple') = (table_name IS NOT NULL)", name="ck_dataset_semantic_metrics_kind_table_name"
        ),
        sa.CheckConstraint("name ~ '^[a-z][a-z0-9_]{0,62}$'", name="ck_dataset_semantic_metrics_name"),
        sa.CheckConstraint("version >= 1", name="ck_dataset_semantic_metrics_version"),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_dataset_semantic_metrics_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_semantic_metrics"),
        sa.UniqueConstraint(
            "dataset_id", "name", "version", name="uq_dataset_semantic_metrics_dataset_id_name_version"
        ),
        schema="public",
        comment="Named figures of datasets: each change is a new version, none is changed.",
    )
    op.create_index(
        "ix_dataset_semantic_metrics_current",
        "dataset_semantic_metrics",
        ["dataset_id", "name"],
        schema="public",
        unique=True,
        postgresql_where=sa.text("is_current"),
    )
