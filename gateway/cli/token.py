"""`axion token`: a bearer token of the demo's own issuer."""

from typing import Annotated

import typer

from gateway.cli.configuration import load_settings
from gateway.cli.failure import CommandFailed


def token(user: Annotated[str, typer.Argument(help="admin, analyst or stranger")]) -> None:
    """Prints a fresh token for a demo user. Works in demo mode only: a production gateway has no issuer's key."""
    from gateway.auth.demo_issuer import DEMO_USERS, DemoOnly, mint_token

    if user not in DEMO_USERS:
        raise typer.BadParameter(f"{user!r} is none of {', '.join(DEMO_USERS)}")
    settings = load_settings()
    try:
        typer.echo(mint_token(settings, user))
    except DemoOnly as error:
        raise CommandFailed(str(error)) from error
