"""Gen curation, search and semantics: what people say about remote tables, and what their figures mean."""

import uuid

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.columns import CreatedAt, Json, UpdatedAt, Uuid7Key
from loaders.tables.uuid7 import uuid7
from loaders.tables.words import named, one_of

METRIC_KINDS = ("simple", "ratio", "derived", "cumulative")


class CurationOverride(AxionGen):
    __tablename__ = "curation_overrides"
    __table_args__ = (
        UniqueConstraint("dataset_id", "table_name", "column_name", postgresql_nulls_not_distinct=True),
        {
            "schema": "public",
            "comment": "Overrides of how remote tables and columns are shown: name, description, format, visibility.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the override (UUIDv7).")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the curated table."
    )
    table_name: Mapped[str] = mapped_column(comment="Name of the curated table.")
    column_name: Mapped[str | None] = mapped_column(comment="Name of the curated column; null means the table itself.")
    display_name: Mapped[str | None] = mapped_column(comment="Name to show; null means the engine's name.")
    description: Mapped[str | None] = mapped_column(
        comment="Description of the table or column; null means the engine's comment."
    )
    is_hidden: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether the table or column is hidden from everyone, in lists and in queries."
    )
    unit: Mapped[str | None] = mapped_column(comment="Unit of the values, such as `min` or `km/h`.")
    format: Mapped[str | None] = mapped_column(comment="Display format of the values, such as `0.0` or `YYYY-MM-DD`.")
    semantic_type: Mapped[str | None] = mapped_column(
        comment="Semantic type of the values, such as `airport`, `currency` or `latitude`."
    )
    position: Mapped[int | None] = mapped_column(
        comment="Sort position among the dataset's tables or the table's columns; null means the engine's order."
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class ArticleVersion(AxionGen):
    __tablename__ = "dkb_article_versions"
    __table_args__ = (
        UniqueConstraint("article_id", "version"),
        Index("ix_dkb_article_versions_current", "article_id", unique=True, postgresql_where=text("is_current")),
        Index("ix_dkb_article_versions_dataset_id", "dataset_id"),
        CheckConstraint("version >= 1", name="version"),
        {"schema": "public", "comment": "Versions of the articles in datasets' knowledge bases: each edit adds a row."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the version (UUIDv7).")
    article_id: Mapped[uuid.UUID] = mapped_column(
        default=uuid7, comment="Id of the article, the same in all its versions."
    )
    version: Mapped[int] = mapped_column(server_default="1", comment="Number of the version, from 1.")
    is_current: Mapped[bool] = mapped_column(
        server_default=true(),
        comment="Whether this is the current version of the article; a withdrawn article has none.",
    )
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset that the article explains."
    )
    table_name: Mapped[str | None] = mapped_column(
        comment="Table that the article explains; null means the whole dataset."
    )
    title: Mapped[str] = mapped_column(comment="Title of the article.")
    body: Mapped[str] = mapped_column(comment="Text of the article, in Markdown.")
    tags: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Keywords of the article."
    )
    author_subject: Mapped[str] = mapped_column(comment="Subject (`sub`) of the user who wrote this version.")
    created_at: Mapped[CreatedAt]


class SemanticMetric(AxionGen):
    __tablename__ = "dataset_semantic_metrics"
    __table_args__ = (
        UniqueConstraint("dataset_id", "name", "version"),
        Index(
            "ix_dataset_semantic_metrics_current",
            "dataset_id",
            "name",
            unique=True,
            postgresql_where=text("is_current"),
        ),
        CheckConstraint(one_of("kind", METRIC_KINDS), name="kind"),
        CheckConstraint("name ~ '^[a-z][a-z0-9_]{0,62}$'", name="name"),
        CheckConstraint("(kind = 'simple') = (table_name IS NOT NULL)", name="kind_table_name"),
        CheckConstraint("version >= 1", name="version"),
        {"schema": "public", "comment": "Versions of the semantic metrics of datasets: each change adds a row."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the version (UUIDv7).")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the metric."
    )
    name: Mapped[str] = mapped_column(
        comment="Name used in queries, unique within the dataset: lower-case letters, digits and underscores."
    )
    version: Mapped[int] = mapped_column(server_default="1", comment="Number of the version, from 1.")
    is_current: Mapped[bool] = mapped_column(
        server_default=true(), comment="Whether this is the current version of the metric; a withdrawn metric has none."
    )
    title: Mapped[str] = mapped_column(comment="Name to show.")
    description: Mapped[str | None] = mapped_column(comment="What the metric means, and how to interpret it.")
    unit: Mapped[str | None] = mapped_column(comment="Unit of the metric's value, such as `min`.")
    kind: Mapped[str] = mapped_column(comment=f"How the metric is defined: {named(METRIC_KINDS)}.")
    table_name: Mapped[str | None] = mapped_column(
        comment="Table that a `simple` metric aggregates; null for the other kinds, which combine metrics."
    )
    grain: Mapped[list[str]] = mapped_column(
        ARRAY(Text),
        server_default=text("'{}'"),
        comment="Columns that together identify a row of the metric's table.",
    )
    time_column: Mapped[str | None] = mapped_column(
        comment="Time column, by which the metric is grouped into time buckets."
    )
    dimensions: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Columns that the metric may be grouped by."
    )
    definition: Mapped[Json] = mapped_column(
        comment="Definition by kind. `simple`: `measure`, `where`, `joins`, `names`; `ratio`: `numerator`, "
        "`denominator`; `derived`: `expression`, `metrics`; `cumulative`: `metric`, `window`, `grainToDate`."
    )
    author_subject: Mapped[str] = mapped_column(comment="Subject (`sub`) of the user who wrote this version.")
    created_at: Mapped[CreatedAt]
