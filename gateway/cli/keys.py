"""`axion keys`: the encryption key of stored secrets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.configuration import load_settings
from gateway.cli.failure import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.settings import Settings
    from loaders.postgres.client import Postgres
    from loaders.secrets.rotation import Rotated, Told
    from loaders.secrets.sealed_tables import KeyUsage

app = typer.Typer(help="Looks after the encryption key of stored secrets.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Looks after the encryption key of stored secrets."""


@app.command("rotate")
def rotate(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line; the last is the summary.")] = False,
) -> None:
    """Seals stored secrets anew under the current version. May be repeated. Exit code 1 when some are left."""
    from loaders.errors import AxionError

    def told(done: int, total: int) -> None:
        typer.echo(json.dumps({"done": done, "total": total}) if as_json else f"{done} of {total} secrets")

    try:
        rotated = asyncio.run(_rotate(load_settings(), told))
    except AxionError as error:
        raise CommandFailed(f"keys: {error}") from error
    summary = {
        "toVersion": rotated.to_version,
        "resealed": rotated.resealed,
        "unopened": len(rotated.unopened),
        "left": rotated.left,
    }
    for each in rotated.unopened:
        row = {"table": each.table, "id": str(each.id), "keyVersion": each.key_version, "code": each.error.code.value}
        typer.echo(json.dumps(row) if as_json else f"{each.table} {each.id}: {each.error}")
    typer.echo(json.dumps(summary) if as_json else ", ".join(f"{value} {name}" for name, value in summary.items()))
    if (failure := rotated.failure) is not None:
        raise CommandFailed(f"keys: {failure}")


@app.command("usage")
def usage() -> None:
    """How many stored secrets need which version of the key, as JSON lines."""
    from loaders.errors import AxionError

    try:
        found = asyncio.run(_usage(load_settings()))
    except AxionError as error:
        raise CommandFailed(f"keys: {error}") from error
    for each in found:
        typer.echo(json.dumps({"table": each.table, "keyVersion": each.key_version, "rows": each.rows}))


async def _rotate(settings: "Settings", told: "Told") -> "Rotated":
    from gateway.stores import open_keyring
    from loaders.ledger import Ledger
    from loaders.secrets.rotation import rotate

    async with _gen(settings) as gen:
        return await rotate(gen, open_keyring(settings), ledger=Ledger(), told=told)


async def _usage(settings: "Settings") -> "Sequence[KeyUsage]":
    from loaders.ledger import Ledger
    from loaders.secrets.sealed_tables import key_usage

    async with _gen(settings) as gen:
        return await key_usage(gen, ledger=Ledger())


@asynccontextmanager
async def _gen(settings: "Settings") -> AsyncIterator["Postgres"]:
    """Connects with the `_worker` role, as the rotation job does."""
    from loaders.postgres.client import Postgres

    url = settings.databases.axion_gen.worker_url.get_secret_value()
    timeout_ms = settings.postgres.statement_timeout_ms
    gen = await Postgres.open("axion_gen", url, pool_max=1, statement_timeout_ms=timeout_ms)
    try:
        yield gen
    finally:
        await gen.close()
