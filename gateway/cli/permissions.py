"""`axion permissions`: compares OpenFGA's tuples with the databases."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.configuration import load_settings
from gateway.cli.failure import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.settings import Settings
    from migrations.openfga.drift import Drift, Kind
    from migrations.openfga.reconcile import Outcome

app = typer.Typer(help="Looks after OpenFGA's tuples.", no_args_is_help=True)

_STATEMENT_TIMEOUT_MS = 600_000
_OPENFGA_TIMEOUT_MS = 10_000


@app.callback()
def permissions() -> None:
    """Looks after OpenFGA's tuples."""


@app.command("reconcile")
def reconcile(
    repair: Annotated[bool, typer.Option("--repair", help="Write what is missing, delete what is orphaned.")] = False,
    delete_unrecorded: Annotated[
        bool, typer.Option("--delete-unrecorded", help="With --repair: also take away grants that no row says.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line; the last is the summary.")] = False,
) -> None:
    """Reports drift between the databases and OpenFGA. Exit code 1 when some is left, or OpenFGA refuses a note."""
    from loaders.errors import AxionError
    from migrations.openfga.drift import KINDS

    kinds = tuple(kind for kind in KINDS if repair and (delete_unrecorded or kind != "unrecorded"))
    try:
        outcome = asyncio.run(_reconcile(load_settings(), kinds, _tell_json if as_json else _tell))
    except AxionError as error:
        raise CommandFailed(f"permissions: {error}") from error
    counted = asdict(outcome)
    summary: dict[str, int] = {**counted.pop("found"), **counted}
    typer.echo(json.dumps(summary) if as_json else ", ".join(f"{value} {key}" for key, value in summary.items()))
    raise typer.Exit(0 if outcome.is_clean else 1)


async def _reconcile(settings: "Settings", repair: "tuple[Kind, ...]", tell: "Callable[[Drift], None]") -> "Outcome":
    """Connects with the `_migrate` roles, because the comparison uses temporary tables, which other roles may not
    create.
    """
    from loaders.openfga.client import OpenFga
    from loaders.postgres.client import Postgres
    from migrations.openfga.reconcile import reconcile
    from migrations.openfga.wanted import TYPES

    async with AsyncExitStack() as stack:
        databases: dict[str, Postgres] = {}
        for name in TYPES:
            url = getattr(settings.databases, name).migrate_url.get_secret_value()
            databases[name] = await Postgres.open(name, url, pool_max=1, statement_timeout_ms=_STATEMENT_TIMEOUT_MS)
            stack.push_async_callback(databases[name].close)
        token = settings.openfga.token
        openfga = await OpenFga.open(
            url=settings.openfga.url,
            token=token.get_secret_value() if token else None,
            store=settings.openfga.store,
            timeout_ms=_OPENFGA_TIMEOUT_MS,
        )
        stack.push_async_callback(openfga.close)
        return await reconcile(databases, openfga, repair=repair, tell=tell)


def _tell(drift: "Drift") -> None:
    tuple_ = drift.tuple
    until = f" until {tuple_.expires_at.isoformat()}" if tuple_.expires_at else ""
    typer.echo(f"{drift.kind}: {tuple_.user} {tuple_.relation} {tuple_.object}{until}")


def _tell_json(drift: "Drift") -> None:
    typer.echo(json.dumps({"drift": drift.kind, **drift.tuple.to_json()}))
