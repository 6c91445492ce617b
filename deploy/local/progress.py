"""Shows long steps to a person: a spinner, the time and the log file, or plain lines without a terminal."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

HEARTBEAT_SECONDS = 30.0


class Progress:
    """Use as a context manager around everything that reports. Steps may run on several threads at once."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._live: RichProgress | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal and self._live is None:
            self._live = RichProgress(
                SpinnerColumn(finished_text=" "),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                TextColumn("[dim]{task.fields[log]}"),
                console=self.console,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    @contextmanager
    def step(self, title: str, log: Path | None = None) -> Iterator[None]:
        """One long step. When it ends or fails, a line says how long it took."""
        started = time.monotonic()
        where = f"log: {log}" if log else ""
        ended = threading.Event()
        task = None
        if self._live is not None:
            task = self._live.add_task(title, total=None, log=where)
        else:
            self._line(f"... {title}  {where}".rstrip())
            threading.Thread(target=self._heartbeat, args=(title, started, ended), daemon=True).start()
        mark = "[red]failed[/]"
        try:
            yield
            mark = "[green]ok[/]"
        finally:
            ended.set()
            if self._live is not None and task is not None:
                self._live.remove_task(task)
            self._line(f"{mark}  {title}  [dim]{time.monotonic() - started:.1f} s[/]")

    def say(self, text: str) -> None:
        self._line(text)

    def _heartbeat(self, title: str, started: float, ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            self._line(f"... {title}  {time.monotonic() - started:.0f} s so far")

    def _line(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)
