"""`axion migrate`: runs once, is idempotent, and exits non-zero when anything fails."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

import deploy
from gateway.cli.configuration import load_settings
from gateway.cli.failure import CommandFailed

if TYPE_CHECKING:
    from gateway.settings import Settings
    from migrations.targets import Targets

DEPLOY = Path(deploy.__file__).parent
BUCKET = "objects"
AUTHORIZATION_MODEL = DEPLOY / "openfga" / "model.json"
CLICKHOUSE_TABLES = DEPLOY / "clickhouse" / "init.sql"


def migrate(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="all, roles, clickhouse, openfga, objects or a database")
    ] = "all",
) -> None:
    """Brings databases, roles, ClickHouse, the permission model and the bucket up to date."""
    from migrations.errors import MigrationError
    from migrations.runner import run
    from migrations.targets import Target

    known: tuple[Target, ...] = get_args(Target)
    chosen = next((name for name in known if name == target), None)
    if chosen is None and target != BUCKET:
        raise typer.BadParameter(f"{target!r} is none of {', '.join((*known, BUCKET))}")
    settings = load_settings()
    if chosen is not None:
        try:
            run(chosen, targets(settings), tell=lambda report: typer.echo(str(report)))
        except MigrationError as error:
            raise CommandFailed(str(error)) from error
    if target in (BUCKET, "all"):
        asyncio.run(_ensure_bucket(settings))
        typer.echo(f"{BUCKET}: {settings.objects.bucket} is there")


async def _ensure_bucket(settings: "Settings") -> None:
    from loaders.errors import AxionError
    from loaders.objects.bucket import Objects

    at = settings.objects
    store = Objects.open(
        endpoint=at.endpoint,
        bucket=at.bucket,
        region=at.region,
        access_key=at.access_key.get_secret_value(),
        secret_key=at.secret_key.get_secret_value(),
    )
    try:
        await store.ensure_bucket()
    except AxionError as error:
        raise CommandFailed(f"{BUCKET}: {error}") from error
    finally:
        await store.close()


def targets(settings: "Settings") -> "Targets":
    """Converts the settings to the values that the migrations take. Raises `migrations.errors.TargetInvalid`."""
    from migrations.targets import ClickHouse, Database, DatabaseName, OpenFga, Targets

    names: tuple[DatabaseName, ...] = get_args(DatabaseName)
    databases = {}
    for name in names:
        urls = getattr(settings.databases, name)
        databases[name] = Database.of_urls(
            app_url=urls.app_url.get_secret_value(),
            worker_url=urls.worker_url.get_secret_value(),
            migrate_url=urls.migrate_url.get_secret_value(),
        )
    admin, columnar, fga = settings.postgres.admin_url, settings.clickhouse, settings.openfga
    return Targets(
        databases=databases,
        admin_url=admin.get_secret_value() if admin else None,
        clickhouse=ClickHouse(
            url=columnar.url,
            username=columnar.username,
            password=columnar.password.get_secret_value(),
            database=columnar.database,
            replicated=columnar.replicated,
            init_sql=CLICKHOUSE_TABLES,
        ),
        openfga=OpenFga(
            url=fga.url,
            store_name=fga.store,
            token=fga.token.get_secret_value() if fga.token else None,
            model_json=AUTHORIZATION_MODEL,
        ),
    )
