"""Jobs as clients see them; procrastinate's own tables live in schema `procrastinate` and are never read by the API."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from loaders.tables.axion_sense_tasks.base import AxionSenseTasks
from loaders.tables.columns import BigInt, Json, Uuid7Key
from loaders.tables.idempotency_key import IdempotencyKeyTable
from loaders.tables.words import one_of

FINAL_STATES = ("succeeded", "failed", "cancelled")
STATES = ("queued", "running", *FINAL_STATES)


class Job(AxionSenseTasks):
    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint(
            "(state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="finished_at"
        ),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        CheckConstraint("attempts >= 0", name="attempts"),
        Index("ix_jobs_subject_created_at", "subject", "created_at"),
        Index("ix_jobs_created_at", "created_at"),
        Index(
            "ix_jobs_state_heartbeat_at",
            "state",
            "heartbeat_at",
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
        Index("ix_jobs_finished_at", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
        Index("ix_jobs_procrastinate_job_id", "procrastinate_job_id"),
        {"schema": "public", "comment": "Background jobs, one row each, from request to final state."},
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the job (UUIDv7).")
    kind: Mapped[str] = mapped_column(comment="What the job does, such as `table_profile_refresh`.")
    state: Mapped[str] = mapped_column(
        server_default="queued",
        comment="State of the job: `queued`, `running`, `succeeded`, `failed` or `cancelled`; "
        "the last three are final.",
    )
    subject: Mapped[str] = mapped_column(comment="Subject (`sub`) of the user who started the job.")
    arguments: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="Arguments that the job was started with."
    )
    result: Mapped[Json | None] = mapped_column(comment="Result of the job; null unless it succeeded.")
    error: Mapped[Json | None] = mapped_column(comment="Why the job failed: code and message.")
    progress: Mapped[float | None] = mapped_column(comment="Share of the work done, 0 to 1; null if unknown.")
    message: Mapped[str | None] = mapped_column(comment="Progress message, for people to read.")
    attempts: Mapped[int] = mapped_column(server_default="0", comment="How many times a worker has started the job.")
    procrastinate_job_id: Mapped[BigInt | None] = mapped_column(
        comment="Id of the job in procrastinate's queue; null until it is queued there."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the job was requested (UTC).")
    started_at: Mapped[datetime | None] = mapped_column(comment="When a worker first started the job (UTC).")
    finished_at: Mapped[datetime | None] = mapped_column(comment="When the job reached its final state (UTC).")
    heartbeat_at: Mapped[datetime | None] = mapped_column(
        comment="When the worker last reported that it is working on the job (UTC)."
    )
    cancel_requested_at: Mapped[datetime | None] = mapped_column(comment="When somebody asked to cancel the job (UTC).")
    sequence: Mapped[BigInt] = mapped_column(server_default="0", comment="Sequence number of the job's newest event.")

    events: Mapped[list["JobEvent"]] = relationship(back_populates="job", lazy="raise", order_by="JobEvent.sequence")


class JobEvent(AxionSenseTasks):
    __tablename__ = "job_events"
    __table_args__ = (
        CheckConstraint("sequence > 0", name="sequence"),
        {
            "schema": "public",
            "comment": "Events of jobs, numbered per job, so that subscriptions can resume after any of them.",
        },
    )

    job_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("public.jobs.id", ondelete="CASCADE"), primary_key=True, comment="Job that the event belongs to."
    )
    sequence: Mapped[int] = mapped_column(
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="Sequence number of the event within its job, from 1 without gaps.",
    )
    kind: Mapped[str] = mapped_column(comment="Kind of event, such as `state` or `progress`.")
    payload: Mapped[Json] = mapped_column(server_default=text("'{}'"), comment="What changed, as an object.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the event happened (UTC).")

    job: Mapped[Job] = relationship(back_populates="events", lazy="raise")


class IdempotencyKey(IdempotencyKeyTable, AxionSenseTasks):
    """Jobs started and cancelled under an `Idempotency-Key`."""
