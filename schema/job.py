"""Jobs: background work that a client starts, watches and cancels."""

from loaders.tables.axion_sense_tasks import jobs
from resolvers.permissions.guards import Own
from schema.job_state import JobState
from schema.mapping.declare import column, table_type


@table_type(jobs.Job, store="axion_sense_tasks", guard=Own("subject", "id"))
class Job:
    """Background work. Visible to the user who started it and to administrators; watched with `jobUpdated`."""

    kind = column()
    state = column("The state of the job; `SUCCEEDED`, `FAILED` and `CANCELLED` are final.", enum=JobState)
    progress = column()
    message = column()
    arguments = column()
    result = column()
    error = column()
    attempts = column()
    created_at = column()
    started_at = column()
    finished_at = column()
    cancel_requested_at = column()
    sequence = column("Number of the newest event, to pass as `after` to `jobUpdated`.")
