"""`axion doctor`: what this machine has for the embedded stack, as a table; and how OpenFGA is configured."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.local.doctor import Check, Verdict, blocking, examine
from deploy.local.doctor_table import table
from gateway.cli.configuration import load_settings
from gateway.cli.failure import CommandFailed

if TYPE_CHECKING:
    from gateway.settings import Settings

_TIMEOUT_MS = 10_000


def doctor(
    openfga: Annotated[
        bool,
        typer.Option(
            "--openfga",
            help="Also try how many objects a list of the configured OpenFGA has, in a store made for it and deleted.",
        ),
    ] = False,
) -> None:
    """Says what is missing on this machine for the embedded stack, and how to get it. Exit code 1 if something is."""
    checks = examine()
    if openfga:
        checks.append(asyncio.run(lists(load_settings())))
    Console().print(table(checks))
    raise typer.Exit(1 if blocking(checks) else 0)


async def lists(settings: "Settings") -> Check:
    """Checks that lists of OpenFGA are as long as the gateway assumes. `CommandFailed` when OpenFGA does not answer."""
    from loaders.errors import AxionError
    from loaders.openfga.client import MAX_LISTED
    from migrations.openfga.list_bound import listed_at_most

    token = settings.openfga.token
    try:
        found = await listed_at_most(
            url=settings.openfga.url,
            token=token.get_secret_value() if token else None,
            timeout_ms=_TIMEOUT_MS,
            of=MAX_LISTED,
        )
    except AxionError as error:
        raise CommandFailed(f"OpenFGA: {error}") from error
    if found == MAX_LISTED:
        return Check("OpenFGA (lists)", Verdict.OK, f"{found:,} objects, or more")
    remedy = (
        f"Rows beyond the {found:,} first would be missing without a word: run OpenFGA with --listObjects-max-results "
        f"{MAX_LISTED} (its default), or 0"
    )
    return Check("OpenFGA (lists)", Verdict.MISSING, f"cut after {found:,} objects", remedy)
