"""A B A B: the sides take turns in short slices of one run, so that what else the machine does hits all of them."""

import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Side = Callable[[float], Awaitable[float]]
"""Works for that many seconds; answers what was measured, in the unit of the figure."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What each side measured, in the order of the rounds."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Of the two slices of each round."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)


@dataclass(frozen=True, slots=True)
class Effort:
    """`seconds` is the length of a slice. Warm-up is one slice of each side, thrown away."""

    seconds: float = 1.0
    rounds: int = 9


async def alternate(sides: Mapping[str, Side], effort: Effort) -> dict[str, tuple[float, ...]]:
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        await side(effort.seconds)
    for turn in range(effort.rounds):
        order = list(sides) if turn % 2 == 0 else list(reversed(list(sides)))
        for name in order:
            measured[name].append(await sides[name](effort.seconds))
    return {name: tuple(values) for name, values in measured.items()}
