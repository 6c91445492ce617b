"""Gen dashboards: their folders, widgets and filters, and the filters that reads of a remote table take or need."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen, OwnerSubject
from loaders.tables.columns import CreatedAt, Json, UpdatedAt, Uuid7Key
from loaders.tables.words import named, one_of

OPERATORS = ("eq", "ne", "in", "notIn", "lt", "lte", "gt", "gte", "between", "isNull", "like", "ilike", "startsWith")
FILTER_KINDS = ("text", "number", "boolean", "date", "time_range", "select")
WIDGET_KINDS = ("table", "number", "bar", "line", "area", "pie", "scatter", "heatmap", "map", "text")
VISIBILITIES = ("private", "dataset", "everyone")


class DashboardGroup(AxionGen):
    __tablename__ = "dashboard_groups"
    __table_args__ = (
        UniqueConstraint("owner_subject", "name"),
        {"schema": "public", "comment": "Folders that dashboards are shown in."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the folder (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    name: Mapped[str] = mapped_column(comment="Name of the folder, unique among its owner's.")
    description: Mapped[str | None] = mapped_column(comment="What its dashboards have in common.")
    position: Mapped[int] = mapped_column(server_default="0", comment="Place among the folders, smallest first.")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class Dashboard(AxionGen):
    __tablename__ = "dashboards"
    __table_args__ = (
        CheckConstraint(one_of("visibility", VISIBILITIES), name="visibility"),
        CheckConstraint("visibility <> 'dataset' OR dataset_id IS NOT NULL", name="shared_dataset_id"),
        CheckConstraint("columns BETWEEN 1 AND 48", name="columns"),
        CheckConstraint("row_height BETWEEN 8 AND 400", name="row_height"),
        CheckConstraint("refresh_seconds >= 5", name="refresh_seconds"),
        UniqueConstraint("owner_subject", "name"),
        Index("ix_dashboards_dataset_id", "dataset_id"),
        Index("ix_dashboards_dashboard_group_id", "dashboard_group_id"),
        {"schema": "public", "comment": "Dashboards: widgets over remote tables, arranged on a grid."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the dashboard (UUIDv7).")
    owner_subject: Mapped[OwnerSubject]
    name: Mapped[str] = mapped_column(comment="Name of the dashboard, unique among its owner's.")
    description: Mapped[str | None] = mapped_column(comment="What it shows, and to whom it is useful.")
    visibility: Mapped[str] = mapped_column(
        server_default="private",
        comment="Who sees it: `private` its owner, `dataset` who sees its dataset too, `everyone` all who sign in.",
    )
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="SET NULL"), comment="Dataset it is mainly about."
    )
    dashboard_group_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.dashboard_groups.id", ondelete="SET NULL"), comment="Folder it is shown in."
    )
    columns: Mapped[int] = mapped_column(
        SmallInteger,
        server_default="12",
        comment="Width of its grid in columns, 1 to 48.",
    )
    row_height: Mapped[int] = mapped_column(
        SmallInteger,
        server_default="40",
        comment="Height of a row of its grid in pixels, 8 to 400.",
    )
    time_zone: Mapped[str] = mapped_column(
        server_default="UTC", comment="IANA time zone its time buckets are counted in, such as `Europe/Berlin`."
    )
    refresh_seconds: Mapped[int | None] = mapped_column(
        comment="Seconds after which an open dashboard asks anew, at least 5; null means never.",
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class DashboardWidget(AxionGen):
    __tablename__ = "dashboard_widgets"
    __table_args__ = (
        CheckConstraint(one_of("kind", WIDGET_KINDS), name="kind"),
        CheckConstraint("num_nulls(dataset_id, table_name, query) IN (0, 3)", name="whole_query"),
        CheckConstraint("(kind = 'text') = (query IS NULL)", name="kind_query"),
        CheckConstraint("x >= 0 AND width >= 1 AND x + width <= 48", name="width"),
        CheckConstraint("y >= 0 AND height >= 1", name="height"),
        Index("ix_dashboard_widgets_dashboard_id", "dashboard_id"),
        Index("ix_dashboard_widgets_dataset_id", "dataset_id"),
        {"schema": "public", "comment": "Widgets of dashboards: a query of a remote table, how it is drawn and where."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the widget (UUIDv7).")
    dashboard_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.dashboards.id", ondelete="CASCADE"), comment="Dashboard it is on."
    )
    title: Mapped[str] = mapped_column(comment="What is written above it.")
    description: Mapped[str | None] = mapped_column(comment="How it is to be read.")
    kind: Mapped[str] = mapped_column(comment=f"How it is drawn: {named(WIDGET_KINDS)}.")
    x: Mapped[int] = mapped_column(SmallInteger, server_default="0", comment="Leftmost column of the grid, from 0.")
    y: Mapped[int] = mapped_column(SmallInteger, server_default="0", comment="Topmost row of the grid, from 0.")
    width: Mapped[int] = mapped_column(SmallInteger, server_default="6", comment="Width in columns of the grid.")
    height: Mapped[int] = mapped_column(SmallInteger, server_default="4", comment="Height in rows of the grid.")
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset it asks; null only for `text`."
    )
    table_name: Mapped[str | None] = mapped_column(comment="Table of the dataset it asks; null only for `text`.")
    query: Mapped[Json | None] = mapped_column(
        comment="What it asks: `select` of rows, or `measures` and `groupBy`; with `where`, `orderBy` and `limit`."
    )
    content: Mapped[str | None] = mapped_column(comment="Text of a `text` widget, in Markdown.")
    options: Mapped[Json] = mapped_column(
        JSONB, server_default="{}", comment="How it is drawn: colours, axes, formats, as the client understands them."
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class DashboardFilter(AxionGen):
    __tablename__ = "dashboard_filters"
    __table_args__ = (
        CheckConstraint(one_of("kind", FILTER_KINDS), name="kind"),
        CheckConstraint(one_of("operator", OPERATORS), name="operator"),
        CheckConstraint("(dataset_id IS NULL) = (table_name IS NULL)", name="table_name"),
        CheckConstraint("parent_filter_id <> id", name="parent_filter_id"),
        UniqueConstraint("dashboard_id", "name"),
        UniqueConstraint("dashboard_id", "id"),
        ForeignKeyConstraint(
            ["dashboard_id", "parent_filter_id"],
            ["public.dashboard_filters.dashboard_id", "public.dashboard_filters.id"],
            ondelete="SET NULL (parent_filter_id)",
        ),
        Index("ix_dashboard_filters_dashboard_id_parent_filter_id", "dashboard_id", "parent_filter_id"),
        Index("ix_dashboard_filters_dataset_id", "dataset_id"),
        {"schema": "public", "comment": "Filters a reader of a dashboard sets, and the widgets they apply to."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the filter (UUIDv7).")
    dashboard_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.dashboards.id", ondelete="CASCADE"), comment="Dashboard it is on."
    )
    name: Mapped[str] = mapped_column(comment="Name its value is given by, unique on its dashboard.")
    label: Mapped[str | None] = mapped_column(comment="What is written beside it; its name unless given.")
    kind: Mapped[str] = mapped_column(comment=f"What is entered: {named(FILTER_KINDS)}.")
    column_name: Mapped[str] = mapped_column(comment="Column of the widgets' tables it compares.")
    operator: Mapped[str] = mapped_column(server_default="eq", comment=f"How it compares: {named(OPERATORS)}.")
    default_value: Mapped[Json | None] = mapped_column(
        comment="Its value until one is entered, a list for `in`, a pair for `between`; null means none."
    )
    is_required: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether widgets wait until it has a value."
    )
    targets: Mapped[Json | None] = mapped_column(
        comment="Widgets it applies to, objects of `widgetId` and `column`; null means all that have its column."
    )
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset its choices are read from."
    )
    table_name: Mapped[str | None] = mapped_column(comment="Table of that dataset its choices are read from.")
    parent_filter_id: Mapped[uuid.UUID | None] = mapped_column(
        comment="Filter of the same dashboard whose value narrows its choices."
    )
    position: Mapped[int] = mapped_column(server_default="0", comment="Place among the filters, smallest first.")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class TableFilter(AxionGen):
    __tablename__ = "table_filters"
    __table_args__ = (
        CheckConstraint(one_of("kind", FILTER_KINDS), name="kind"),
        CheckConstraint(one_of("operator", OPERATORS), name="operator"),
        UniqueConstraint("dataset_id", "table_name", "column_name", "operator"),
        {"schema": "public", "comment": "Filters of remote tables: what their readers may or must narrow them by."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the filter (UUIDv7).")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the filtered table."
    )
    table_name: Mapped[str] = mapped_column(comment="Name of the filtered table.")
    column_name: Mapped[str] = mapped_column(comment="Column of the table it compares.")
    kind: Mapped[str] = mapped_column(comment=f"What is entered: {named(FILTER_KINDS)}.")
    operator: Mapped[str] = mapped_column(server_default="eq", comment=f"How it compares: {named(OPERATORS)}.")
    label: Mapped[str | None] = mapped_column(comment="What is written beside it; its column unless given.")
    description: Mapped[str | None] = mapped_column(comment="What it is good for.")
    default_value: Mapped[Json | None] = mapped_column(
        comment="Its value until one is entered, a list for `in`, a pair for `between`; null means none."
    )
    is_required: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether the table is answered only with a value for it, such as a time range."
    )
    position: Mapped[int] = mapped_column(server_default="0", comment="Place among the table's filters.")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
