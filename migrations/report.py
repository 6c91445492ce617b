"""The result of a runner."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """`changes` in the order they were made; empty when the target was already up to date."""

    target: str
    changes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.target}: {', '.join(self.changes) or 'up to date'}"
