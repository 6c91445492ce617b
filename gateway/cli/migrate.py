"""`axion migrate`: one-shot, idempotent, non-zero when anything fails."""

from typing import TYPE_CHECKING, Annotated, get_args

import typer

from gateway.cli.configuration import load_settings
from gateway.cli.failure import CommandFailed

if TYPE_CHECKING:
    from gateway.settings import Settings
    from migrations.targets import Targets


def migrate(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="all, roles, clickhouse, openfga or a database")
    ] = "all",
) -> None:
    """Brings databases, roles, ClickHouse and the permission model up to date."""
    from migrations.errors import MigrationError
    from migrations.runner import run
    from migrations.targets import Target

    known: tuple[Target, ...] = get_args(Target)
    chosen = next((name for name in known if name == target), None)
    if chosen is None:
        raise typer.BadParameter(f"{target!r} is none of {', '.join(known)}")
    settings = load_settings()
    try:
        for report in run(chosen, targets(settings)):
            typer.echo(str(report))
    except MigrationError as error:
        raise CommandFailed(str(error)) from error


def targets(settings: "Settings") -> "Targets":
    """The settings as the migrations want them. Raises `migrations.errors.TargetInvalid`."""
    from migrations.targets import Database, DatabaseName, Targets

    names: tuple[DatabaseName, ...] = get_args(DatabaseName)
    databases = {}
    for name in names:
        urls = getattr(settings.databases, name)
        databases[name] = Database.of_urls(
            app_url=urls.app_url.get_secret_value(),
            worker_url=urls.worker_url.get_secret_value(),
            migrate_url=urls.migrate_url.get_secret_value(),
        )
    admin = settings.postgres.admin_url
    return Targets(databases=databases, admin_url=admin.get_secret_value() if admin else None)
