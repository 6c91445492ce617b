"""A job and its events as values."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import orjson

from loaders.tables.axion_sense_tasks.jobs import FINAL_STATES

JsonObject = dict[str, object]


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self.value in FINAL_STATES


class EventKind(StrEnum):
    """`payload` of each: STATE `{state, attempt}` plus `error` and, when it is tried again, `retryInSeconds`;
    PROGRESS `{progress, message}`; CANCEL_REQUESTED `{}`."""

    STATE = "state"
    PROGRESS = "progress"
    CANCEL_REQUESTED = "cancel_requested"


@dataclass(frozen=True, slots=True)
class Job:
    """A row of `jobs`. `sequence` is the number of its newest event, `attempts` how often a worker has started it."""

    id: uuid.UUID
    kind: str
    state: State
    subject: str
    arguments: JsonObject
    result: JsonObject | None
    error: JsonObject | None
    progress: float | None
    message: str | None
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    sequence: int


JOB_COLUMNS = tuple(Job.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class JobEvent:
    job_id: uuid.UUID
    sequence: int
    kind: EventKind
    payload: JsonObject
    created_at: datetime

    @property
    def is_final(self) -> bool:
        """The job reached its final state with this event; no event follows it."""
        return self.kind is EventKind.STATE and State(str(self.payload["state"])).is_final


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The job when the watch began; its events follow from `job.sequence` on."""

    job: Job

    @property
    def is_final(self) -> bool:
        """The job had ended before; nothing follows."""
        return self.job.state.is_final


class Row(Protocol):
    def __getitem__(self, column: str, /) -> Any: ...


def job_of(row: Row) -> Job:
    """From a row of asyncpg (JSON as text) or of SQLAlchemy (JSON parsed)."""
    values: dict[str, Any] = {name: row[name] for name in JOB_COLUMNS}
    for name in ("arguments", "result", "error"):
        values[name] = _parsed(values[name])
    return Job(**{**values, "state": State(values["state"])})


def event_of(row: Row) -> JobEvent:
    kind, payload = EventKind(row["kind"]), _parsed(row["payload"])
    return JobEvent(row["job_id"], row["sequence"], kind, payload, row["created_at"])


def _parsed(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value
