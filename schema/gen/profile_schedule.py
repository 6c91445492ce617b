from loaders.tables.axion_gen import profile_schedules
from resolvers.permissions.guards import Relation, Visible
from schema.job_state import JobState
from schema.mapping.declare import column, table_type, to_one

_ADMINS = Relation("dataset", "can_admin", "dataset_id")


@table_type(
    profile_schedules.TableProfileSchedule, store="axion_gen", guard=Visible("dataset", "can_view_table", "dataset_id")
)
class GenTableProfileSchedule:
    """A schedule by which a remote table is profiled, and its last outcome. For those who may see the tables' rows."""

    table_name = column()
    cron = column()
    time_zone = column()
    every_minutes = column()
    refresh = column(
        "The options of each refresh, as in the arguments of its job. For the dataset's administrators.",
        guard=_ADMINS,
    )
    owner_subject = column(
        "Subject of the user who set it: its jobs act as that user. For the dataset's administrators.", guard=_ADMINS
    )
    next_run_at = column()
    paused_at = column()
    pause_reason = column()
    last_run_at = column()
    last_skipped_at = column()
    last_state = column("The final state of the last job; null until it has ended.", enum=JobState)
    last_error = column(
        "Why the last job failed, or why the schedule is paused: code and message. For the dataset's administrators.",
        guard=_ADMINS,
    )
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the table.")
    last_job = to_one("Job", local="last_job_id", description="The job it started last, if you may see it.")
