"""Schemas, extensions and privileges of each database (reference/postgresql-platform.md, "Roles & grants").

All privileges are here: those on every table of a schema, and those on single objects, which the revisions make.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from migrations.targets import DatabaseName

HISTORY_SCHEMA = "migrations"
"""Holds `alembic_version`. Only the migrate role may look into it."""

PARTMAN_SCHEMA = "partman"

READ_WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Extension:
    name: str
    schema: str = "public"


@dataclass(frozen=True, slots=True)
class Grant:
    """`GRANT {privileges} ON {on} TO` the database's app or worker role, after its newest revision."""

    privileges: str
    on: str
    to: Literal["app", "worker"]


@dataclass(frozen=True, slots=True)
class Layout:
    """`history` is the folder of revisions in `migrations/`; the privileges are those on every table of `schemas`.

    `search_path` is set on the database. `guests` are databases whose worker role is let in as this one's worker.
    """

    history: str
    schemas: tuple[str, ...] = ("public",)
    extensions: tuple[Extension, ...] = ()
    app_privileges: tuple[str, ...] = READ_WRITE
    worker_privileges: tuple[str, ...] = READ_WRITE
    search_path: tuple[str, ...] = ("public",)
    guests: tuple[DatabaseName, ...] = ()
    grants: tuple[Grant, ...] = ()


LAYOUTS: Mapping[DatabaseName, Layout] = {
    "axion_sense": Layout(
        "axion_sense",
        schemas=("public", "road_data", "planner", "external"),
        extensions=(Extension("postgis"), Extension("pg_partman", PARTMAN_SCHEMA)),
        grants=(Grant("EXECUTE", on="FUNCTION road_data.run_partition_maintenance()", to="worker"),),
    ),
    "axion_sense_tasks": Layout(
        "axion_sense_tasks",
        schemas=("public", "procrastinate"),
        app_privileges=(),
        search_path=("public", "procrastinate"),
        guests=("axion_sense",),
        grants=(
            # Deferring inserts with the caller's privileges, and so do the triggers that log events.
            Grant("SELECT, INSERT", on="procrastinate.procrastinate_jobs", to="app"),
            Grant("INSERT", on="procrastinate.procrastinate_events", to="app"),
            Grant("USAGE", on="SEQUENCE procrastinate.procrastinate_jobs_id_seq", to="app"),
            Grant("USAGE", on="SEQUENCE procrastinate.procrastinate_events_id_seq", to="app"),
            # What a job is and did is the worker's to say; the app asks for it, and asks to cancel it.
            Grant("SELECT, INSERT, UPDATE", on="public.jobs", to="app"),
            Grant("SELECT, INSERT", on="public.job_events", to="app"),
            Grant("SELECT, INSERT, UPDATE, DELETE", on="public.idempotency_keys", to="app"),
        ),
    ),
    "axion_gen": Layout("axion_gen"),
    "auradb": Layout("aura", extensions=(Extension("vector"),)),
    "powernode": Layout("powernode", extensions=(Extension("vector"),)),
}
