"""A lock between processes of one machine, which the kernel releases when its holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.progress import Progress


@contextmanager
def locked(path: Path, *, progress: Progress, waiting_for: str) -> Iterator[None]:
    """Holds an exclusive `flock` on `path`. Reports what it waits for when another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.step(f"waiting for {waiting_for} by another process"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
