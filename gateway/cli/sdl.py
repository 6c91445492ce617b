"""`axion sdl`: prints, writes or checks the schema definition."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.local.paths import CHECKOUT
from gateway.cli.failure import CommandFailed
from gateway.cli.loading import loading

COMMITTED = CHECKOUT / "schema" / "schema.graphql"


def sdl(
    check: Annotated[bool, typer.Option("--check", help="Compare with schema/schema.graphql; change nothing.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write there instead of the terminal.")] = None,
) -> None:
    """Prints the SDL, writes it, or checks that the committed one is the schema's."""
    with loading():
        from schema.build import sdl as text_of_schema

        text = text_of_schema()
    if check:
        _compare(text)
    elif output is not None:
        output.write_text(text)
    else:
        typer.echo(text, nl=False)


def _compare(text: str) -> None:
    import difflib

    committed = COMMITTED.read_text() if COMMITTED.exists() else ""
    if committed == text:
        return
    difference = difflib.unified_diff(
        committed.splitlines(), text.splitlines(), "schema/schema.graphql (committed)", "the schema", lineterm="", n=1
    )
    typer.echo("\n".join(difference))
    raise CommandFailed("schema/schema.graphql is not the schema: run `make sdl` and commit the result")
