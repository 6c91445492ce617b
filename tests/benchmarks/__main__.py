"""`make bench`, or `python -m tests.benchmarks [--only NAME]... [--seconds N] [--rounds N]`: see docs/benchmarks.md."""

import asyncio
import sys
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from deploy.local.errors import StackError
from deploy.local.interrupt import terminable
from tests.benchmarks import report
from tests.benchmarks.alternate import Effort
from tests.benchmarks.figure import Figure
from tests.benchmarks.figures.catalog import BENCHMARKS
from tests.benchmarks.world import prepared


def main(
    only: Annotated[list[str] | None, typer.Option("--only", help=f"Of {', '.join(BENCHMARKS)}; repeatable.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of a slice.")] = 1.0,
    rounds: Annotated[int, typer.Option(min=1, help="Slices of each side.")] = 9,
    write: Annotated[
        bool, typer.Option("--write", help="Put the table into docs/benchmarks.md, and its goals into the README.")
    ] = False,
) -> None:
    """Measures the gateway beside its peers on this machine; exit code 0 whether goals are met or not."""
    chosen = only or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(BENCHMARKS)}")
    if write and only:
        raise typer.BadParameter("--write is for all benchmarks: of some, the others' rows would be lost")
    with terminable(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_measure(chosen, Effort(seconds, rounds), write))
        except StackError as error:
            sys.exit(f"bench: {error}")


async def _measure(chosen: list[str], effort: Effort, write: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else 200)
    needs = frozenset().union(*(BENCHMARKS[name].needs for name in chosen))
    figures: list[Figure] = []
    async with prepared(effort, needs=needs, tell=lambda line: console.print(f"data: {line}")) as world:
        for name in chosen:
            console.print(f"measuring {name} ...")
            figures += await BENCHMARKS[name].run(world)
        lines = await report.machine(world)
    for line in lines:
        console.print(line)
    console.print(report.table(figures))
    written = (report.write_json(figures), *(report.write_documents(figures, lines) if write else ()))
    for path in written:
        console.print(f"written: {path}")


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
