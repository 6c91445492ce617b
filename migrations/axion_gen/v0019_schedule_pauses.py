"""A schedule whose user lost the right to it is paused, and says why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0019_schedule_pauses"
down_revision = "0018_token_revocations"

_TABLE = "table_profile_schedules"


def upgrade() -> None:
    op.add_column(
        _TABLE,
        sa.Column(
            "paused_at",
            TIMESTAMP(timezone=True),
            comment="When it was paused (UTC); null while it goes on. Setting or resuming it ends the pause.",
        ),
        schema="public",
    )
    op.add_column(
        _TABLE, sa.Column("pause_reason", sa.Text(), comment="Why it is paused, and what to do."), schema="public"
    )
    op.create_check_constraint(
        f"ck_{_TABLE}_paused", _TABLE, "(paused_at IS NULL) = (pause_reason IS NULL)", schema="public"
    )
