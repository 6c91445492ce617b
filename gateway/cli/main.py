"""All commands of `axion`. Failures are printed as a cause and a next step, without traceback or secrets."""

import sys

import typer
from pydantic import ValidationError
from rich.console import Console

from deploy.local.errors import StackError
from gateway.cli import demo, doctor, keys, migrate, permissions, sdl, serve, stack, token, worker
from gateway.cli.configuration import explain
from gateway.cli.failure import CommandFailed

app = typer.Typer(
    name="axion",
    help="The Axion gateway: run it, migrate its stores, and run everything it needs on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("demo")(demo.demo)
app.command("demo-stop")(demo.stop)
app.add_typer(stack.app, name="stack")
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("migrate")(migrate.migrate)
app.add_typer(permissions.app, name="permissions")
app.add_typer(keys.app, name="keys")
app.command("token")(token.token)
app.command("sdl")(sdl.sdl)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """The exit code is 1 for an explained failure, 2 for wrong usage, and 130 for an interrupt."""
    console = Console(stderr=True)
    try:
        app()
    except (StackError, CommandFailed) as error:
        console.print(f"[bold red]error:[/] {_plain(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except ValidationError as error:
        console.print(f"[bold red]error:[/] {_plain(explain(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("interrupted")
        sys.exit(130)


def _plain(text: str) -> str:
    """Escapes brackets, which rich would read as markup."""
    return text.replace("[", "\\[")
