"""Profiles are refreshed on a schedule."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0015_profile_schedules"
down_revision = "0014_profile_history"

_TABLE = "table_profile_schedules"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", UUID(), nullable=False, comment="Key of the schedule (UUIDv7)."),
        sa.Column(
            "owner_subject",
            sa.Text(),
            nullable=False,
            comment="Subject (`sub`) of who set it: its jobs act as them.",
        ),
        sa.Column("dataset_id", UUID(), nullable=False, comment="Dataset of the table."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Name of the table, as the engine has it."),
        sa.Column(
            "cron",
            sa.Text(),
            comment="Minute, hour, day of the month, month and day of the week, as cron has them; null with an "
            "interval.",
        ),
        sa.Column(
            "time_zone",
            sa.Text(),
            comment="Zone of the clock that `cron` is read by, such as `Europe/Zurich`; null with an interval.",
        ),
        sa.Column(
            "every_minutes",
            sa.Integer(),
            comment="Minutes from one refresh to the next: 5 to 527,040 (366 days); null with `cron`.",
        ),
        sa.Column(
            "refresh",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What each refresh is asked for, as in the arguments of its job: `sampleRows`, `where`, "
            "`excludeColumns`, `maxBytes`.",
        ),
        sa.Column(
            "next_run_at",
            TIMESTAMP(timezone=True),
            comment="When the table is profiled next (UTC); null when that is never again.",
        ),
        sa.Column("last_run_at", TIMESTAMP(timezone=True), comment="When it last started a job (UTC)."),
        sa.Column(
            "last_skipped_at",
            TIMESTAMP(timezone=True),
            comment="When it last started none, since a refresh of the table was still under way (UTC).",
        ),
        sa.Column("last_job_id", UUID(), comment="The job it started last; null before the first."),
        sa.Column(
            "last_state",
            sa.Text(),
            comment="How the last job ended: `succeeded`, `failed` or `cancelled`; null before it has.",
        ),
        sa.Column(
            "last_error",
            JSONB(),
            comment="Why the last job failed, or why there is no next one: code and message.",
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
        sa.CheckConstraint("num_nonnulls(cron, every_minutes) = 1", name=f"ck_{_TABLE}_recurrence"),
        sa.CheckConstraint("(cron IS NULL) = (time_zone IS NULL)", name=f"ck_{_TABLE}_time_zone"),
        sa.CheckConstraint("every_minutes BETWEEN 5 AND 527040", name=f"ck_{_TABLE}_every_minutes"),
        sa.CheckConstraint("last_state IN ('succeeded', 'failed', 'cancelled')", name=f"ck_{_TABLE}_last_state"),
        sa.ForeignKeyConstraint(
            ["owner_subject"],
            ["public.users.external_auth_id"],
            name=f"fk_{_TABLE}_owner_subject",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["public.datasets.id"], name=f"fk_{_TABLE}_dataset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{_TABLE}"),
        sa.UniqueConstraint("dataset_id", "table_name", name=f"uq_{_TABLE}_dataset_id_table_name"),
        schema="public",
        comment="When tables are profiled again: at most one schedule of a table.",
    )
    for column in ("owner_subject", "next_run_at"):
        op.create_index(f"ix_{_TABLE}_{column}", _TABLE, [column], schema="public")
    op.create_index(
        f"ix_{_TABLE}_last_job_id",
        _TABLE,
        ["last_job_id"],
        schema="public",
        postgresql_where=sa.text("last_job_id IS NOT NULL AND last_state IS NULL"),
    )
