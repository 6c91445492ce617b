"""The frozen copy of the queue's schema equals the installed release's, until a revision adds the difference."""

from procrastinate.schema import SchemaManager

from migrations.axion_sense_tasks.v0001_procrastinate import SCHEMA_SQL


def test_schema_is_the_installed_release() -> None:
    assert SCHEMA_SQL.read_text(encoding="utf-8") == SchemaManager.get_schema(), (
        "procrastinate's schema changed: add a revision with its sql/migrations since 3.10.0, then compare with that"
    )
