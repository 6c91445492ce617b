"""The table for people and build/bench.json for programs."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg
from rich.table import Table

from deploy.local.paths import CHECKOUT
from tests.benchmarks.figure import Figure
from tests.benchmarks.peers import postgraphile
from tests.benchmarks.world import World

JSON_FILE = CHECKOUT / "build" / "bench.json"
README = CHECKOUT / "README.md"
BENCHMARKS_PAGE = CHECKOUT / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- make bench writes this -->", "<!-- as far as here -->"
_LIBRARIES = ("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "uvloop", "asyncpg", "orjson", "chdb")


def table(figures: Sequence[Figure]) -> Table:
    made = Table("what", "against", "ours", "theirs", "unit", "ratio (spread)", "goal", "met")
    for figure in figures:
        made.add_row(*cells(figure))
    return made


def cells(figure: Figure) -> tuple[str, ...]:
    spread = f" ({figure.spread[0]:.2f}-{figure.spread[1]:.2f})" if figure.spread else ""
    return (
        figure.name,
        figure.peer or "-",
        _number(figure.ours),
        "-" if figure.theirs is None else _number(figure.theirs),
        figure.unit,
        "-" if figure.ratio is None else f"{figure.ratio:.2f}{spread}",
        "-" if figure.goal is None else str(figure.goal),
        {None: "-", True: "yes", False: "NO"}[figure.met],
    )


def write_documents(
    figures: Sequence[Figure], machine: Sequence[str], *, readme: Path = README, page: Path = BENCHMARKS_PAGE
) -> tuple[Path, ...]:
    """All rows into docs/benchmarks.md, those with a goal into the README, each between its markers."""
    head = ("what", "against", "ours", "theirs", "unit", "ratio (spread)", "goal", "met")
    lines = "\n".join(f"- {line}" for line in machine)
    _replace(page, f"{lines}\n\n{_markdown(head, map(cells, figures))}")
    short = [_short(figure) for figure in figures if figure.goal is not None]
    _replace(readme, f"{machine[0]}.\n\n{_markdown(('what', 'against', 'measured', 'goal', 'met'), short)}")
    return readme, page


def _short(figure: Figure) -> tuple[str, ...]:
    name, peer, ours, _, unit, _, goal, met = cells(figure)
    return name, peer, f"{ours} {unit}" if figure.ratio is None else f"{figure.ratio:.2f}x", goal, met


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _replace(page: Path, text: str) -> None:
    """What stands between the page's markers. `ValueError` when it has none."""
    before, begin, rest = page.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"{page.name} has no {_BEGIN} and {_END}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def write_json(figures: Sequence[Figure]) -> Path:
    JSON_FILE.parent.mkdir(exist_ok=True)
    JSON_FILE.write_text(json.dumps([figure.to_json() for figure in figures], indent=2) + "\n")
    return JSON_FILE


async def machine(world: World) -> list[str]:
    """What the figures depend on beside the code: lines for the reader."""
    connection = await asyncpg.connect(world.settings.databases.axion_sense.app_url.get_secret_value())
    try:
        postgres = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    effort = world.effort
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, {libraries}; PostgreSQL {postgres.split()[0]}; "
        + postgraphile.version(postgraphile.install()),
        f"medians of {effort.rounds} slices of {effort.seconds:g} s a side, taking turns",
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(os.sched_getaffinity(0))} cores of {names[0] if names else platform.machine()}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
