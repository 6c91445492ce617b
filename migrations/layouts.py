"""Schemas, extensions and privileges of each database (reference/postgresql-platform.md, "Roles & grants").

Tables and what the app role may do in a schema where it holds less than the default are in the revisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

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


LAYOUTS: Mapping[DatabaseName, Layout] = {
    "axion_sense": Layout(
        "axion_sense",
        schemas=("public", "road_data", "planner", "external"),
        extensions=(Extension("postgis"), Extension("pg_partman", PARTMAN_SCHEMA)),
    ),
    "axion_sense_tasks": Layout(
        "axion_sense_tasks",
        schemas=("public", "procrastinate"),
        app_privileges=(),
        search_path=("public", "procrastinate"),
        guests=("axion_sense",),
    ),
    "axion_gen": Layout("axion_gen"),
    "auradb": Layout("aura", extensions=(Extension("vector"),)),
    "powernode": Layout("powernode", extensions=(Extension("vector"),)),
}
