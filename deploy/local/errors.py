"""What the embedded stack raises. The message names the cause and the next step and is printed as it is."""

from pathlib import Path


class StackError(Exception):
    """A part could not be built, started or stopped."""


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for the message of an error."""
    if not log.is_file():
        return "(no log was written)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
