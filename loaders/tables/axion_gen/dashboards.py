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
    name: Mapped[str] = mapped_column(comment="Name of the folder, unique among its owner's folders.")
    description: Mapped[str | None] = mapped_column(comment="What the dashboards of the folder have in common.")
    position: Mapped[int] = mapped_column(server_default="0", comment="Sort position among the folders, lowest first.")
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
    name: Mapped[str] = mapped_column(comment="Name of the dashboard, unique among its owner's dashboards.")
    description: Mapped[str | None] = mapped_column(comment="What the dashboard shows, and for whom.")
    visibility: Mapped[str] = mapped_column(
        server_default="private",
        comment="Who can see it: `private` its owner, `dataset` also everyone who can see its "
        "dataset, `everyone` all users.",
    )
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="SET NULL"), comment="Dataset that the dashboard is mainly about."
    )
    dashboard_group_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.dashboard_groups.id", ondelete="SET NULL"), comment="Folder that the dashboard is shown in."
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
        server_default="UTC", comment="IANA time zone of its time buckets, such as `Europe/Berlin`."
    )
    refresh_seconds: Mapped[int | None] = mapped_column(
        comment="Seconds after which an open dashboard is refreshed, at least 5; null means never.",
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
        {
            "schema": "public",
            "comment": "Widgets of dashboards: a query of a remote table, with its chart and position.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the widget (UUIDv7).")
    dashboard_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.dashboards.id", ondelete="CASCADE"), comment="Dashboard it is on."
    )
    title: Mapped[str] = mapped_column(comment="Title, shown above the widget.")
    description: Mapped[str | None] = mapped_column(comment="How to read the widget.")
    kind: Mapped[str] = mapped_column(comment=f"How the widget is drawn: {named(WIDGET_KINDS)}.")
    x: Mapped[int] = mapped_column(
        SmallInteger, server_default="0", comment="Grid column of the widget's left edge, from 0."
    )
    y: Mapped[int] = mapped_column(
        SmallInteger, server_default="0", comment="Grid row of the widget's top edge, from 0."
    )
    width: Mapped[int] = mapped_column(SmallInteger, server_default="6", comment="Width of the widget in grid columns.")
    height: Mapped[int] = mapped_column(SmallInteger, server_default="4", comment="Height of the widget in grid rows.")
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"),
        comment="Dataset that the widget queries; null only for `text`.",
    )
    table_name: Mapped[str | None] = mapped_column(comment="Table that the widget queries; null only for `text`.")
    query: Mapped[Json | None] = mapped_column(
        comment="The query: `select` for rows, or `measures`, `groupBy` and `over` for groups; "
        "`where`, `orderBy` and `limit`."
    )
    content: Mapped[str | None] = mapped_column(comment="Text of a `text` widget, in Markdown.")
    options: Mapped[Json] = mapped_column(
        JSONB,
        server_default="{}",
        comment="Display options, such as colours, axes and formats. Their shape is up to the client.",
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
        {"schema": "public", "comment": "Filters that readers of a dashboard can set, and the widgets they apply to."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the filter (UUIDv7).")
    dashboard_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.dashboards.id", ondelete="CASCADE"), comment="Dashboard it is on."
    )
    name: Mapped[str] = mapped_column(comment="Name by which queries set the filter, unique on its dashboard.")
    label: Mapped[str | None] = mapped_column(comment="Label to show; null means the name of the filter.")
    kind: Mapped[str] = mapped_column(comment=f"Kind of value that the filter takes: {named(FILTER_KINDS)}.")
    column_name: Mapped[str] = mapped_column(comment="Column of the widgets' tables that the filter compares.")
    operator: Mapped[str] = mapped_column(
        server_default="eq", comment=f"How the filter compares the column with its value: {named(OPERATORS)}."
    )
    default_value: Mapped[Json | None] = mapped_column(
        comment="Default value: a list for `in` and `notIn`, a pair for `between`; null means none."
    )
    is_required: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether the widgets it applies to are queried only if it has a value."
    )
    targets: Mapped[Json | None] = mapped_column(
        comment="Widgets it applies to: objects with `widgetId` and `column`; null means all "
        "whose table has its column."
    )
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset that its choices are read from."
    )
    table_name: Mapped[str | None] = mapped_column(comment="Table that its choices are read from.")
    parent_filter_id: Mapped[uuid.UUID | None] = mapped_column(
        comment="Filter of the same dashboard whose value narrows its choices."
    )
    position: Mapped[int] = mapped_column(server_default="0", comment="Sort position among the filters, lowest first.")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class TableFilter(AxionGen):
    __tablename__ = "table_filters"
    __table_args__ = (
        CheckConstraint(one_of("kind", FILTER_KINDS), name="kind"),
        CheckConstraint(one_of("operator", OPERATORS), name="operator"),
        UniqueConstraint("dataset_id", "table_name", "column_name", "operator"),
        {"schema": "public", "comment": "Optional and required filters of remote tables."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the filter (UUIDv7).")
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the filtered table."
    )
    table_name: Mapped[str] = mapped_column(comment="Name of the filtered table.")
    column_name: Mapped[str] = mapped_column(comment="Column that the filter compares.")
    kind: Mapped[str] = mapped_column(comment=f"Kind of value that the filter takes: {named(FILTER_KINDS)}.")
    operator: Mapped[str] = mapped_column(
        server_default="eq", comment=f"How the filter compares the column with its value: {named(OPERATORS)}."
    )
    label: Mapped[str | None] = mapped_column(comment="Label to show; null means the name of the column.")
    description: Mapped[str | None] = mapped_column(comment="What the filter is for.")
    default_value: Mapped[Json | None] = mapped_column(
        comment="Default value: a list for `in` and `notIn`, a pair for `between`; null means none."
    )
    is_required: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether queries of the table must restrict the column as the filter does."
    )
    position: Mapped[int] = mapped_column(
        server_default="0", comment="Sort position among the table's filters, lowest first."
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
