"""Dashboards, their folders, widgets and filters, and the filters of remote tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0005_dashboards"
down_revision = "0004_idempotency_keys"


def upgrade() -> None:
    op.create_table(
        "dashboard_groups",
        sa.Column("id", UUID(), nullable=False, comment="Key of the folder (UUIDv7)."),
        sa.Column("owner_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who made it."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the folder, unique among its owner's."),
        sa.Column("description", sa.Text(), comment="What its dashboards have in common."),
        sa.Column(
            "position",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Place among the folders, smallest first.",
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
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name="fk_dashboard_groups_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dashboard_groups"),
        sa.UniqueConstraint("owner_subject", "name", name="uq_dashboard_groups_owner_subject_name"),
        schema="public",
        comment="Folders that dashboards are shown in.",
    )

    op.create_table(
        "dashboards",
        sa.Column("id", UUID(), nullable=False, comment="Key of the dashboard (UUIDv7)."),
        sa.Column("owner_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who made it."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the dashboard, unique among its owner's."),
        sa.Column("description", sa.Text(), comment="What it shows, and to whom it is useful."),
        sa.Column(
            "visibility",
            sa.Text(),
            server_default="private",
            nullable=False,
            comment=(
                "Who sees it: `private` its owner, `dataset` who sees its dataset too, `everyone` all who sign in."
            ),
        ),
        sa.Column("dataset_id", UUID(), comment="Dataset it is mainly about."),
        sa.Column("dashboard_group_id", UUID(), comment="Folder it is shown in."),
        sa.Column(
            "columns",
            sa.SmallInteger(),
            server_default="12",
            nullable=False,
            comment="Width of its grid in columns, 1 to 48.",
        ),
        sa.Column(
            "row_height",
            sa.SmallInteger(),
            server_default="40",
            nullable=False,
            comment="Height of a row of its grid in pixels, 8 to 400.",
        ),
        sa.Column(
            "time_zone",
            sa.Text(),
            server_default="UTC",
            nullable=False,
            comment="IANA time zone its time buckets are counted in, such as `Europe/Berlin`.",
        ),
        sa.Column(
            "refresh_seconds",
            sa.Integer(),
            comment="Seconds after which an open dashboard asks anew, at least 5; null means never.",
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
        sa.CheckConstraint("columns BETWEEN 1 AND 48", name="ck_dashboards_columns"),
        sa.CheckConstraint("refresh_seconds >= 5", name="ck_dashboards_refresh_seconds"),
        sa.CheckConstraint("row_height BETWEEN 8 AND 400", name="ck_dashboards_row_height"),
        sa.CheckConstraint("visibility <> 'dataset' OR dataset_id IS NOT NULL", name="ck_dashboards_shared_dataset_id"),
        sa.CheckConstraint("visibility IN ('private', 'dataset', 'everyone')", name="ck_dashboards_visibility"),
        sa.ForeignKeyConstraint(
            ["dashboard_group_id"],
            ["public.dashboard_groups.id"],
            name="fk_dashboards_dashboard_group_id",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_dashboards_dataset_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name="fk_dashboards_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dashboards"),
        sa.UniqueConstraint("owner_subject", "name", name="uq_dashboards_owner_subject_name"),
        schema="public",
        comment="Dashboards: widgets over remote tables, arranged on a grid.",
    )
    op.create_index("ix_dashboards_dashboard_group_id", "dashboards", ["dashboard_group_id"], schema="public")
    op.create_index("ix_dashboards_dataset_id", "dashboards", ["dataset_id"], schema="public")

    op.create_table(
        "dashboard_widgets",
        sa.Column("id", UUID(), nullable=False, comment="Key of the widget (UUIDv7)."),
        sa.Column("dashboard_id", UUID(), nullable=False, comment="Dashboard it is on."),
        sa.Column("title", sa.Text(), nullable=False, comment="What is written above it."),
        sa.Column("description", sa.Text(), comment="How it is to be read."),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment=(
                "How it is drawn: `table`, `number`, `bar`, `line`, `area`, `pie`, `scatter`, `heatmap`, `map`, `text`."
            ),
        ),
        sa.Column(
            "x", sa.SmallInteger(), server_default="0", nullable=False, comment="Leftmost column of the grid, from 0."
        ),
        sa.Column(
            "y", sa.SmallInteger(), server_default="0", nullable=False, comment="Topmost row of the grid, from 0."
        ),
        sa.Column(
            "width", sa.SmallInteger(), server_default="6", nullable=False, comment="Width in columns of the grid."
        ),
        sa.Column(
            "height", sa.SmallInteger(), server_default="4", nullable=False, comment="Height in rows of the grid."
        ),
        sa.Column("dataset_id", UUID(), comment="Dataset it asks; null only for `text`."),
        sa.Column("table_name", sa.Text(), comment="Table of the dataset it asks; null only for `text`."),
        sa.Column(
            "query",
            JSONB(),
            comment=(
                "What it asks: `select` of rows, or `measures` and `groupBy`; with `where`, `orderBy` and `limit`."
            ),
        ),
        sa.Column("content", sa.Text(), comment="Text of a `text` widget, in Markdown."),
        sa.Column(
            "options",
            JSONB(),
            server_default="{}",
            nullable=False,
            comment="How it is drawn: colours, axes, formats, as the client understands them.",
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
        sa.CheckConstraint("y >= 0 AND height >= 1", name="ck_dashboard_widgets_height"),
        sa.CheckConstraint(
            ("kind IN ('table', 'number', 'bar', 'line', 'area', 'pie', 'scatter', 'heatmap', 'map', 'text')"),
            name="ck_dashboard_widgets_kind",
        ),
        sa.CheckConstraint("(kind = 'text') = (query IS NULL)", name="ck_dashboard_widgets_kind_query"),
        sa.CheckConstraint(
            "num_nulls(dataset_id, table_name, query) IN (0, 3)", name="ck_dashboard_widgets_whole_query"
        ),
        sa.CheckConstraint("x >= 0 AND width >= 1 AND x + width <= 48", name="ck_dashboard_widgets_width"),
        sa.ForeignKeyConstraint(
            ["dashboard_id"], ["public.dashboards.id"], name="fk_dashboard_widgets_dashboard_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_dashboard_widgets_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dashboard_widgets"),
        schema="public",
        comment="Widgets of dashboards: a query of a remote table, how it is drawn and where.",
    )
    op.create_index("ix_dashboard_widgets_dashboard_id", "dashboard_widgets", ["dashboard_id"], schema="public")
    op.create_index("ix_dashboard_widgets_dataset_id", "dashboard_widgets", ["dataset_id"], schema="public")

    op.create_table(
        "dashboard_filters",
        sa.Column("id", UUID(), nullable=False, comment="Key of the filter (UUIDv7)."),
        sa.Column("dashboard_id", UUID(), nullable=False, comment="Dashboard it is on."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name its value is given by, unique on its dashboard."),
        sa.Column("label", sa.Text(), comment="What is written beside it; its name unless given."),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="What is entered: `text`, `number`, `boolean`, `date`, `time_range`, `select`.",
        ),
        sa.Column("column_name", sa.Text(), nullable=False, comment="Column of the widgets' tables it compares."),
        sa.Column(
            "operator",
            sa.Text(),
            server_default="eq",
            nullable=False,
            comment=(
                "How it compares: `eq`, `ne`, `in`, `notIn`, `lt`, `lte`, `gt`, `gte`, `between`, `isNull`,"
                " `like`, `ilike`, `startsWith`."
            ),
        ),
        sa.Column(
            "default_value",
            JSONB(),
            comment="Its value until one is entered, a list for `in`, a pair for `between`; null means none.",
        ),
        sa.Column(
            "is_required",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether widgets wait until it has a value.",
        ),
        sa.Column(
            "targets",
            JSONB(),
            comment=("Widgets it applies to, objects of `widgetId` and `column`; null means all that have its column."),
        ),
        sa.Column("dataset_id", UUID(), comment="Dataset its choices are read from."),
        sa.Column("table_name", sa.Text(), comment="Table of that dataset its choices are read from."),
        sa.Column("parent_filter_id", UUID(), comment="Filter of the same dashboard whose value narrows its choices."),
        sa.Column(
            "position",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Place among the filters, smallest first.",
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
        sa.CheckConstraint(
            "kind IN ('text', 'number', 'boolean', 'date', 'time_range', 'select')", name="ck_dashboard_filters_kind"
        ),
        sa.CheckConstraint(
            (
                "operator IN ('eq', 'ne', 'in', 'notIn', 'lt', 'lte', 'gt', 'gte', 'between', 'isNull', "
                "'like', 'ilike', 'startsWith')"
            ),
            name="ck_dashboard_filters_operator",
        ),
        sa.CheckConstraint("parent_filter_id <> id", name="ck_dashboard_filters_parent_filter_id"),
        sa.CheckConstraint("(dataset_id IS NULL) = (table_name IS NULL)", name="ck_dashboard_filters_table_name"),
        sa.ForeignKeyConstraint(
            ["dashboard_id"], ["public.dashboards.id"], name="fk_dashboard_filters_dashboard_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["dashboard_id", "parent_filter_id"],
            ["public.dashboard_filters.dashboard_id", "public.dashboard_filters.id"],
            name="fk_dashboard_filters_dashboard_id_parent_filter_id",
            ondelete="SET NULL (parent_filter_id)",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_dashboard_filters_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dashboard_filters"),
        sa.UniqueConstraint("dashboard_id", "id", name="uq_dashboard_filters_dashboard_id_id"),
        sa.UniqueConstraint("dashboard_id", "name", name="uq_dashboard_filters_dashboard_id_name"),
        schema="public",
        comment="Filters a reader of a dashboard sets, and the widgets they apply to.",
    )
    op.create_index(
        "ix_dashboard_filters_dashboard_id_parent_filter_id",
        "dashboard_filters",
        ["dashboard_id", "parent_filter_id"],
        schema="public",
    )
    op.create_index("ix_dashboard_filters_dataset_id", "dashboard_filters", ["dataset_id"], schema="public")

    op.create_table(
        "table_filters",
        sa.Column("id", UUID(), nullable=False, comment="Key of the filter (UUIDv7)."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset of the filtered table."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Name of the filtered table."),
        sa.Column("column_name", sa.Text(), nullable=False, comment="Column of the table it compares."),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="What is entered: `text`, `number`, `boolean`, `date`, `time_range`, `select`.",
        ),
        sa.Column(
            "operator",
            sa.Text(),
            server_default="eq",
            nullable=False,
            comment=(
                "How it compares: `eq`, `ne`, `in`, `notIn`, `lt`, `lte`, `gt`, `gte`, `between`, `isNull`,"
                " `like`, `ilike`, `startsWith`."
            ),
        ),
        sa.Column("label", sa.Text(), comment="What is written beside it; its column unless given."),
        sa.Column("description", sa.Text(), comment="What it is good for."),
        sa.Column(
            "default_value",
            JSONB(),
            comment="Its value until one is entered, a list for `in`, a pair for `between`; null means none.",
        ),
        sa.Column(
            "is_required",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether the table is answered only with a value for it, such as a time range.",
        ),
        sa.Column(
            "position", sa.Integer(), server_default="0", nullable=False, comment="Place among the table's filters."
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
        sa.CheckConstraint(
            "kind IN ('text', 'number', 'boolean', 'date', 'time_range', 'select')", name="ck_table_filters_kind"
        ),
        sa.CheckConstraint(
            (
                "operator IN ('eq', 'ne', 'in', 'notIn', 'lt', 'lte', 'gt', 'gte', 'between', 'isNull', "
                "'like', 'ilike', 'startsWith')"
            ),
            name="ck_table_filters_operator",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_table_filters_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_table_filters"),
        sa.UniqueConstraint(
            "dataset_id",
            "table_name",
            "column_name",
            "operator",
            name="uq_table_filters_dataset_id_table_name_column_name_operator",
        ),
        schema="public",
        comment="Filters of remote tables: what their readers may or must narrow them by.",
    )
