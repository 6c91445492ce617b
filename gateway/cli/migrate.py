"""`axion migrate`: one-shot, idempotent, non-zero when anything fails."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

import deploy
from gateway.cli.configuration import load_settings
from gateway.cli.failure import CommandFailed

if TYPE_CHECKING:
    from gateway.settings import Settings
    from migrations.targets import Targets

AUTHORIZATION_MODEL = Path(deploy.__file__).parent / "openfga" / "model.json"


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
    from migrations.targets import Database, DatabaseName, OpenFga, Targets

    names: tuple[DatabaseName, ...] = get_args(DatabaseName)
    databases = {}
    for name in names:
        urls = getattr(settings.databases, name)
        databases[name] = Database.of_urls(
            app_url=urls.app_url.get_secret_value(),
            worker_url=urls.worker_url.get_secret_value(),
            migrate_url=urls.migrate_url.get_secret_value(),
        )
    admin, fga = settings.postgres.admin_url, settings.openfga
    return Targets(
        databases=databases,
        admin_url=admin.get_secret_value() if admin else None,
        openfga=OpenFga(
            url=fga.url,
            store_name=fga.store,
            token=fga.token.get_secret_value() if fga.token else None,
            model_json=AUTHORIZATION_MODEL,
        ),
    )
