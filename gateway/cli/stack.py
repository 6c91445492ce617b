"""`axion stack ...`: the embedded stores of this machine."""

import dataclasses
import json
import os
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.local import stack as stacks
from deploy.local.emulators import EMULATORS, checked
from deploy.local.errors import StackError
from deploy.local.interrupt import terminable
from deploy.local.part import PartState
from deploy.local.paths import state_paths
from deploy.local.progress import Progress

app = typer.Typer(help="PostgreSQL, ClickHouse, OpenFGA and S3 on this machine.", no_args_is_help=True)

Name = Annotated[str, typer.Option("--name", help="Which stack: demo, test or your own.")]


@app.command()
def up(
    name: Name = "demo",
    with_: Annotated[
        str, typer.Option("--with", help="Warehouse emulators beside them: bigquery,flight-sql,impala.")
    ] = "",
) -> None:
    """Builds what is missing, starts what does not run, and returns when every store answers."""
    emulators = checked([name for name in with_.split(",") if name])
    with terminable(), Progress() as progress:
        stack = stacks.up(name, progress)
        stack.start_emulators(emulators, progress)
        progress.say(f"stack {name!r} is up; its settings: {stack.paths.env}")


@app.command()
def down(name: Name = "demo") -> None:
    """Stops everything of the stack. Data stays."""
    with Progress() as progress:
        stopped = stacks.down(name, progress)
        progress.say(f"stopped {', '.join(stopped)}" if stopped else "nothing ran")


@app.command()
def reset(name: Name = "demo") -> None:
    """Stops the stack and deletes its data, logs and secrets."""
    with Progress() as progress:
        stacks.reset(name, progress)


@app.command()
def status(
    name: Name = "demo",
    as_json: Annotated[bool, typer.Option("--json", help="For programs. Contains the admin password.")] = False,
) -> None:
    """How each part is. Exit code 1 unless every store runs."""
    stack = stacks.Stack.existing(name)
    parts = stack.report() if stack else {}
    if as_json:
        document = {
            "name": name,
            "env_file": str(stack.paths.env) if stack else None,
            "parts": {part: _without_nulls(dataclasses.asdict(report)) for part, report in parts.items()},
        }
        typer.echo(json.dumps(document, indent=2))
    elif not parts:
        typer.echo(f"stack {name!r} was never started: axion stack up --name {name}")
    else:
        table = Table("part", "state", "address", "pid")
        for part, report in parts.items():
            table.add_row(part, report.state, report.address, str(report.pid or ""))
        Console().print(table)
        typer.echo(f"A part's log: axion stack logs PART --name {name}")
    healthy = bool(parts) and all(parts[store].state is PartState.RUNNING for store in stacks.STORES)
    raise typer.Exit(0 if healthy else 1)


@app.command()
def logs(
    part: Annotated[str, typer.Argument(help="postgres, clickhouse, openfga, objects, gateway or worker")],
    name: Name = "demo",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1)] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f")] = False,
) -> None:
    """The last lines of a part's log."""
    known = (*stacks.STORES, *EMULATORS, *stacks.PROCESSES)
    if part not in known:
        raise StackError(f"there is no part {part!r}: choose one of {', '.join(known)}")
    log = state_paths(name).log(part)
    if not log.exists():
        raise StackError(f"{part} has written no log yet: axion stack up --name {name}")
    tail = ["tail", f"-n{lines}", *(["-F"] if follow else []), str(log)]
    os.execvp(tail[0], tail)  # noqa: S606 - the gateway's own path, and no shell is involved


def _without_nulls(report: dict[str, object]) -> dict[str, object]:
    """Leaves out nulls: only PostgreSQL has an `admin_url`, and a part that does not run has no `pid`."""
    return {name: value for name, value in report.items() if value is not None or name == "pid"}
