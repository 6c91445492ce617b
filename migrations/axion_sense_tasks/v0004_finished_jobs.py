"""Finished jobs are found by when they ended, to be removed."""

import sqlalchemy as sa
from alembic import op

revision = "0004_finished_jobs"
down_revision = "0003_idempotency_keys"


def upgrade() -> None:
    op.create_index(
        "ix_jobs_finished_at",
        "jobs",
        ["finished_at"],
        schema="public",
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
