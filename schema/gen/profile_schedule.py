from loaders.tables.axion_gen import profile_schedules
from resolvers.permissions.guards import Relation, Visible
from schema.mapping.declare import column, table_type, to_one

_ADMINS = Relation("dataset", "can_admin", "dataset_id")


@table_type(
    profile_schedules.TableProfileSchedule, store="axion_gen", guard=Visible("dataset", "can_view_table", "dataset_id")
)
class GenTableProfileSchedule:
    """When a remote table is profiled again, and what came of it. For who may see the rows of the dataset's tables."""

    table_name = column()
    cron = column()
    time_zone = column()
    every_minutes = column()
    refresh = column(
        "What each refresh is asked for, as in the arguments of its job. For the dataset's administrators.",
        guard=_ADMINS,
    )
    owner_subject = column(
        "Subject of who set it: its jobs act as them. For the dataset's administrators.", guard=_ADMINS
    )
    next_run_at = column()
    paused_at = column()
    pause_reason = column()
    last_run_at = column()
    last_skipped_at = column()
    last_state = column()
    last_error = column(
        "Why the last job failed, or why there is no next one: code and message. For the dataset's administrators.",
        guard=_ADMINS,
    )
    created_at = column()
    updated_at = column()
    dataset = to_one("GenDataset", local="dataset_id", description="The dataset of the table.")
    last_job = to_one("Job", local="last_job_id", description="The job it started last, if it is yours to see.")
