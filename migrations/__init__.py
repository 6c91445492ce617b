"""Migrations of every store: a history of revisions per database, and runners for what is not a database.

They read the tables (loaders/tables/) and nothing above them.
"""

from migrations.errors import MigrationError, MigrationFailed, TargetInvalid
from migrations.report import Report
from migrations.runner import run
from migrations.targets import Database, Target, Targets

__all__ = ["Database", "MigrationError", "MigrationFailed", "Report", "Target", "TargetInvalid", "Targets", "run"]
