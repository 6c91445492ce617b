"""One row of the table: what was measured, against what, and whether the goal was met."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from tests.benchmarks.alternate import Pairs


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the ratio ours/theirs, or on our own value where there is no other side."""

    sense: Literal["at least", "at most"]
    bound: float
    unit: str = "x"

    def met(self, value: float) -> bool:
        return value >= self.bound if self.sense == "at least" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g}{self.unit}"


@dataclass(frozen=True, slots=True)
class Figure:
    """`spread` is the lowest and the highest ratio of the rounds. Without a goal the row only informs."""

    name: str
    ours: float
    unit: str
    theirs: float | None = None
    peer: str | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    goal: Goal | None = None

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.goal.met(self.ours if self.ratio is None else self.ratio)

    @classmethod
    def of_pairs(
        cls, name: str, ours: Sequence[float], theirs: Sequence[float], *, unit: str, peer: str, goal: Goal | None
    ) -> Self:
        """Medians, and the median of the rounds' ratios."""
        pairs = Pairs(tuple(ours), tuple(theirs))
        return cls(
            name,
            statistics.median(pairs.ours),
            unit,
            statistics.median(pairs.theirs),
            peer,
            pairs.ratio,
            (min(pairs.ratios), max(pairs.ratios)),
            goal,
        )

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name if self.peer is None else f"{self.name} / {self.peer}",
            "ours": self.ours,
            "theirs": self.theirs,
            "unit": self.unit,
            "ratio": self.ratio,
            "goal": None if self.goal is None else str(self.goal),
            "met": self.met,
            "spread": self.spread,
        }
