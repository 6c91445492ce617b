"""Jobs as clients see them, and their events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0002_jobs"
down_revision = "0001_procrastinate"


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", UUID(), nullable=False, comment="Key of the job (UUIDv7)."),
        sa.Column("kind", sa.Text(), nullable=False, comment="What the job does, such as `table_profile_refresh`."),
        sa.Column(
            "state",
            sa.Text(),
            server_default="queued",
            nullable=False,
            comment="`queued`, `running`, `succeeded`, `failed` or `cancelled`; the last three are final.",
        ),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="Who started the job: the external authentication id of a user.",
        ),
        sa.Column(
            "arguments",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What the job was asked to do.",
        ),
        sa.Column("result", JSONB(), comment="What the job found or made, once succeeded."),
        sa.Column("error", JSONB(), comment="Why the job failed: code and message."),
        sa.Column("progress", sa.Double(), comment="Share of the work done, 0 to 1; null if unknown."),
        sa.Column("message", sa.Text(), comment="What the job is doing, for people."),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="How many times a worker has started the job.",
        ),
        sa.Column("procrastinate_job_id", sa.BigInteger(), comment="Id of the job in the queue; null until deferred."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the job was asked for (UTC).",
        ),
        sa.Column("started_at", TIMESTAMP(timezone=True), comment="When a worker first started the job (UTC)."),
        sa.Column("finished_at", TIMESTAMP(timezone=True), comment="When the job reached its final state (UTC)."),
        sa.Column("heartbeat_at", TIMESTAMP(timezone=True), comment="When the worker last said it is at work (UTC)."),
        sa.Column(
            "cancel_requested_at", TIMESTAMP(timezone=True), comment="When somebody asked to cancel the job (UTC)."
        ),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Sequence number of the job's newest event.",
        ),
        sa.CheckConstraint(
            "(state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="ck_jobs_finished_at"
        ),
        sa.CheckConstraint("state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="ck_jobs_state"),
        sa.CheckConstraint("attempts >= 0", name="ck_jobs_attempts"),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name="ck_jobs_progress"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        schema="public",
        comment="Work done outside of a request: one row per job, from start to final state.",
    )
    op.create_index("ix_jobs_created_at", "jobs", ["created_at"], schema="public")
    op.create_index("ix_jobs_procrastinate_job_id", "jobs", ["procrastinate_job_id"], schema="public")
    op.create_index(
        "ix_jobs_state_heartbeat_at",
        "jobs",
        ["state", "heartbeat_at"],
        schema="public",
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index("ix_jobs_subject_created_at", "jobs", ["subject", "created_at"], schema="public")

    op.create_table(
        "job_events",
        sa.Column("job_id", UUID(), nullable=False, comment="The job."),
        sa.Column(
            "sequence",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="Place of the event in its job, from 1 without gaps.",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="What happened, such as `state` or `progress`."),
        sa.Column("payload", JSONB(), server_default=sa.text("'{}'"), nullable=False, comment="What changed."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it happened (UTC).",
        ),
        sa.CheckConstraint("sequence > 0", name="ck_job_events_sequence"),
        sa.ForeignKeyConstraint(["job_id"], ["public.jobs.id"], name="fk_job_events_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "sequence", name="pk_job_events"),
        schema="public",
        comment="What happened to a job, in order; subscriptions resume from a sequence number.",
    )
