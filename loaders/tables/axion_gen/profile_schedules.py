"""When remote tables are profiled again, and what came of it."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.columns import CreatedAt, Json, UpdatedAt, Uuid7Key


class TableProfileSchedule(AxionGen):
    __tablename__ = "table_profile_schedules"
    __table_args__ = (
        UniqueConstraint("dataset_id", "table_name"),
        Index("ix_table_profile_schedules_owner_subject", "owner_subject"),
        Index("ix_table_profile_schedules_next_run_at", "next_run_at"),
        Index(
            "ix_table_profile_schedules_last_job_id",
            "last_job_id",
            postgresql_where=text("last_job_id IS NOT NULL AND last_state IS NULL"),
        ),
        CheckConstraint("num_nonnulls(cron, every_minutes) = 1", name="recurrence"),
        CheckConstraint("(cron IS NULL) = (time_zone IS NULL)", name="time_zone"),
        CheckConstraint("every_minutes BETWEEN 5 AND 527040", name="every_minutes"),
        CheckConstraint("(paused_at IS NULL) = (pause_reason IS NULL)", name="paused"),
        CheckConstraint("last_state IN ('succeeded', 'failed', 'cancelled')", name="last_state"),
        {"schema": "public", "comment": "Schedules by which remote tables are profiled, at most one per table."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the schedule (UUIDv7).")
    owner_subject: Mapped[str] = mapped_column(
        ForeignKey("public.users.external_auth_id", ondelete="CASCADE", onupdate="CASCADE"),
        comment="Subject (`sub`) of the user who set the schedule. Its jobs act as that user.",
    )
    dataset_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.datasets.id", ondelete="CASCADE"), comment="Dataset of the table."
    )
    table_name: Mapped[str] = mapped_column(comment="Name of the table, as the engine has it.")
    cron: Mapped[str | None] = mapped_column(
        comment="Cron expression: minute, hour, day of month, month, day of week. Null if the schedule has an interval."
    )
    time_zone: Mapped[str | None] = mapped_column(
        comment="IANA time zone of the cron expression, such as `Europe/Zurich`; null if the schedule has an interval."
    )
    every_minutes: Mapped[int | None] = mapped_column(
        comment="Interval between refreshes in minutes, 5 to 527,040 (366 days); null if the "
        "schedule has a cron expression."
    )
    refresh: Mapped[Json] = mapped_column(
        server_default=text("'{}'"),
        comment="Options of each refresh, as in the arguments of its job: `sampleRows`, `where`, "
        "`excludeColumns`, `maxBytes`.",
    )
    next_run_at: Mapped[datetime | None] = mapped_column(
        comment="When the next refresh is due (UTC); null if there is none."
    )
    last_run_at: Mapped[datetime | None] = mapped_column(comment="When the schedule last started a job (UTC).")
    last_skipped_at: Mapped[datetime | None] = mapped_column(
        comment="When the schedule last skipped a refresh, because another one of the table was still running (UTC)."
    )
    last_job_id: Mapped[uuid.UUID | None] = mapped_column(
        comment="Job that the schedule started last; null if there is none."
    )
    last_state: Mapped[str | None] = mapped_column(
        comment="Final state of the last job: `succeeded`, `failed` or `cancelled`; null until it has ended."
    )
    last_error: Mapped[Json | None] = mapped_column(
        comment="Why the last job failed, or why there is no next refresh: code and message."
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    paused_at: Mapped[datetime | None] = mapped_column(
        comment="When the schedule was paused (UTC); null while it is active. Setting or resuming it ends the pause."
    )
    pause_reason: Mapped[str | None] = mapped_column(comment="Why the schedule is paused, and what to do about it.")
