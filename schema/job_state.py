"""The states of a job."""

from loaders.jobs.job import State
from schema.mapping.enums import described_enum

JobState = described_enum(
    State,
    "JobState",
    "The state of a job. The payloads of events write it in lower case.",
    {
        State.QUEUED: "The job waits for a worker.",
        State.RUNNING: "A worker runs the job.",
        State.SUCCEEDED: "The job has ended with a result.",
        State.FAILED: "The job has ended with an error.",
        State.CANCELLED: "The job was cancelled on request.",
    },
)
