"""`axion doctor`: what this machine has for the embedded stack, as a table."""

import typer
from rich.console import Console

from deploy.local.doctor import blocking, examine
from deploy.local.doctor_table import table


def doctor() -> None:
    """Says what is missing on this machine for the embedded stack, and how to get it. Exit code 1 if something is."""
    checks = examine()
    Console().print(table(checks))
    raise typer.Exit(1 if blocking(checks) else 0)
