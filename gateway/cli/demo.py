"""`axion demo`: sets up everything from nothing to a running gateway, and prints tokens and documents to try."""

import os
import select
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax

from deploy.local import stack as stacks
from deploy.local.command import run_logged
from deploy.local.doctor import blocking, examine
from deploy.local.doctor_table import table
from deploy.local.errors import StackError, tail
from deploy.local.interrupt import terminable
from deploy.local.paths import CHECKOUT, StatePaths
from deploy.local.ports import is_free
from deploy.local.progress import Progress
from deploy.local.servers.gateway import GATEWAY, WORKER, process_environment
from gateway.cli.configuration import load_settings
from gateway.cli.failure import CommandFailed

NAME = "demo"
_EXAMPLES = CHECKOUT / "deploy" / "graphiql" / "examples"


def demo(
    detach: Annotated[bool, typer.Option("--detach", envvar="DEMO_DETACH", help="Return once ready.")] = False,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="The gateway's port (8000).")] = None,
) -> None:
    """Builds, starts, migrates and fills everything; Ctrl-C stops what this command started."""
    console = Console()
    _examine(console)
    before = stacks.running(NAME)
    keep = before
    try:
        with terminable(), Progress() as progress:
            stack = _ready(progress, port)
        _welcome(stack, console)
        if detach:
            keep = before | stacks.running(NAME)
            console.print("Running in the background. `make demo-stop` ends it.")
        else:
            console.print("Ctrl-C stops it.")
            with terminable():
                _watch(stack.paths)
    finally:
        if keep != stacks.running(NAME):
            with Progress() as progress:
                stacks.down(NAME, progress, keep=keep)


def stop() -> None:
    """Ends the demo, however it was started. Data stays for the next time."""
    with Progress() as progress:
        stopped = stacks.down(NAME, progress)
        progress.say(f"stopped {', '.join(stopped)}" if stopped else "the demo was not running")


def _examine(console: Console) -> None:
    checks = examine()
    if blocking(checks):
        console.print(table(checks))
        raise CommandFailed("this machine lacks what the table marks as missing")


def _ready(progress: Progress, port: int | None) -> stacks.Stack:
    stack = stacks.up(NAME, progress, gateway_port=port)
    if GATEWAY not in stacks.running(NAME) and not is_free(stack.ports.gateway):
        raise StackError(
            f"port {stack.ports.gateway} is taken by another program: stop it (ss -ltnp shows it), or choose another "
            "port with `axion demo --port 8001`"
        )
    environment = process_environment(stack.paths, stack.settings)
    for title, module, arguments in (
        ("migrations", "gateway.cli", ("migrate", "all")),
        ("sample data", "deploy.local.demo_data", ()),
    ):
        log = stack.paths.log(title.replace(" ", "-"))
        with progress.step(title, log):
            run_logged([sys.executable, "-m", module, *arguments], log=log, environment=environment)
    stack.start_gateway(progress)
    return stack


def _welcome(stack: stacks.Stack, console: Console) -> None:
    """Prints the most important lines last, so that they stay visible."""
    from gateway.auth.demo_issuer import DEMO_USERS, mint_token

    settings = load_settings(stack.paths.env)
    for example in sorted(_EXAMPLES.glob("*.graphql"))[:3]:
        console.rule(f"try: {example.stem.partition('-')[2]}", align="left")
        console.print(Syntax(example.read_text().strip(), "graphql", background_color="default", word_wrap=True))
    console.rule("tokens", align="left")
    for user in DEMO_USERS:
        console.print(f"[bold]{user}[/] (a fresh one: .venv/bin/axion token {user})")
        console.print(f"Bearer {mint_token(settings, user)}", soft_wrap=True, highlight=False)
    address = f"http://127.0.0.1:{stack.ports.gateway}"
    console.print(Panel(f"GraphiQL: [bold]{address}/graphiql[/]\nAPI:      {address}/graphql", title="Axion gateway"))


def _watch(paths: StatePaths) -> None:
    """Blocks until the gateway or the worker ends, which is a failure, or until Ctrl-C, which is the intended end."""
    from deploy.local.part import read_record

    records = {name: read_record(paths, name) for name in (GATEWAY, WORKER)}
    poll = select.poll()
    watched: dict[int, str] = {}
    try:
        for name, record in records.items():
            if record is None or not record.identity.alive:
                raise _ended(name, paths.log(name))
            descriptor = os.pidfd_open(record.identity.pid)
            watched[descriptor] = name
            poll.register(descriptor, select.POLLIN)
        (descriptor, _), *_ = poll.poll()
        raise _ended(watched[descriptor], paths.log(watched[descriptor]))
    except KeyboardInterrupt:
        return
    finally:
        for descriptor in watched:
            os.close(descriptor)


def _ended(name: str, log: Path) -> StackError:
    return StackError(f"{name} ended. Last lines of {log}:\n{tail(log)}")
