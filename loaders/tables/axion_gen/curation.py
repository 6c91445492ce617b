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
        {"schema": "public", "comment": "How remote tables and columns are shown, where it is not as the engine says."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the override (UUIDv7).")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the curated table."
    )
    table_name: Mapped[str] = mapped_column(comment="Name of the curated table.")
    column_name: Mapped[str | None] = mapped_column(comment="Name of the curated column; null means the table itself.")
    display_name: Mapped[str | None] = mapped_column(comment="Name to show; null means the engine's.")
    description: Mapped[str | None] = mapped_column(comment="What it holds; null means the engine's comment.")
    is_hidden: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether it is left out where tables and columns are offered."
    )
    unit: Mapped[str | None] = mapped_column(comment="Unit of the values, such as `min` or `km/h`.")
    format: Mapped[str | None] = mapped_column(comment="How values are written, such as `0.0` or `YYYY-MM-DD`.")
    semantic_type: Mapped[str | None] = mapped_column(
        comment="What the values are to people, such as `airport`, `currency` or `latitude`."
    )
    position: Mapped[int | None] = mapped_column(comment="Place among its siblings; null means the engine's order.")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class ArticleVersion(AxionGen):
    __tablename__ = "dkb_article_versions"
    __table_args__ = (
        UniqueConstraint("article_id", "version"),
        Index("ix_dkb_article_versions_current", "article_id", unique=True, postgresql_where=text("is_current")),
        Index("ix_dkb_article_versions_dataset_id", "dataset_id"),
        CheckConstraint("version >= 1", name="version"),
        {"schema": "public", "comment": "Articles of datasets' knowledge bases: each edit is a row, none is changed."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the version (UUIDv7).")
    article_id: Mapped[uuid.UUID] = mapped_column(default=uuid7, comment="The article, the same in all its versions.")
    version: Mapped[int] = mapped_column(server_default="1", comment="Number of the version, from 1.")
    is_current: Mapped[bool] = mapped_column(
        server_default=true(), comment="Whether it is the article as it stands; no version of a withdrawn one is."
    )
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset it explains."
    )
    table_name: Mapped[str | None] = mapped_column(comment="Table it explains; null means the whole dataset.")
    title: Mapped[str] = mapped_column(comment="Title of the article.")
    body: Mapped[str] = mapped_column(comment="Text of the article, in Markdown.")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"), comment="Words it is found by.")
    author_subject: Mapped[str] = mapped_column(comment="Subject (`sub`) of who wrote this version.")
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
        {"schema": "public", "comment": "Named figures of datasets: each change is a new version, none is changed."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the version (UUIDv7).")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset it is a figure of."
    )
    name: Mapped[str] = mapped_column(
        comment="Name it is queried by, unique within its dataset: lower case, digits and underscores."
    )
    version: Mapped[int] = mapped_column(server_default="1", comment="Number of the version, from 1.")
    is_current: Mapped[bool] = mapped_column(
        server_default=true(), comment="Whether it is the metric as it stands; no version of a withdrawn one is."
    )
    title: Mapped[str] = mapped_column(comment="Name to show.")
    description: Mapped[str | None] = mapped_column(comment="What it means, and how it is to be read.")
    unit: Mapped[str | None] = mapped_column(comment="Unit of its value, such as `min`.")
    kind: Mapped[str] = mapped_column(comment=f"How it is made: {named(METRIC_KINDS)}.")
    table_name: Mapped[str | None] = mapped_column(
        comment="Table a `simple` metric aggregates; the others are made of metrics."
    )
    grain: Mapped[list[str]] = mapped_column(
        ARRAY(Text),
        server_default=text("'{}'"),
        comment="Columns that make a row of its table unique: a join that repeats them would multiply it.",
    )
    time_column: Mapped[str | None] = mapped_column(comment="Column it is followed through time by.")
    dimensions: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="Columns it may be grouped by."
    )
    definition: Mapped[Json] = mapped_column(
        comment="By kind: `measure` and `where`; `numerator` and `denominator`; `expression` and `metrics`; "
        "`metric`, `window` and `grainToDate`."
    )
    author_subject: Mapped[str] = mapped_column(comment="Subject (`sub`) of who wrote this version.")
    created_at: Mapped[CreatedAt]
