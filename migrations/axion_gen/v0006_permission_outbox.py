"""Permission tuples follow from rows: flags and assignments of roles, and the outbox that delivers them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0006_permission_outbox"
down_revision = "0005_dashboards"


def upgrade() -> None:
    _flags()
    _assignments()
    _outbox()


def _flags() -> None:
    """Columns after the existing ones; the built-in roles get what the reference seeds them with."""
    for flag, comment in (
        ("has_admin_datasource", "Whether its holders administer the data sources it is assigned to."),
        ("has_view_dataset", "Whether its holders see the datasets it is assigned to."),
        ("has_view_table", "Whether its holders see the tables, and their rows, it is assigned to."),
    ):
        op.add_column(
            "roles",
            sa.Column(flag, sa.Boolean(), server_default=sa.false(), nullable=False, comment=comment),
            schema="public",
        )
    op.execute(
        "UPDATE public.roles SET has_admin_datasource = id = 1, has_view_dataset = true, has_view_table = true"
        " WHERE id IN (1, 2)"
    )


def _assignments() -> None:
    op.create_table(
        "role_assignments",
        sa.Column("id", UUID(as_uuid=True), nullable=False, comment="Key of the assignment (UUIDv7)."),
        sa.Column("role_id", sa.BigInteger(), nullable=False, comment="The role that is assigned."),
        sa.Column("resource_type", sa.Text(), nullable=False, comment="`system`, `datasource`, `dataset` or `table`."),
        sa.Column("data_source_id", UUID(as_uuid=True), comment="The data source; null unless it is one."),
        sa.Column(
            "dataset_id",
            UUID(as_uuid=True),
            comment="The dataset, or that of the table; null for other resources.",
        ),
        sa.Column("table_name", sa.Text(), comment="The table within the dataset; null unless it is one."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was assigned (UTC).",
        ),
        sa.CheckConstraint(
            """CASE resource_type
            WHEN 'system' THEN num_nonnulls(data_source_id, dataset_id, table_name) = 0
            WHEN 'datasource' THEN data_source_id IS NOT NULL AND num_nonnulls(dataset_id, table_name) = 0
            WHEN 'dataset' THEN dataset_id IS NOT NULL AND num_nonnulls(data_source_id, table_name) = 0
            WHEN 'table' THEN num_nonnulls(dataset_id, table_name) = 2 AND data_source_id IS NULL
            ELSE false END""",
            name=op.f("ck_role_assignments_resource"),
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["public.roles.id"], name="fk_role_assignments_role_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["data_source_id"], ["public.data_sources.id"], name="fk_role_assignments_data_source_id"
        ),
        sa.ForeignKeyConstraint(["dataset_id"], ["public.datasets.id"], name="fk_role_assignments_dataset_id"),
        sa.PrimaryKeyConstraint("id", name="pk_role_assignments"),
        sa.UniqueConstraint(
            "role_id",
            "resource_type",
            "data_source_id",
            "dataset_id",
            "table_name",
            name="uq_role_assignments_resource",
            postgresql_nulls_not_distinct=True,
        ),
        schema="public",
        comment="Resources a role is assigned to: there, and below, its flags hold.",
    )
    for column in ("data_source_id", "dataset_id"):
        op.create_index(f"ix_role_assignments_{column}", "role_assignments", [column], schema="public")


def _outbox() -> None:
    op.create_table(
        "openfga_outbox",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Sequence of the entry: those of one object are delivered by it.",
        ),
        sa.Column(
            "object", sa.Text(), nullable=False, comment="Object of all tuples of the entry, such as `role:100`."
        ),
        sa.Column(
            "deletes", JSONB(), nullable=False, comment="Tuples to delete, before those to write; at most 100 in all."
        ),
        sa.Column(
            "writes", JSONB(), nullable=False, comment="Tuples to write: user, relation, object, perhaps a condition."
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the rows changed (UTC).",
        ),
        sa.Column(
            "next_attempt_at",
            TIMESTAMP(timezone=True),
            server_default=sa.text("now() + '00:00:02'::interval"),
            nullable=False,
            comment="From when on the worker delivers it (UTC); before, the request that made it does.",
        ),
        sa.Column(
            "attempts", sa.Integer(), server_default="0", nullable=False, comment="How often delivery has failed."
        ),
        sa.Column("last_error", sa.Text(), comment="Why it failed last."),
        sa.Column(
            "delivered_at",
            TIMESTAMP(timezone=True),
            comment="When OpenFGA took it (UTC); null if it has not.",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_openfga_outbox"),
        schema="public",
        comment="Permission tuples written with the rows they follow from, for OpenFGA.",
    )
    op.create_index(
        "ix_openfga_outbox_object_undelivered",
        "openfga_outbox",
        ["object", "id"],
        schema="public",
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.create_index(
        "ix_openfga_outbox_delivered_at",
        "openfga_outbox",
        ["delivered_at"],
        schema="public",
        postgresql_where=sa.text("delivered_at IS NOT NULL"),
    )
