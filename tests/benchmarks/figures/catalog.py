"""Every benchmark by the name `--only` takes, with the data it needs beyond the road data."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.benchmarks.figure import Figure
from tests.benchmarks.figures.arrow import arrow
from tests.benchmarks.figures.cheapest import cheapest
from tests.benchmarks.figures.constant import constant
from tests.benchmarks.figures.floor import floor
from tests.benchmarks.figures.hostile import hostile
from tests.benchmarks.figures.lists import lists
from tests.benchmarks.figures.search import search
from tests.benchmarks.figures.subscriptions import subscriptions
from tests.benchmarks.world import World


@dataclass(frozen=True, slots=True)
class Benchmark:
    run: Callable[[World], Awaitable[list[Figure]]]
    needs: frozenset[str] = frozenset()


BENCHMARKS: Mapping[str, Benchmark] = {
    "lists": Benchmark(lists),
    "floor": Benchmark(floor),
    "constant": Benchmark(constant),
    "arrow": Benchmark(arrow, frozenset({"frames"})),
    "search": Benchmark(search, frozenset({"chunks"})),
    "subscriptions": Benchmark(subscriptions),
    "cheapest": Benchmark(cheapest),
    "hostile": Benchmark(hostile),
}
