"""Favourites, curation, tooltips and agents' checkpoints."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0008_favorites_and_curation"
down_revision = "0007_audit_outbox"


def upgrade() -> None:
    op.create_table(
        "user_favorite_dashboards",
        sa.Column("id", UUID(), nullable=False, comment="Key of the mark (UUIDv7)."),
        sa.Column("owner_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who made it."),
        sa.Column("dashboard_id", UUID(), nullable=False, comment="The marked dashboard."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.ForeignKeyConstraint(
            ["dashboard_id"],
            ["public.dashboards.id"],
            name="fk_user_favorite_dashboards_dashboard_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name="fk_user_favorite_dashboards_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_user_favorite_dashboards"),
        sa.UniqueConstraint(
            "owner_subject", "dashboard_id", name="uq_user_favorite_dashboards_owner_subject_dashboard_id"
        ),
        schema="public",
        comment="Dashboards that users have marked as theirs to find again.",
    )
    op.create_index(
        "ix_user_favorite_dashboards_dashboard_id", "user_favorite_dashboards", ["dashboard_id"], schema="public"
    )

    op.create_table(
        "user_favorite_datasets",
        sa.Column("id", UUID(), nullable=False, comment="Key of the mark (UUIDv7)."),
        sa.Column("owner_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who made it."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="The marked dataset."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_user_favorite_datasets_dataset_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name="fk_user_favorite_datasets_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_user_favorite_datasets"),
        sa.UniqueConstraint("owner_subject", "dataset_id", name="uq_user_favorite_datasets_owner_subject_dataset_id"),
        schema="public",
        comment="Datasets that users have marked as theirs to find again.",
    )
    op.create_index("ix_user_favorite_datasets_dataset_id", "user_favorite_datasets", ["dataset_id"], schema="public")

    op.create_table(
        "user_favorite_tables",
        sa.Column("id", UUID(), nullable=False, comment="Key of the mark (UUIDv7)."),
        sa.Column("owner_subject", sa.Text(), nullable=False, comment="Subject (`sub`) of who made it."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset of the marked table."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Name of the marked table."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was added (UTC).",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_user_favorite_tables_dataset_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name="fk_user_favorite_tables_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_user_favorite_tables"),
        sa.UniqueConstraint(
            "owner_subject",
            "dataset_id",
            "table_name",
            name="uq_user_favorite_tables_owner_subject_dataset_id_table_name",
        ),
        schema="public",
        comment="Remote tables that users have marked as theirs to find again.",
    )
    op.create_index("ix_user_favorite_tables_dataset_id", "user_favorite_tables", ["dataset_id"], schema="public")

    op.create_table(
        "curation_overrides",
        sa.Column("id", UUID(), nullable=False, comment="Key of the override (UUIDv7)."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset of the curated table."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Name of the curated table."),
        sa.Column("column_name", sa.Text(), comment="Name of the curated column; null means the table itself."),
        sa.Column("display_name", sa.Text(), comment="Name to show; null means the engine's."),
        sa.Column("description", sa.Text(), comment="What it holds; null means the engine's comment."),
        sa.Column(
            "is_hidden",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether it is left out where tables and columns are offered.",
        ),
        sa.Column("unit", sa.Text(), comment="Unit of the values, such as `min` or `km/h`."),
        sa.Column("format", sa.Text(), comment="How values are written, such as `0.0` or `YYYY-MM-DD`."),
        sa.Column(
            "semantic_type",
            sa.Text(),
            comment="What the values are to people, such as `airport`, `currency` or `latitude`.",
        ),
        sa.Column("position", sa.Integer(), comment="Place among its siblings; null means the engine's order."),
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
            ["dataset_id"], ["public.datasets.id"], name="fk_curation_overrides_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_curation_overrides"),
        sa.UniqueConstraint(
            "dataset_id",
            "table_name",
            "column_name",
            name="uq_curation_overrides_dataset_id_table_name_column_name",
            postgresql_nulls_not_distinct=True,
        ),
        schema="public",
        comment="How remote tables and columns are shown, where it is not as the engine says.",
    )

    op.create_table(
        "tooltip_templates",
        sa.Column("id", UUID(), nullable=False, comment="Key of the template (UUIDv7)."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset of the table."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Table whose rows it shows."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the template, unique within its table."),
        sa.Column(
            "template",
            sa.Text(),
            nullable=False,
            comment="Markdown with columns in double braces, such as `{{origin}}`.",
        ),
        sa.Column(
            "column_names",
            sa.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Columns it shows, which a reader has to select.",
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
            ["dataset_id"], ["public.datasets.id"], name="fk_tooltip_templates_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tooltip_templates"),
        sa.UniqueConstraint("dataset_id", "table_name", "name", name="uq_tooltip_templates_dataset_id_table_name_name"),
        schema="public",
        comment="What is shown of a remote table's row when it is pointed at on a map or chart.",
    )

    op.create_table(
        "agent_discovery_checkpoints",
        sa.Column("id", UUID(), nullable=False, comment="Key of the checkpoint (UUIDv7)."),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset that is explored."),
        sa.Column("table_name", sa.Text(), comment="Table that is explored; null means the dataset."),
        sa.Column("agent", sa.Text(), nullable=False, comment="Name of the agent that explores it."),
        sa.Column(
            "status",
            sa.Text(),
            server_default="pending",
            nullable=False,
            comment="How it stands: `pending`, `running`, `done`, `failed`.",
        ),
        sa.Column("stage", sa.Text(), comment="What the agent was about to do."),
        sa.Column(
            "state", JSONB(), server_default=sa.text("'{}'"), nullable=False, comment="What the agent knows so far."
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
            "status IN ('pending', 'running', 'done', 'failed')", name="ck_agent_discovery_checkpoints_status"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name="fk_agent_discovery_checkpoints_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_agent_discovery_checkpoints"),
        sa.UniqueConstraint(
            "dataset_id",
            "table_name",
            "agent",
            name="uq_agent_discovery_checkpoints_dataset_id_table_name_agent",
            postgresql_nulls_not_distinct=True,
        ),
        schema="public",
        comment="How far agents have explored datasets, so that they go on where they stopped.",
    )
